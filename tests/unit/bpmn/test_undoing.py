"""Compensation: what was completed is undone, the last first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.happenings import JobCompleted
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import RunStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

DECLARED = '<error id="e" errorCode="bad"/>'
ALL = "<compensateEventDefinition/>"


def flow(source: str, target: str) -> str:
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'


def undone(pen: Pen, host: str, handler: str = "") -> str:
    """Draw the compensation event of an activity, and the service task ``un-{host}`` that undoes it."""
    drawn = handler or pen.service(f"un-{host}").replace(
        "<serviceTask", '<serviceTask isForCompensation="true"'
    )
    return (
        f'<boundaryEvent id="c-{host}" attachedToRef="{host}">{ALL}</boundaryEvent>{drawn}'
        f'<association id="as-{host}" sourceRef="c-{host}" targetRef="un-{host}"/>'
    )


def throw(definition: str = ALL, kind: str = "intermediateThrowEvent") -> str:
    return f'<{kind} id="undo">{definition}</{kind}>'


def booked(pen: Pen, definition: str = ALL) -> Play:
    """Do ``a`` and ``b``, both of which can be undone, then order it."""
    body = pen.service("a") + pen.service("b") + undone(pen, "a") + undone(pen, "b")
    body += throw(definition) + pen.service("after")
    flows = "start>a a>b b>undo undo>after after>end"
    play = Play(pen.draw(body, flows), {"x": 1})
    play.complete("a")
    play.complete("b")
    return play


def test_what_was_completed_is_undone_one_after_the_other_the_last_first(pen: Pen) -> None:
    play = booked(pen)
    assert [job.element for job in play.state.jobs.values()] == ["un-b"]
    play.complete("un-b")
    assert [job.element for job in play.state.jobs.values()] == ["un-a"]
    assert play.at("undo") == 1

    play.complete("un-a")

    assert [t.element for t in play.state.tokens.values()] == ["after"]
    assert not play.state.compensations
    (line,) = [e for e in play.history if e.event is HistoryEvent.COMPENSATION_THROWN]
    assert line.data["activities"] == ["b", "a"]


def test_one_activity_alone_is_undone_where_it_is_named(pen: Pen) -> None:
    play = booked(pen, '<compensateEventDefinition activityRef="a"/>')
    assert [job.element for job in play.state.jobs.values()] == ["un-a"]
    play.complete("un-a")
    assert play.at("after") == 1
    assert [c.element for c in play.state.compensations.values()] == ["b"]


def test_what_was_not_done_is_not_undone(pen: Pen) -> None:
    body = pen.service("a") + undone(pen, "a") + throw() + pen.gateway("exclusive", "g", "g-undo")
    body += pen.condition("g", "a", "=false") + pen.service("after")
    play = Play(pen.draw(body, "start>g g>undo a>undo undo>after after>end"))
    assert play.at("after") == 1


def test_what_is_undone_is_undone_once(pen: Pen) -> None:
    body = pen.service("a") + undone(pen, "a") + throw()
    body += f'<endEvent id="again">{ALL}</endEvent>'
    xml = pen.document(pen.start + body, "", "start>a a>undo undo>again")
    play = Play(pen.read(xml))
    play.complete("a")
    play.complete("un-a")
    assert play.state.run.state is RunStatus.COMPLETED


def test_activity_that_was_done_twice_is_undone_twice(pen: Pen) -> None:
    body = pen.service("a") + undone(pen, "a") + throw() + pen.gateway("exclusive", "back")
    body += pen.gateway("exclusive", "g", "g-undo") + pen.condition("g", "back", "=more = true")
    play = Play(pen.draw(body, "start>back back>a a>g g>undo undo>end"), {"more": True})
    play.complete("a")
    play.complete("a", more=False)
    play.complete("un-a")
    assert play.at("un-a") == 1
    play.complete("un-a")
    assert play.state.run.state is RunStatus.COMPLETED


def test_compensation_end_event_undoes_before_it_ends(pen: Pen) -> None:
    body = pen.service("a") + undone(pen, "a") + throw(kind="endEvent")
    play = Play(pen.read(pen.document(pen.start + body, "", "start>a a>undo")))
    play.complete("a")
    assert play.at("undo") == 1
    play.complete("un-a")
    assert play.state.run.state is RunStatus.COMPLETED
    assert play.state.run.outcome == "undo"


def scoped(pen: Pen, definition: str = ALL, *, own: bool = False) -> Play:
    """Do ``b``, then ``a`` inside a sub-process, then order to undo outside."""
    inner = '<startEvent id="in"/>' + pen.service("a") + undone(pen, "a") + flow("in", "a")
    io = f"<extensionElements>{pen.mapping({'order': '=x'})}</extensionElements>"
    body = pen.service("b") + undone(pen, "b") + f'<subProcess id="sub">{io}{inner}</subProcess>'
    body += undone(pen, "sub") if own else ""
    body += throw(definition) + pen.service("after")
    play = Play(pen.draw(body, "start>b b>sub sub>undo undo>after after>end"), {"x": 7})
    play.complete("b")
    play.complete("a")
    return play


def test_what_was_done_in_a_completed_sub_process_is_undone_with_its_variables(pen: Pen) -> None:
    play = scoped(pen)
    assert play.job("un-a").inputs == {"x": 7, "order": 7}
    play.complete("un-a")
    assert play.job("un-b").inputs == {"x": 7}
    play.complete("un-b")
    assert play.at("after") == 1


def test_named_sub_process_is_undone_by_what_is_inside(pen: Pen) -> None:
    play = scoped(pen, '<compensateEventDefinition activityRef="sub"/>')
    play.complete("un-a")
    assert play.at("after") == 1


def test_sub_process_with_a_handler_of_its_own_is_undone_as_a_whole(pen: Pen) -> None:
    play = scoped(pen, own=True)
    assert play.at("un-sub") == 1
    play.complete("un-sub")
    assert play.at("un-b") == 1


def test_order_inside_a_sub_process_does_not_reach_outside(pen: Pen) -> None:
    inner = '<startEvent id="in"/>' + throw() + pen.service("c") + flow("in", "undo")
    inner += flow("undo", "c")
    body = pen.service("a") + undone(pen, "a") + f'<subProcess id="sub">{inner}</subProcess>'
    play = Play(pen.draw(body, "start>a a>sub sub>end"))
    play.complete("a")
    assert play.at("c") == 1


def test_event_sub_process_undoes_what_its_scope_did(pen: Pen) -> None:
    aside = (
        '<subProcess id="esp" triggeredByEvent="true"><startEvent id="on"><errorEventDefinition errorRef="e"/>'
        f"</startEvent>{throw()}<endEvent id='off'/>{flow('on', 'undo')}{flow('undo', 'off')}</subProcess>"
    )
    body = pen.service("a") + undone(pen, "a") + pen.service("b") + aside
    play = Play(pen.draw(body, "start>a a>b b>end", DECLARED))
    play.complete("a")

    play.refuse("b", "bad")

    assert [job.element for job in play.state.jobs.values()] == ["un-a"]
    play.complete("un-a")
    assert play.state.run.state is RunStatus.COMPLETED


def test_each_instance_of_a_repeated_activity_is_undone_with_its_item(pen: Pen) -> None:
    loop = (
        "<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics "
        'inputCollection="=items" inputElement="item"/></extensionElements></multiInstanceLoopCharacteristics>'
    )
    body = pen.service("a").replace("</serviceTask>", f"{loop}</serviceTask>") + undone(pen, "a")
    play = Play(pen.draw(body + throw(), "start>a a>undo undo>end"), {"items": ["x", "y"]})
    for job in list(play.state.jobs.values()):
        play.happen(JobCompleted(job_id=job.id, attempt=job.attempt))
    seen = []
    while play.state.run.state is RunStatus.ACTIVE:
        seen.append(play.job("un-a").inputs["item"])
        play.complete("un-a")
    assert seen == ["y", "x"]


def test_interrupted_sub_process_leaves_nothing_to_undo(pen: Pen) -> None:
    inner = '<startEvent id="in"/>' + pen.service("a") + undone(pen, "a") + pen.service("b")
    inner += flow("in", "a") + flow("a", "b")
    body = f'<subProcess id="sub">{inner}</subProcess>' + throw()
    body += '<boundaryEvent id="edge" attachedToRef="sub"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    play = Play(pen.draw(body, "start>sub sub>end edge>undo undo>end", DECLARED))
    play.complete("a")
    play.refuse("b", "bad")
    assert play.state.run.state is RunStatus.COMPLETED
    assert "un-a" not in play.passed


def test_handler_may_be_a_sub_process(pen: Pen) -> None:
    inner = '<startEvent id="in"/>' + pen.service("d") + flow("in", "d")
    handler = f'<subProcess id="un-a" isForCompensation="true">{inner}</subProcess>'
    body = pen.service("a") + undone(pen, "a", handler) + throw() + pen.service("after")
    play = Play(pen.draw(body, "start>a a>undo undo>after after>end"))
    play.complete("a")
    play.complete("d")
    assert play.at("after") == 1


@pytest.mark.parametrize(
    ("reference", "problem"),
    [("b", "and nothing says how"), ("start", "and nothing says how"), ("gone", "is no activity")],
)
def test_order_to_undo_what_cannot_be_undone_is_rejected(
    pen: Pen, reference: str, problem: str
) -> None:
    order = throw(f'<compensateEventDefinition activityRef="{reference}"/>')
    body = pen.service("a") + undone(pen, "a") + pen.service("b") + order
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(body, "start>a a>b b>undo undo>end")
    assert problem in caught.value.problems[0].problem


@pytest.mark.parametrize(
    ("body", "flows", "problem"),
    [
        (
            "{a}{b}" + ALL.join(('<boundaryEvent id="c" attachedToRef="a">', "</boundaryEvent>")),
            "start>a a>b b>end",
            "0 associations lead from it",
        ),
        ("{a}{un}", "start>a a>b b>end un-a>b", "has a flow or a boundary event"),
        ("{a}{un}", "start>a a>b b>end c-a>b", "a flow leaves a compensation event"),
        (
            '{a}<boundaryEvent id="c" attachedToRef="a">' + ALL + "</boundaryEvent>"
            '<association id="as" sourceRef="c" targetRef="b"/>',
            "start>a a>b b>end",
            "'b' is no activity beside it that undoes",
        ),
        (
            '{a}<manualTask id="x" isForCompensation="true"/>',
            "start>a a>b b>end",
            "no compensation event leads to it",
        ),
    ],
)
def test_compensation_that_undoes_nothing_is_rejected(
    pen: Pen, body: str, flows: str, problem: str
) -> None:
    drawn = body.format(a=pen.service("a"), b="", un=undone(pen, "a")) + pen.service("b")
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(drawn, flows)
    assert any(problem in p.problem for p in caught.value.problems)
