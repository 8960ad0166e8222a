"""Runs that operators suspend, resume, change and move, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.application.groups import Groups
from pilothouse.bpmn.errors import MoveRefusedError, RunNotSuspendedError, RunSuspendedError
from pilothouse.bpmn.state import JobStatus, RunStatus, TokenStatus
from pilothouse.domain.access import ActionDeniedError, Role
from pilothouse.domain.errors import AlreadyExistsError
from pilothouse.lifecycle.errors import (
    LeaseLostError,
    RunMovedOnError,
    VariableReservedError,
)
from pilothouse.lifecycle.tasks.contract import Done
from pilothouse.wire.external_jobs import CompleteJob, ExtendJob, FetchJobs
from pilothouse.wire.operations import EditVariables, HoldRun, MoveTokens
from pilothouse.wire.requests import PublishMessage, SetPolicy, StartRun
from tests.integration.lifecycle.drawings import (
    asks,
    drawing,
    one_task,
    service,
    waits_for_message,
    waits_for_signal,
)
from tests.integration.lifecycle.house import MODEL, ONLINE, OPAL, RISK, VERA, person

if TYPE_CHECKING:
    from pilothouse.lifecycle.tasks.contract import TaskContext
    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House

BOT = person("bot", Role.WORKER)
WHY = HoldRun(reason="the data are wrong")


def began(house: House, xml: bytes, **variables: object) -> RunView:
    house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    wanted = StartRun(definition="small", service=ONLINE, variables=variables)
    return house.plane.runs.start(OPAL, wanted)


def suspend(house: House, run: RunView) -> RunView:
    return house.plane.operations.suspend(OPAL, run_id=run.heading.run_id, wanted=WHY)


def resume(house: House, run: RunView) -> RunView:
    return house.plane.operations.resume(OPAL, run_id=run.heading.run_id, wanted=WHY)


def now(house: House, run: RunView) -> RunView:
    return house.plane.runs.get(OPAL, run_id=run.heading.run_id)


def timed() -> bytes:
    """Draw a wait of five minutes."""
    wait = (
        '<intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>PT5M</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
    )
    body = f'<startEvent id="start"/>{wait}<endEvent id="end"/>'
    return drawing(body, "start>wait wait>end")


def two_tasks() -> bytes:
    body = f'<startEvent id="start"/>{service("one", "own")}{service("two", "own")}<endEvent id="end"/>'
    return drawing(body, "start>one one>two two>end")


def test_nothing_of_a_suspended_run_is_claimed_and_it_goes_on_with_the_resume(
    any_house: House,
) -> None:
    done: list[str] = []

    def own(context: object) -> Done:
        done.append("own")
        return Done(variables={})

    any_house.plane.works_on("own", own)
    run = began(any_house, two_tasks())

    suspended = suspend(any_house, run)

    assert suspended.state is RunStatus.SUSPENDED
    assert any_house.plane.executor.next_due() is None
    any_house.turn()
    assert not done
    resume(any_house, run)
    assert any_house.until_ended().state is RunStatus.COMPLETED
    assert len(done) == 2


def test_who_suspended_and_why_is_in_the_history_and_in_the_audit(house: House) -> None:
    run = began(house, waits_for_signal())

    suspend(house, run)
    resume(house, run)

    lines = house.plane.runs.history(OPAL, run_id=run.heading.run_id)[-2:]
    assert [(e.event.value, e.actor, e.data["reason"]) for e in lines] == [
        ("run-suspended", OPAL.person_id, WHY.reason),
        ("run-resumed", OPAL.person_id, WHY.reason),
    ]
    for action in ("suspend", "resume"):
        [audited] = house.audited(action, "run")
        assert audited["reason"] == WHY.reason


def test_a_second_suspension_and_a_second_resume_are_refused_with_their_cures(house: House) -> None:
    run = began(house, waits_for_signal())
    with pytest.raises(RunNotSuspendedError):
        resume(house, run)
    suspend(house, run)
    with pytest.raises(RunSuspendedError, match="pilothouse runs resume"):
        suspend(house, run)


def test_an_order_to_a_run_that_has_moved_since_it_was_seen_is_refused(house: House) -> None:
    run = began(house, waits_for_signal())
    suspend(house, run)

    with pytest.raises(RunMovedOnError) as refused:
        house.plane.operations.resume(
            OPAL,
            run_id=run.heading.run_id,
            wanted=HoldRun(reason="go", revision=run.revision),
        )

    assert refused.value.now == run.revision + 1


def test_only_those_who_operate_runs_may_do_so(house: House) -> None:
    run_id = began(house, waits_for_signal()).heading.run_id
    operations = house.plane.operations
    with pytest.raises(ActionDeniedError):
        operations.suspend(VERA, run_id=run_id, wanted=WHY)
    with pytest.raises(ActionDeniedError):
        operations.edit(VERA, run_id=run_id, wanted=EditVariables(reason="x", variables={"a": 1}))
    with pytest.raises(ActionDeniedError):
        operations.preview_move(VERA, run_id=run_id, wanted=MoveTokens(reason="x", begin=("end",)))


def test_a_message_waits_in_its_buffer_for_the_resume(any_house: House) -> None:
    run = began(any_house, waits_for_message(), order="A1")
    suspend(any_house, run)
    message = PublishMessage(
        id="m1", group=RISK, name="paid", correlation_key="A1", payload={"n": 1}
    )

    receipt = any_house.plane.messages.publish(OPAL, message)

    assert receipt.run_id is None
    resumed = resume(any_house, run)
    assert (resumed.state, resumed.variables) == (RunStatus.COMPLETED, {})
    last = any_house.plane.runs.history(OPAL, run_id=run.heading.run_id)[-1]
    assert last.data["variables"]["n"] == 1  # type: ignore[index]


def test_a_signal_reaches_a_suspended_run_and_moves_nothing(any_house: House) -> None:
    any_house.plane.works_on("own", lambda context: Done(variables={}))
    catch = (
        '<intermediateCatchEvent id="wait"><signalEventDefinition signalRef="called"/>'
        "</intermediateCatchEvent>"
    )
    body = f'<startEvent id="start"/>{catch}{service("one", "own")}<endEvent id="end"/>'
    xml = drawing(
        body, "start>wait wait>one one>end", declared='<signal id="called" name="called"/>'
    )
    run = began(any_house, xml)
    suspend(any_house, run)

    told = any_house.plane.messages.signal(OPAL, group=RISK, name="called")

    assert told == (run.heading.run_id,)
    assert [(t.element, t.state) for t in now(any_house, run).tokens] == [("one", TokenStatus.HELD)]
    resume(any_house, run)
    assert any_house.until_ended().state is RunStatus.COMPLETED


def test_an_overdue_timer_fires_once_after_the_resume(any_house: House) -> None:
    run = began(any_house, timed())
    suspend(any_house, run)
    any_house.clock.advance(timedelta(hours=1))
    any_house.turn()
    assert now(any_house, run).state is RunStatus.SUSPENDED

    resume(any_house, run)
    any_house.turn()

    assert now(any_house, run).state is RunStatus.COMPLETED
    history = any_house.plane.runs.history(OPAL, run_id=run.heading.run_id)
    assert [e.event.value for e in history].count("timer-fired") == 1


def test_a_task_of_a_suspended_run_is_shown_and_not_completed(house: House) -> None:
    run = began(house, asks('candidateGroups="validator"'))
    task = house.waiting_task()
    suspend(house, run)

    with pytest.raises(RunSuspendedError):
        house.plane.tasks.complete(VERA, task_id=task.id, answers={})

    resume(house, run)
    house.plane.tasks.complete(VERA, task_id=task.id, answers={})
    assert now(house, run).state is RunStatus.COMPLETED


def test_a_suspended_run_still_is_the_only_one_of_its_snapshot_and_service(
    any_house: House,
) -> None:
    any_house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())
    wanted = StartRun(definition="small", snapshot=f"{MODEL}@1", service=ONLINE)
    suspend(any_house, any_house.plane.runs.start(OPAL, wanted))

    with pytest.raises(AlreadyExistsError):
        any_house.plane.runs.start(OPAL, wanted)


def test_a_worker_outside_that_was_at_work_keeps_its_job_and_its_report_is_taken(
    any_house: House,
) -> None:
    plane = any_house.plane
    groups = Groups(open_work=plane.open_work, own_topics=plane.types.topics)
    groups.set_policy(SYSTEM, name=RISK, wanted=SetPolicy(external_topics=("check",)))
    run = began(any_house, one_task("check"))
    wanted = FetchJobs(group=RISK, topics=("check",), worker="w1", lock_s=60.0)
    [job] = plane.external_jobs.fetch(BOT, wanted)
    suspend(any_house, run)
    assert plane.external_jobs.fetch(BOT, wanted) == ()

    extended = plane.external_jobs.extend(
        BOT, job_id=job.id, wanted=ExtendJob(worker="w1", attempt=job.attempt, lock_s=90.0)
    )
    receipt = plane.external_jobs.report(
        BOT,
        job_id=job.id,
        wanted=CompleteJob(worker="w1", attempt=job.attempt, variables={"score": 3}),
    )

    assert extended.locked_until == job.locked_until + timedelta(seconds=30)
    assert receipt.run_state is RunStatus.SUSPENDED
    assert now(any_house, run).variables["score"] == 3
    assert resume(any_house, run).tokens == ()
    assert now(any_house, run).state is RunStatus.COMPLETED


def test_an_offered_job_is_offered_again_with_the_resume(house: House) -> None:
    plane = house.plane
    groups = Groups(open_work=plane.open_work, own_topics=plane.types.topics)
    groups.set_policy(SYSTEM, name=RISK, wanted=SetPolicy(external_topics=("check",)))
    run = began(house, one_task("check"))
    assert [w.state for w in suspend(house, run).work] == [JobStatus.SUSPENDED]
    assert [w.state for w in resume(house, run).work] == [JobStatus.OFFERED]


def test_variables_are_changed_and_audited_and_what_the_run_is_about_is_not(house: House) -> None:
    run = began(house, waits_for_signal(), a=1, b=2)
    edit = EditVariables(reason="typo", variables={"a": 5}, remove=("b",))

    changed = house.plane.operations.edit(OPAL, run_id=run.heading.run_id, wanted=edit)

    assert (changed.variables["a"], "b" in changed.variables) == (5, False)
    [audited] = house.audited("edit-variables", "run")
    assert (audited["variables"], audited["removed"]) == (["a"], ["b"])
    for wrong in (
        EditVariables(reason="no", variables={"digest": "x"}),
        EditVariables(reason="no", remove=("service",)),
    ):
        with pytest.raises(VariableReservedError):
            house.plane.operations.edit(OPAL, run_id=run.heading.run_id, wanted=wrong)


def test_a_move_is_shown_before_it_is_made(any_house: House) -> None:
    any_house.plane.works_on("own", lambda context: Done(variables={}))
    run = began(any_house, two_tasks())
    run_id = run.heading.run_id
    wanted = MoveTokens(reason="done by hand", cancel=("one",), begin=("two",))

    shown = any_house.plane.operations.preview_move(OPAL, run_id=run_id, wanted=wanted)

    assert [t.element for t in shown.tokens] == ["two"]
    assert now(any_house, run) == run
    moved = any_house.plane.operations.move(OPAL, run_id=run_id, wanted=wanted)
    assert [t.element for t in moved.tokens] == ["two"]
    [audited] = any_house.audited("move-tokens", "run")
    assert (audited["cancelled"], audited["begun"]) == (["one"], ["two"])
    with pytest.raises(MoveRefusedError):
        any_house.plane.operations.move(OPAL, run_id=run_id, wanted=wanted)
    assert any_house.until_ended().state is RunStatus.COMPLETED
    assert any_house.passed(run_id) == ["start", "two", "end"]


def test_a_step_that_is_at_work_when_its_run_is_suspended_reports_and_is_not_done_again(
    any_house: House,
) -> None:
    runs: list[RunView] = []
    done: list[str] = []

    def own(context: TaskContext) -> Done:
        done.append(context.job.element)
        if context.job.element == "one":
            suspend(any_house, runs[0])
            with pytest.raises(LeaseLostError):
                context.confirm()  # what has had no effect yet may have none now
        return Done(variables={"kept": True})

    any_house.plane.works_on("own", own)
    runs.append(began(any_house, two_tasks()))

    any_house.turn()

    shown = now(any_house, runs[0])
    assert [(t.element, t.state) for t in shown.tokens] == [("two", TokenStatus.HELD)]
    assert shown.variables["kept"] is True
    resume(any_house, runs[0])
    assert any_house.until_ended().state is RunStatus.COMPLETED
    assert done == ["one", "two"]


def test_a_firing_that_was_claimed_before_the_suspension_is_dropped_and_comes_again(
    any_house: House,
) -> None:
    run = began(any_house, timed())
    any_house.clock.advance(timedelta(minutes=6))
    with any_house.database.open_work(SYSTEM) as work:
        claimed = work.commit(work.runs.claim(owner="worker-1", lease_s=10.0, limit=1))
    suspend(any_house, run)
    any_house.plane.executor._held = claimed

    any_house.turn()

    assert now(any_house, run).state is RunStatus.SUSPENDED
    resume(any_house, run)
    any_house.turn()
    assert now(any_house, run).state is RunStatus.COMPLETED
