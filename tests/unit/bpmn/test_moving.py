"""Tokens: gateways, forks, joins, sub-processes, ends, variables."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import AlreadyOverError, UnexpectedHappeningError, VariableInvalidError
from pilothouse.bpmn.happenings import Cancelled, IncidentRetried
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import NoticeKind, Rows, RunStatus, TokenStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

CHOICE = "start>choice a>end b>end"


def choice(pen: Pen, first: str, default: str = "choice-b") -> Play:
    body = pen.gateway("exclusive", "choice", default) + pen.service("a") + pen.service("b")
    flows = pen.condition("choice", "a", first)
    flows += '<sequenceFlow id="choice-b" sourceRef="choice" targetRef="b"/>'
    return Play(pen.draw(body + flows, CHOICE), {"verdict": "PASS", "loose": 1})


def no_rows(play: Play) -> bool:
    state = play.state
    tables = (state.scopes, state.variables, state.tokens, state.jobs, state.subscriptions)
    return not any((*tables, state.tasks, state.incidents))


def test_service_task_waits_for_its_job_and_ends_the_run(pen: Pen) -> None:
    play = Play(pen.draw(pen.service("a"), "start>a a>end"), {"snapshot": "m@7"})
    assert play.job("a").topic == "work"
    assert play.job("a").inputs == {"snapshot": "m@7"}

    play.complete("a", metrics={"auc": 0.8})

    assert play.state.run.state is RunStatus.COMPLETED
    assert play.state.run.outcome == "end"
    assert play.variables == {"snapshot": "m@7", "metrics": {"auc": 0.8}}
    assert no_rows(play)
    assert play.notices[-1].kind is NoticeKind.RUN_ENDED


def test_exclusive_gateway_takes_the_first_flow_that_holds(pen: Pen) -> None:
    assert choice(pen, '=verdict = "PASS"').job("a").element == "a"


def test_exclusive_gateway_takes_the_default_where_nothing_holds(pen: Pen) -> None:
    assert choice(pen, '=verdict = "FAIL"').at("b") == 1


def test_gateway_where_nothing_matches_is_an_incident_that_a_retry_with_variables_cures(
    pen: Pen,
) -> None:
    body = pen.gateway("exclusive", "choice") + pen.service("a") + pen.service("b")
    body += pen.condition("choice", "a", "=size = 1") + pen.condition("choice", "b", "=size = 2")
    play = Play(pen.draw(body, CHOICE), {"size": 3})
    (incident,) = play.state.incidents.values()
    assert (incident.code, incident.element) == ("no-flow-matches", "choice")

    play.happen(IncidentRetried(incident_id=incident.id, actor="ann", variables={"size": 2}))

    assert play.at("b") == 1
    assert not play.state.incidents


def test_condition_that_is_not_true_or_false_is_an_incident(pen: Pen) -> None:
    play = choice(pen, "=loose")
    (incident,) = play.state.incidents.values()
    assert incident.code == "expression-failed"
    assert "not true or false" in incident.message


def test_condition_that_fails_is_an_incident(pen: Pen) -> None:
    (incident,) = choice(pen, "=boom").state.incidents.values()
    assert incident.code == "expression-failed"


def forked(pen: Pen) -> Play:
    body = "".join(
        (
            pen.gateway("parallel", "fork"),
            pen.gateway("parallel", "join"),
            pen.service("a"),
            pen.service("b"),
            pen.service("after"),
        )
    )
    return Play(
        pen.draw(body, "start>fork fork>a fork>b a>join b>join join>after after>end"), {"x": 1}
    )


def test_parallel_join_waits_for_all_incoming_flows(pen: Pen) -> None:
    play = forked(pen)
    play.complete("b")
    assert play.at("after") == 0
    assert play.at("join") == 1

    play.complete("a")

    assert play.at("after") == 1
    assert len(play.state.tokens) == 1


def test_join_counts_distinct_flows_and_not_arrivals(pen: Pen) -> None:
    # `a` is entered twice (two flows out of the fork), so two tokens arrive by the flow a-join.
    body = pen.gateway("parallel", "fork") + pen.gateway("parallel", "join") + pen.service("a")
    body += pen.service("b") + pen.service("after")
    body += '<sequenceFlow id="again" sourceRef="fork" targetRef="a"/>'
    play = Play(pen.draw(body, "start>fork fork>a fork>b a>join b>join join>after after>end"))
    play.complete("a")
    play.complete("a")
    assert play.at("after") == 0
    assert play.at("join") == 2

    play.complete("b")

    assert play.at("after") == 1
    assert play.at("join") == 1


def test_join_that_nothing_can_complete_is_an_incident(pen: Pen) -> None:
    body = pen.gateway("exclusive", "choice", "choice-a") + pen.service("a") + pen.service("b")
    body += pen.gateway("parallel", "join") + pen.condition("choice", "b", "=false")
    play = Play(pen.draw(body, "start>choice choice>a a>join b>join join>end"))
    play.complete("a")
    (incident,) = play.state.incidents.values()
    assert incident.code == "join-starved"
    assert "b-join" in incident.message


def test_several_flows_out_of_a_task_are_an_implicit_fork(pen: Pen) -> None:
    play = Play(
        pen.draw(
            pen.service("a") + pen.service("b") + pen.service("c"), "start>a a>b a>c b>end c>end"
        )
    )
    play.complete("a")
    assert (play.at("b"), play.at("c")) == (1, 1)
    play.complete("b")
    assert play.at("c") == 1
    play.complete("c")
    assert play.state.run.state is RunStatus.COMPLETED


def test_a_task_without_outgoing_flow_ends_its_branch(pen: Pen) -> None:
    play = Play(pen.draw(pen.service("a") + pen.service("b"), "start>a start>b b>end"))
    play.complete("a")
    play.complete("b")
    assert play.state.run.state is RunStatus.COMPLETED


def test_terminate_end_event_ends_everything(pen: Pen) -> None:
    body = pen.service("a") + pen.service("b")
    body += '<endEvent id="stop"><terminateEventDefinition/></endEvent>'
    play = Play(pen.draw(body, "start>a start>b a>stop b>end"))
    play.complete("a")
    assert play.state.run.state is RunStatus.COMPLETED
    assert play.state.run.outcome == "stop"
    assert no_rows(play)
    cancelled = [e.element for e in play.history if e.event is HistoryEvent.CANCELLED]
    assert cancelled == ["b"]


def test_error_end_event_that_nothing_catches_fails_the_run(pen: Pen) -> None:
    body = pen.service("a") + '<endEvent id="bad"><errorEventDefinition errorRef="e"/></endEvent>'
    body += pen.gateway("parallel", "fork") + pen.service("b")
    declared = '<error id="e" errorCode="no-good"/>'
    play = Play(pen.draw(body, "start>fork fork>a fork>b a>bad b>end", declared))
    play.complete("a")
    assert play.state.run.state is RunStatus.FAILED
    assert play.state.run.outcome == "no-good"
    assert no_rows(play)


def endless(pen: Pen, condition: str) -> Play:
    body = pen.gateway("exclusive", "again", "again-end") + pen.gateway("exclusive", "back")
    body += pen.condition("again", "back", condition)
    return Play(pen.draw(body, "start>again back>again again>end"), {"go": True})


def test_a_thousand_moves_without_a_wait_are_an_incident(pen: Pen) -> None:
    play = endless(pen, "=go")
    (incident,) = play.state.incidents.values()
    assert incident.code == "livelock"
    assert all(t.state is TokenStatus.STOPPED for t in play.state.tokens.values())

    play.happen(IncidentRetried(incident_id=incident.id, actor="ann", variables={"go": False}))

    assert play.state.run.state is RunStatus.COMPLETED


def test_nine_hundred_elements_in_a_row_are_no_livelock(pen: Pen) -> None:
    names = [f"g{number}" for number in range(900)]
    body = "".join(pen.gateway("exclusive", name) for name in names)
    flows = " ".join(f"{a}>{b}" for a, b in pairwise(["start", *names, "end"]))
    play = Play(pen.draw(body, flows))
    assert play.state.run.state is RunStatus.COMPLETED


def test_a_cancelled_run_leaves_no_row_and_says_who_and_why(pen: Pen) -> None:
    play = forked(pen)
    play.happen(Cancelled(actor="ann", reason="the model is withdrawn"))
    assert play.state.run.state is RunStatus.TERMINATED
    assert no_rows(play)
    assert (play.history[-1].actor, play.history[-1].data["outcome"]) == (
        "ann",
        "the model is withdrawn",
    )
    with pytest.raises(AlreadyOverError) as caught:
        play.happen(Cancelled(actor="ann", reason="again"))
    assert caught.value.noun == "run"


SUB = """<subProcess id="sub"><extensionElements>{io}</extensionElements>
<startEvent id="in"/>{inner}<endEvent id="out"/>
<sequenceFlow id="in-a" sourceRef="in" targetRef="a"/><sequenceFlow id="a-out" sourceRef="a" targetRef="out"/>
</subProcess>"""


def test_sub_process_has_variables_of_its_own(pen: Pen) -> None:
    io = pen.mapping({"inside": "=x", "x": "=7"}, result="=found")
    play = Play(pen.draw(SUB.format(io=io, inner=pen.service("a")), "start>sub sub>end"), {"x": 1})
    assert play.job("a").inputs == {"x": 7, "inside": 1}

    play.complete("a", x=8, found="yes")

    # `x` is known inside and changes there; `found` is known nowhere and goes to the process.
    assert play.variables == {"x": 1, "found": "yes", "result": "yes"}
    assert play.passed == ["start", "in", "a", "out", "sub", "end"]


def test_error_end_event_is_caught_on_the_border_of_the_sub_process(pen: Pen) -> None:
    inner = pen.service("a").replace("</serviceTask>", "</serviceTask>")
    inner += '<endEvent id="bad"><errorEventDefinition errorRef="e"/></endEvent>'
    inner += '<sequenceFlow id="a-bad" sourceRef="a" targetRef="bad"/>'
    body = SUB.format(io="", inner=inner)
    body += '<boundaryEvent id="caught" attachedToRef="sub"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    body += pen.service("repair")
    play = Play(
        pen.draw(
            body, "start>sub sub>end caught>repair repair>end", '<error id="e" errorCode="x"/>'
        )
    )
    play.complete("a")
    assert play.at("repair") == 1
    assert len(play.state.tokens) == 1
    assert len(play.state.scopes) == 1


def test_failing_outputs_of_a_sub_process_are_an_incident_and_not_a_repetition(pen: Pen) -> None:
    body = SUB.format(io=pen.mapping(result="=boom"), inner=pen.service("a"))
    play = Play(pen.draw(body, "start>sub sub>end"))
    play.complete("a")
    (incident,) = play.state.incidents.values()
    assert (incident.element, play.at("a")) == ("sub", 0)

    play.happen(IncidentRetried(incident_id=incident.id, actor="ann"))

    assert (play.at("a"), play.at("sub"), len(play.state.incidents)) == (0, 1, 1)


def test_a_variable_must_have_a_json_form(pen: Pen) -> None:
    play = forked(pen)
    before = play.state
    with pytest.raises(VariableInvalidError) as caught:
        play.complete("a", model=object())
    assert caught.value.name == "model"
    assert play.state is before


def test_values_that_json_lacks_are_named(pen: Pen) -> None:
    definition = pen.draw(pen.service("a"), "start>a a>end")
    for value in (float("nan"), {1: "x"}, b"bytes", {"deep": [float("inf")]}):
        with pytest.raises(VariableInvalidError):
            Play(definition, {"value": value})


def test_a_start_event_must_be_named_where_there_are_several(pen: Pen) -> None:
    body = '<startEvent id="one"><signalEventDefinition signalRef="s"/></startEvent>'
    body += '<startEvent id="two"><messageEventDefinition messageRef="m"/></startEvent>'
    declared = '<signal id="s" name="snapshot-created"/><message id="m" name="ordered"/>'
    xml = pen.document(body + pen.service("a") + pen.end, declared, "one>a two>a a>end")
    definition = pen.read(xml)
    assert definition.start_signals == {"snapshot-created": "one"}
    assert definition.start_messages == {"ordered": "two"}
    assert Play(definition, event="two").at("a") == 1
    with pytest.raises(UnexpectedHappeningError):
        Play(definition)


def test_changes_of_a_step_are_only_what_changed(pen: Pen) -> None:
    play = forked(pen)
    before = play.state
    after = play.complete("a")
    assert after.run.revision == before.run.revision + 1
    assert after.scopes == before.scopes
    assert Rows().tokens == ()
    assert [e.sequence for e in play.history] == list(range(1, len(play.history) + 1))
