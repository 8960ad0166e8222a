"""Runs carried over to another version of their life cycle."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.bpmn.errors import AlreadyOverError, MigrationRefusedError
from pilothouse.bpmn.happenings import Resumed, Suspended
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.migrating import Migrated, migrate
from pilothouse.bpmn.pairing import Pairing, propose
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import RunStatus
from tests.unit.bpmn.test_interleavings import TREES, Tree, draw, moves, play_out, work_done

if TYPE_CHECKING:
    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.drawing import Pen

DECLARED = (
    '<message id="m" name="go"><extensionElements><zeebe:subscription correlationKey="=key"/>'
    '</extensionElements></message><signal id="s" name="called"/>'
)
EACH = (
    '<multiInstanceLoopCharacteristics isSequential="{}"><extensionElements>'
    '<zeebe:loopCharacteristics inputCollection="=pair"/></extensionElements></multiInstanceLoopCharacteristics>'
)


def carried(play: Play, new: Definition, **pairs: str) -> None:
    order = Migrated(
        actor="opal", definition_id="def_new", name="small@2", reason="better", pairs=pairs
    )
    versions = (play.definition, new)
    changes = migrate(versions, play.state, order, at=play.now, ids=play.ids)
    play.state, play.definition = play.state.after(changes), new
    play.history += changes.history


def refused(play: Play, new: Definition, **pairs: str) -> dict[str, str]:
    with pytest.raises(MigrationRefusedError) as error:
        carried(play, new, **pairs)
    return {obstacle.element: obstacle.problem for obstacle in error.value.obstacles}


def timer(name: str, host: str, text: str, *, interrupting: str = "true") -> str:
    return (
        f'<boundaryEvent id="{name}" attachedToRef="{host}" cancelActivity="{interrupting}"><timerEventDefinition>'
        f"<timeDuration>{text}</timeDuration></timerEventDefinition></boundaryEvent>"
    )


def line(pen: Pen, *names: str, more: str = "", flows: str = "") -> Definition:
    """Draw services one after the other."""
    chain = ("start", *names, "end")
    drawn = " ".join(f"{a}>{b}" for a, b in pairwise(chain))
    return pen.draw("".join(map(pen.service, names)) + more, f"{drawn} {flows}", DECLARED)


def test_work_in_flight_keeps_its_id_and_goes_on_in_the_new_version(pen: Pen) -> None:
    play = Play(line(pen, "a", "b"))
    job = play.job("a")

    carried(play, line(pen, "a", "check", "b"))

    assert play.job("a") == job
    assert play.state.run.definition_id == "def_new"
    assert play.history[-1].event is HistoryEvent.RUN_MIGRATED
    play.complete("a")
    assert play.at("check") == 1


def test_what_has_another_id_is_paired_by_hand_and_suggested_by_its_name(pen: Pen) -> None:
    old, new = (
        pen.draw(pen.service(n).replace("id=", 'name="Deploy" id='), f"start>{n} {n}>end")
        for n in ("a", "deploy")
    )
    play = Play(old)
    proposal = propose(old, new)
    assert Pairing(old="a", new="deploy", suggestion=True) in proposal.pairings
    assert refused(play, new) == {
        "a": "has no partner in the new version, and the run stands there"
    }

    carried(play, new, a="deploy")

    assert play.job("deploy").element == "deploy"
    play.complete("deploy")
    assert play.state.run.state is RunStatus.COMPLETED


def test_a_timer_drawn_as_before_keeps_its_moment_and_one_drawn_anew_begins_now(pen: Pen) -> None:
    old = line(
        pen,
        "a",
        more=timer("same", "a", "PT5M") + timer("other", "a", "PT5M"),
        flows="same>end other>end",
    )
    new = line(
        pen,
        "a",
        more=timer("same", "a", "PT5M") + timer("other", "a", "PT9M"),
        flows="same>end other>end",
    )
    play = Play(old)
    same, began = play.job("same"), play.now
    play.advance(timedelta(minutes=2))

    carried(play, new)

    assert play.job("same") == same
    assert play.job("other").due_at == began + timedelta(minutes=11)


def test_new_events_are_armed_vanished_ones_are_not_and_fired_ones_stay_fired(pen: Pen) -> None:
    fired = timer("fired", "a", "PT1M", interrupting="false")
    gone = timer("gone", "a", "PT5M")
    appeared = '<boundaryEvent id="appeared" attachedToRef="a"><signalEventDefinition signalRef="s"/></boundaryEvent>'
    old = line(pen, "a", more=fired + gone, flows="fired>end gone>end")
    new = line(pen, "a", more=fired + appeared, flows="fired>end appeared>end")
    play = Play(old)
    play.advance(timedelta(minutes=1))

    carried(play, new)

    assert [j.element for j in play.state.jobs.values()] == ["a"]
    assert [s.element for s in play.state.subscriptions.values()] == ["appeared"]
    play.tell("appeared")
    assert play.state.run.state is RunStatus.COMPLETED


def aside(pen: Pen, name: str, *, interrupting: str = "false") -> str:
    return (
        f'<subProcess id="{name}" triggeredByEvent="true"><startEvent id="on{name}" isInterrupting="{interrupting}">'
        f'<signalEventDefinition signalRef="s"/></startEvent>{pen.service(f"in{name}")}'
        f'<sequenceFlow id="f{name}" sourceRef="on{name}" targetRef="in{name}"/></subProcess>'
    )


def test_event_sub_processes_begin_to_listen_and_stop(pen: Pen) -> None:
    play = Play(line(pen, "a", more=aside(pen, "one")))

    carried(play, line(pen, "a", more=aside(pen, "two")))

    assert [s.element for s in play.state.subscriptions.values()] == ["ontwo"]
    play.tell("ontwo")
    assert play.at("intwo") == 1


def test_nothing_new_listens_in_a_scope_that_an_event_has_interrupted(pen: Pen) -> None:
    one = aside(pen, "one", interrupting="true")
    play = Play(line(pen, "a", more=one))
    play.tell("onone")

    carried(play, line(pen, "a", more=one + aside(pen, "two")))

    assert not play.state.subscriptions
    play.complete("inone")
    assert play.state.run.state is RunStatus.COMPLETED


def test_a_join_that_waits_for_fewer_branches_opens_at_once(pen: Pen) -> None:
    gateways = pen.gateway("parallel", "fork") + pen.gateway("parallel", "join")
    services = pen.service("a") + pen.service("b") + pen.service("c") + pen.service("d")
    flows = "start>fork fork>a fork>b a>join join>d d>end"
    old = pen.draw(gateways + services, f"{flows} b>join fork>c c>join")
    new = pen.draw(gateways + services, f"{flows} b>end fork>c c>end")
    play = Play(old)
    play.complete("a")

    carried(play, new)

    assert play.at("d") == 1


def test_what_has_no_place_is_refused_with_every_reason(pen: Pen) -> None:
    inner = f'<startEvent id="in"/>{pen.service("a")}<sequenceFlow id="in-a" sourceRef="in" targetRef="a"/>'
    nested = pen.draw(f'<subProcess id="sub">{inner}</subProcess>', "start>sub sub>end")
    flat = line(pen, "a")
    assert "lies in" in refused(Play(flat), nested)["a"]
    assert set(refused(Play(nested), flat)) == {"sub", "a"}
    assert (
        "no partner"
        in refused(Play(flat), pen.draw(pen.service("a", "other"), "start>a a>end"))["a"]
    )


def test_pairs_are_checked_before_any_run_is_looked_at(pen: Pen) -> None:
    old, new = line(pen, "a", "b"), line(pen, "c", "d")
    assert "no x in the old" in refused(Play(old), new, x="c")["x"]
    assert "no x in the new" in refused(Play(old), new, a="x")["a"]
    assert "so does another" in refused(Play(old), new, a="c", b="c")["a"]
    assert "another kind" in refused(Play(old), new, a="end")["a"]


def test_repetition_must_stay_what_it_is(pen: Pen) -> None:
    plain, beside, turns = (
        pen.draw(
            pen.service("a").replace("</serviceTask>", f"{loop}</serviceTask>"), "start>a a>end"
        )
        for loop in ("", EACH.format("false"), EACH.format("true"))
    )
    assert "repeated in another way" in refused(Play(plain), beside)["a"]
    play = Play(beside, {"pair": [1, 2]})
    assert "repeated in another way" in refused(play, turns)["a"]
    carried(play, replace(beside, digest="2"))
    play.complete("a")
    play.complete("a")
    assert play.state.run.state is RunStatus.COMPLETED


def test_a_suspended_run_is_carried_over_and_stays_suspended(pen: Pen) -> None:
    play = Play(line(pen, "a"))
    play.happen(Suspended(actor="opal", reason="mend"))
    carried(play, line(pen, "a", "b", more=timer("late", "a", "PT5M"), flows="late>end"))
    assert play.state.run.state is RunStatus.SUSPENDED
    assert {j.state.value for j in play.state.jobs.values()} == {"suspended"}
    play.happen(Resumed(actor="opal", reason="mended"))
    play.complete("a")
    assert play.at("b") == 1


def test_a_run_that_has_ended_is_not_carried_over(pen: Pen) -> None:
    play = Play(line(pen, "a"))
    play.complete("a")
    with pytest.raises(AlreadyOverError):
        carried(play, line(pen, "a", "b"))


def begun(definition: Definition, side: int) -> Play:
    """Begin as `play_out` does."""
    taken = {f"take{number}": number <= side for number in (1, 2, 3)}
    return Play(definition, {"side": side, "key": "k", "pair": [1, 2], "mark": False, **taken})


def told(play: Play) -> list[tuple[object, ...]]:
    """Give the history without the lines that say that somebody operated the run."""
    operated = (HistoryEvent.RUN_MIGRATED, HistoryEvent.RUN_SUSPENDED, HistoryEvent.RUN_RESUMED)
    return [
        (e.event, e.element, e.token_id, dict(e.data))
        for e in play.history
        if e.event not in operated
    ]


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=TREES, side=st.integers(1, 3), seed=st.integers(0, 99))
def test_a_run_carried_over_to_a_copy_of_its_version_ends_as_if_it_had_not_been(
    pen: Pen, tree: Tree, side: int, seed: int
) -> None:
    definition, _ = draw(pen, tree)
    left, play = play_out(definition, side, seed, save=False), begun(definition, side)
    chance = Random(seed)  # noqa: S311 - a test's dice
    while play.state.run.state is RunStatus.ACTIVE:
        carried(play, replace(definition, digest=str(len(play.history))))
        chance.choice(moves(play, chance))()
    assert told(play) == told(left)
    assert play.variables == left.variables


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=TREES, side=st.integers(1, 3), seed=st.integers(0, 99))
def test_a_run_suspended_between_its_steps_does_the_same_work(
    pen: Pen, tree: Tree, side: int, seed: int
) -> None:
    definition, _ = draw(pen, tree)
    left, play = play_out(definition, side, seed, save=False), begun(definition, side)
    chance = Random(seed)  # noqa: S311 - a test's dice
    while play.state.run.state is RunStatus.ACTIVE:
        play.happen(Suspended(actor="opal", reason="wait"))
        play.happen(Resumed(actor="opal", reason="go"))
        chance.choice(moves(play, chance))()
    assert told(play) == told(left)
    assert work_done(play) == work_done(left)


def test_a_task_keeps_its_reminders_and_what_its_candidates_are_being_told(pen: Pen) -> None:
    old, new = (
        pen.draw(
            f'<userTask id="{name}" name="Approve"><extensionElements>'
            '<zeebe:assignmentDefinition candidateGroups="validator"/><zeebe:taskSchedule dueDate="P3D"/>'
            '<pilothouse:reminder after="R/P1D"/><pilothouse:escalation roles="operator"/>'
            "</extensionElements></userTask>",
            f"start>{name} {name}>end",
        )
        for name in ("ask", "judge")
    )
    play = Play(old)
    play.advance(timedelta(days=1))
    before = {(job.id, job.topic, job.due_at) for job in play.state.jobs.values()}

    carried(play, new, ask="judge")

    assert {(job.id, job.topic, job.due_at) for job in play.state.jobs.values()} == before
    assert {job.element for job in play.state.jobs.values()} == {"judge"}
    play.advance(timedelta(days=2))
    assert play.task("judge").candidate_roles == ("validator", "operator")
