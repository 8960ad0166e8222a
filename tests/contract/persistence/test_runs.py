"""Runs keep their contract on every database: rows, revisions, claims, correlation, incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.state import JobStatus, Rows, RunState, RunStatus, TokenStatus, Variable
from pilothouse.domain.errors import AlreadyExistsError, ConflictError, NotFoundError
from pilothouse.domain.ids import GroupName
from pilothouse.domain.plain import rfc3339
from pilothouse.persistence.addresses import DatabaseOptions, engine_for
from pilothouse.persistence.runs import due_jobs
from tests.contract.persistence import values

if TYPE_CHECKING:
    from pilothouse.bpmn.state import Changes
    from pilothouse.persistence.engine import Database
    from tests.contract.persistence.conftest import HandClock

ADA = values.principal()
NOON = values.NOON


def start(company: Database, changes: Changes) -> RunState:
    with company.open_work(ADA) as work:
        work.runs.add(values.heading(changes.run.id), changes)
        work.commit(None)
    return RunState.of(changes.run, changes.added)


def load(company: Database, run_id: str = "run_1") -> RunState:
    with company.open_work.reading(ADA) as work:
        return work.runs.load(run_id)


def write(company: Database, changes: Changes) -> None:
    with company.open_work(ADA) as work:
        work.runs.write(changes)
        work.commit(None)


def claim(company: Database, *, owner: str = "w1", limit: int = 10) -> tuple[str, ...]:
    with company.open_work(ADA) as work:
        return work.commit(
            tuple(j.id for j in work.runs.claim(owner=owner, lease_s=60, limit=limit))
        )


def end(company: Database, run_id: str = "run_1") -> None:
    changes = values.stepped(load(company, run_id).run)
    run = replace(changes.run, state=RunStatus.COMPLETED, ended_at=NOON, outcome="end")
    write(company, replace(changes, run=run))


def test_a_run_comes_back_row_by_row(company: Database) -> None:
    state = start(company, values.started())
    assert load(company) == state


def test_numbers_in_variables_keep_their_kind(company: Database) -> None:
    start(company, values.started())
    found = {v.name: v.value for v in load(company).variables.values()}
    assert {name: repr(value) for name, value in found.items()} == {
        "auc": "1.0",
        "rows": str(10**20),
        "none": "None",
        "text": "'5'",
    }


def test_several_runs_come_back_together_and_missing_ones_do_not(company: Database) -> None:
    states = {run_id: start(company, values.started(run_id)) for run_id in ("run_1", "run_2")}
    start(company, values.started("run_3"))
    with company.open_work(ADA) as work:
        found = work.runs.load_all(("run_2", "run_9", "run_1", "run_2"))
    assert found == states


def test_no_run_is_asked_for_and_none_comes_back(company: Database) -> None:
    start(company, values.started("run_1"))
    with company.open_work(ADA) as work:
        assert work.runs.load_all(()) == {}


def known_after(company: Database, known: RunState) -> RunState:
    with company.open_work(ADA) as work:
        return work.runs.load_all((known.run.id,), known={known.run.id: known})[known.run.id]


def test_a_run_that_stands_as_it_is_known_is_not_read_again(company: Database) -> None:
    start(company, values.started())
    known = load(company)
    assert known_after(company, known) is known


def test_a_run_that_has_moved_since_it_was_known_is_read(company: Database) -> None:
    known = start(company, values.started())
    write(company, values.stepped(known.run))
    assert known_after(company, known) == load(company) != known


def test_a_run_whose_job_was_claimed_since_it_was_known_is_read(
    company: Database, clock: HandClock
) -> None:
    unclaimed = start(company, values.started())
    claim(company)
    claimed = load(company)
    assert known_after(company, unclaimed) == claimed != unclaimed

    clock.forward(60)
    claim(company, owner="w2")  # no step: the revision is the same
    assert known_after(company, claimed).jobs["lcj_run_1_1"].attempt == 2


def test_a_run_whose_lease_was_lengthened_or_given_back_since_it_was_known_is_read(
    company: Database, clock: HandClock
) -> None:
    start(company, values.started())
    claim(company)
    held = load(company)
    clock.forward(1)
    with company.open_work(ADA) as work:
        work.runs.extend("lcj_run_1_1", attempt=1, lease_s=60)
        work.commit(None)
    lengthened = known_after(company, held)
    with company.open_work(ADA) as work:
        work.runs.release(tuple(held.jobs.values()))
        work.commit(None)
    given_back = known_after(company, lengthened)
    assert lengthened == replace(held, jobs=lengthened.jobs) != held
    assert given_back.jobs["lcj_run_1_1"].lease_owner is None


def test_a_run_that_is_gone_or_was_never_asked_for_does_not_come_back_from_what_is_known(
    company: Database,
) -> None:
    known = RunState.of(values.started("run_9").run, values.started("run_9").added)
    with company.open_work(ADA) as work:
        assert work.runs.load_all(("run_9",), known={"run_9": known}) == {}
        assert work.runs.load_all((), known={"run_9": known}) == {}


def test_jobs_that_could_be_claimed_are_counted_up_to_a_limit(
    company: Database, clock: HandClock
) -> None:
    jobs = tuple(values.run_job(part=str(n), due_at=NOON - timedelta(seconds=n)) for n in range(5))
    start(company, values.started(jobs=jobs))
    claim(company, limit=2)
    with company.open_work(ADA) as work:
        free, few = work.runs.due(10), work.runs.due(2)
    clock.forward(60)
    with company.open_work(ADA) as work:
        again = work.runs.due(10)
    assert (free, few, again) == (3, 2, 5)


def test_steps_of_several_runs_are_written_together(company: Database) -> None:
    before = [start(company, values.started(run_id)) for run_id in ("run_1", "run_2")]
    steps = [
        values.stepped(
            state.run,
            added=Rows(jobs=(values.run_job(state.run.id, part="2"),)),
            removed=Rows(jobs=tuple(state.jobs.values())),
        )
        for state in before
    ]
    with company.open_work(ADA) as work:
        work.runs.write_all(steps)
        work.commit(None)
    assert [load(company, s.run.id) for s in before] == [
        s.after(step) for s, step in zip(before, steps, strict=True)
    ]


def test_two_steps_of_a_run_are_written_as_one(company: Database) -> None:
    before = start(company, values.started())
    first = values.stepped(before.run)
    second = values.stepped(first.run)
    both = replace(second, history=first.history + second.history)
    with company.open_work(ADA) as work:
        work.runs.write_all((both,), steps={"run_1": 2})
        work.commit(None)
    with company.open_work.reading(ADA) as work:
        lines = [line.sequence for line in work.runs.history("run_1")]
    assert (load(company).run.revision, lines) == (3, [1, 2, 3])


def test_of_steps_written_together_the_one_that_lost_a_race_is_named(company: Database) -> None:
    before = [start(company, values.started(run_id)) for run_id in ("run_1", "run_2", "run_3")]
    write(company, values.stepped(before[1].run))
    write(company, values.stepped(load(company, "run_2").run))
    with company.open_work(ADA) as work, pytest.raises(ConflictError) as caught:
        work.runs.write_all([values.stepped(state.run) for state in before])
    assert caught.value.fields == {"noun": "run", "name": "run_2", "expected": 1, "found": 3}
    assert load(company, "run_1") == before[0]


def test_a_missing_run_is_named(company: Database) -> None:
    with company.open_work(ADA) as work, pytest.raises(NotFoundError) as caught:
        work.runs.load("run_9")
    assert caught.value.fields == {"noun": "run", "name": "run_9"}


def test_a_step_adds_changes_and_removes_rows(company: Database) -> None:
    before = start(company, values.started())
    scope = next(iter(before.scopes))
    token = replace(before.tokens["tkn_run_1"], element="next", state=TokenStatus.JOINING)
    auc = before.variables[f"{scope}/auc"]
    step = values.stepped(
        before.run,
        added=Rows(
            variables=(Variable(run_id="run_1", scope_id=scope, name="new", value={"a": [1]}),),
            jobs=(values.run_job(part="2"),),
        ),
        changed=Rows(tokens=(token,), variables=(replace(auc, value=0.5),)),
        removed=Rows(
            jobs=tuple(before.jobs.values()),
            variables=(before.variables[f"{scope}/none"],),
            incidents=tuple(before.incidents.values()),
        ),
    )
    write(company, step)
    assert load(company) == before.after(step)


def test_a_repeated_activity_counts_on_and_what_can_be_undone_changes_its_scope(
    company: Database,
) -> None:
    before = start(company, values.started())
    body = before.scopes["sco_run_1_each"]
    counted = replace(body, started=3, ended=2, outputs=(0.5, {"auc": 1.0}, None))
    moved = replace(before.compensations["cmp_run_1"], scope_id=body.id)
    step = values.stepped(before.run, changed=Rows(scopes=(counted,), compensations=(moved,)))
    write(company, step)
    assert load(company) == before.after(step)

    undone = values.stepped(load(company).run, removed=Rows(compensations=(moved,)))
    write(company, undone)

    assert load(company).compensations == {}


def test_a_row_may_be_removed_and_added_in_one_step(company: Database) -> None:
    before = start(company, values.started())
    rows = Rows(variables=tuple(before.variables.values()))
    write(company, values.stepped(before.run, removed=rows, added=rows))
    assert load(company).variables == before.variables


def test_the_second_of_two_steps_from_one_revision_loses(company: Database) -> None:
    before = start(company, values.started())
    write(company, values.stepped(before.run))
    with company.open_work(ADA) as work, pytest.raises(ConflictError) as caught:
        work.runs.write(values.stepped(before.run))
    assert caught.value.fields == {"noun": "run", "name": "run_1", "expected": 1, "found": 2}


def test_a_step_over_rows_that_are_not_there_is_a_programming_error(company: Database) -> None:
    before = start(company, values.started())
    ghost = values.run_job(part="ghost")
    with company.open_work(ADA) as work, pytest.raises(ValueError, match="0 of them"):
        work.runs.write(values.stepped(before.run, removed=Rows(jobs=(ghost,))))
    with company.open_work(ADA) as work, pytest.raises(ValueError, match="0 of them"):
        work.runs.write(values.stepped(before.run, changed=Rows(jobs=(ghost,))))


def test_history_is_read_on_from_a_number(company: Database) -> None:
    start(company, values.started())
    for _ in range(4):
        write(company, values.stepped(load(company).run))
    with company.open_work.reading(ADA) as work:
        lines = work.runs.history("run_1", after=2, limit=2)
        everything = work.runs.history("run_1")
    assert [line.sequence for line in lines] == [3, 4]
    assert len(everything) == 5
    assert everything[0].data == {"a": 1}


def test_one_active_run_for_a_business_key(company: Database) -> None:
    start(company, values.started("run_1", business_key="snp_1"))
    start(company, values.started("run_2", business_key="snp_2"))
    start(company, values.started("run_3"))
    start(company, values.started("run_4"))
    with company.open_work(ADA) as work, pytest.raises(AlreadyExistsError) as caught:
        work.runs.add(values.heading("run_5"), values.started("run_5", business_key="snp_1"))
    assert caught.value.fields == {"noun": "run", "name": "promote-online/snp_1"}


def test_a_business_key_is_free_again_when_its_run_has_ended(company: Database) -> None:
    start(company, values.started("run_1", business_key="snp_1"))
    end(company)
    again = start(company, values.started("run_5", business_key="snp_1"))
    assert load(company, "run_5") == again


def test_a_claim_leases_what_is_due_and_counts_the_attempt(
    company: Database, clock: HandClock
) -> None:
    jobs = tuple(
        values.run_job(part=str(n), due_at=NOON + timedelta(seconds=s))
        for n, s in enumerate((0, -5, 1))
    )
    start(company, values.started(jobs=jobs))
    with company.open_work(ADA) as work:
        claimed = work.commit(work.runs.claim(owner="w1", lease_s=60, limit=10))
    late, early = (
        replace(job, attempt=1, lease_owner="w1", lease_until=clock.now() + timedelta(seconds=60))
        for job in jobs[:2]
    )
    assert claimed == (early, late)
    assert load(company).jobs == {late.id: late, early.id: early, jobs[2].id: jobs[2]}


def test_a_claim_takes_no_more_than_its_limit_and_longest_due_first(company: Database) -> None:
    jobs = tuple(values.run_job(part=str(n), due_at=NOON - timedelta(seconds=n)) for n in range(5))
    start(company, values.started(jobs=jobs))
    assert [claim(company, limit=2) for _ in range(3)] == [
        ("lcj_run_1_4", "lcj_run_1_3"),
        ("lcj_run_1_2", "lcj_run_1_1"),
        ("lcj_run_1_0",),
    ]


def test_a_lease_that_is_over_can_be_claimed_again(company: Database, clock: HandClock) -> None:
    start(company, values.started())
    first = claim(company)
    clock.forward(59.999999)
    none = claim(company)
    clock.forward(0.000001)
    again = claim(company, owner="w2")
    assert (first, none, again) == (("lcj_run_1_1",), (), ("lcj_run_1_1",))
    assert load(company).jobs["lcj_run_1_1"].attempt == 2


def test_jobs_in_an_incident_are_not_claimed(company: Database) -> None:
    start(company, values.started(jobs=(replace(values.run_job(), state=JobStatus.INCIDENT),)))
    assert claim(company) == ()


def test_jobs_of_a_run_that_is_over_are_not_claimed(company: Database) -> None:
    start(company, values.started())
    end(company)
    with company.open_work.reading(ADA) as work:
        due = work.runs.next_due()
    assert (claim(company), due) == ((), None)


def test_a_lease_is_extended_by_its_current_attempt_only(
    company: Database, clock: HandClock
) -> None:
    start(company, values.started())
    job = claim(company)[0]
    with company.open_work(ADA) as work:
        extended = [
            work.runs.extend(job, attempt=attempt, lease_s=600) for attempt in (0, 1, 2)
        ] + [work.runs.extend("lcj_none", attempt=1, lease_s=600)]
        work.commit(None)
    clock.forward(599)
    assert extended == [False, True, False, False]
    assert claim(company) == ()


def test_a_job_that_nobody_holds_is_not_extended(company: Database) -> None:
    start(company, values.started())
    with company.open_work(ADA) as work:
        assert not work.runs.extend("lcj_run_1_1", attempt=0, lease_s=60)


def test_a_job_that_is_given_back_can_be_claimed_at_once(company: Database) -> None:
    start(company, values.started())
    claim(company)
    with company.open_work(ADA) as work:
        work.runs.release(tuple(load(company).jobs.values()))
        work.commit(None)
    again = claim(company, owner="w2")
    job = load(company).jobs["lcj_run_1_1"]
    assert (again, job.attempt, job.lease_owner) == (("lcj_run_1_1",), 2, "w2")


def test_a_job_that_another_has_claimed_since_is_not_given_back(
    company: Database, clock: HandClock
) -> None:
    start(company, values.started())
    claim(company)
    held = tuple(load(company).jobs.values())
    clock.forward(60)
    claim(company, owner="w2")
    with company.open_work(ADA) as work:
        work.runs.release(held)
        work.commit(None)
    assert load(company).jobs["lcj_run_1_1"].lease_owner == "w2"


def test_next_due_is_the_earliest_due_time_or_end_of_a_lease(
    company: Database, clock: HandClock
) -> None:
    found = []

    def note() -> None:
        with company.open_work.reading(ADA) as work:
            found.append(work.runs.next_due())

    note()
    later = values.run_job(part="2", due_at=NOON + timedelta(hours=1))
    start(company, values.started(jobs=(values.run_job(), later)))
    note()
    claim(company)
    note()
    clock.forward(7200)
    claim(company, limit=1)
    note()
    assert found == [
        None,
        NOON,
        NOON + timedelta(seconds=60),
        NOON + timedelta(hours=1),
    ]


def test_messages_find_their_subscriptions_by_group_name_and_key(company: Database) -> None:
    start(company, values.started("run_1"))
    start(company, values.started("run_2"))
    end(company, "run_2")
    with company.open_work.reading(ADA) as work:
        wanted = {"group": "risk", "name": "finished", "correlation_key": "job_1"}
        found = work.runs.waiting_for_message(**wanted)
        others = [work.runs.waiting_for_message(**(wanted | {field: "other"})) for field in wanted]
    assert [s.id for s in found] == ["sub_run_1_m"]
    assert others == [(), (), ()]


def test_signals_find_every_subscription_of_their_group(company: Database) -> None:
    start(company, values.started("run_1"))
    start(company, values.started("run_2"))
    with company.open_work.reading(ADA) as work:
        found = work.runs.waiting_for_signal(group="risk", name="stop")
        assert work.runs.waiting_for_signal(group="other", name="stop") == ()
        assert work.runs.waiting_for_signal(group="risk", name="finished") == ()
    assert [s.run_id for s in found] == ["run_1", "run_2"]


def test_incidents_are_listed_by_group_oldest_first(company: Database) -> None:
    late, early = values.started("run_1"), values.started("run_2")
    old = replace(early.added.incidents[0], created_at=NOON - timedelta(days=1))
    start(company, late)
    start(company, replace(early, added=replace(early.added, incidents=(old,))))
    with company.open_work.reading(ADA) as work:
        everywhere = work.runs.incidents()
        mine = work.runs.incidents(groups=frozenset({values.RISK}))
        others = work.runs.incidents(groups=frozenset({GroupName("cards")}))
    assert [i.run_id for i in everywhere] == ["run_2", "run_1"]
    assert (mine, others) == (everywhere, ())


def test_looking_for_due_jobs_reads_the_index_of_ready_jobs(
    company: Database, database_url: str
) -> None:
    later = tuple(
        values.run_job(part=str(n), due_at=NOON + timedelta(hours=n)) for n in range(1, 500)
    )
    start(company, values.started(jobs=later))
    engine = engine_for(database_url, DatabaseOptions())
    postgresql = engine.dialect.name == "postgresql"
    query = due_jobs(NOON).limit(10).compile(engine, compile_kwargs={"render_postcompile": True})
    with engine.connect() as connection:
        if postgresql:
            connection.exec_driver_sql("ANALYZE run_jobs")
        explain = "EXPLAIN " if postgresql else "EXPLAIN QUERY PLAN "
        cells = query.construct_params()
        bound = {k: rfc3339(v) if isinstance(v, datetime) else v for k, v in cells.items()}
        names = query.positiontup
        values_in_order = tuple(bound[n] for n in names) if names else bound
        plan = connection.exec_driver_sql(explain + str(query), values_in_order).all()
    engine.dispose()
    assert "ix_run_jobs_ready" in str(plan)


def test_a_suspended_run_is_under_way_and_hears_signals_and_nothing_else(company: Database) -> None:
    started = start(company, values.started())
    start(company, values.started("run_2"))
    changes = values.stepped(load(company).run)
    write(company, replace(changes, run=replace(changes.run, state=RunStatus.SUSPENDED)))
    end(company, "run_2")
    definition = started.run.definition_id

    with company.open_work.reading(ADA) as work:
        assert work.runs.under_way(definition) == ("run_1",)
        assert work.runs.under_way(definition, after="run_1") == ()
        assert work.runs.under_way("def_other") == ()
    assert claim(company) == ()


def test_runs_that_are_under_way_come_in_pages(company: Database) -> None:
    for number in (1, 2, 3):
        state = start(company, values.started(f"run_{number}"))
    with company.open_work.reading(ADA) as work:
        first = work.runs.under_way(state.run.definition_id, limit=2)
        second = work.runs.under_way(state.run.definition_id, after=first[-1], limit=2)
    assert (first, second) == (("run_1", "run_2"), ("run_3",))


def test_a_heading_is_written_anew_with_the_definition_that_the_run_follows_now(
    company: Database,
) -> None:
    start(company, values.started())
    heading = values.heading()
    with company.open_work(ADA) as work:
        definition = work.definitions.add(values.definition("def_2", version=2))
        named = replace(heading, definition_id=definition.id, definition=definition.full_name)
        work.runs.rename(named)
        work.commit(None)
    with company.open_work.reading(ADA) as work:
        assert work.headings.get("run_1") == named
