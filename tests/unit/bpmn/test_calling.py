"""Call activities: another life cycle is started by a job, and its end is the end of the activity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import RunStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen


def call(pen: Pen, attributes: str = 'processId="intake"', io: str = "") -> Play:
    body = (
        f'<callActivity id="a"><extensionElements><zeebe:calledElement {attributes}/>{io}</extensionElements>'
        '</callActivity><boundaryEvent id="no" attachedToRef="a"><errorEventDefinition errorRef="e"/>'
        "</boundaryEvent>" + pen.service("b")
    )
    flows = "start>a a>end no>b b>end"
    return Play(pen.draw(body, flows, '<error id="e" errorCode="bad"/>'), {"x": 1, "key": "intake"})


def ended(play: Play, **variables: object) -> None:
    play.complete("a", life_cycle={"id": "run_2", "outcome": "end", "variables": variables})


def test_called_life_cycle_begins_with_all_variables(pen: Pen) -> None:
    job = call(pen).job("a")
    assert job.topic == "start-life-cycle"
    assert job.inputs == {"definition": "intake", "variables": {"x": 1, "key": "intake"}}


def test_called_life_cycle_may_be_named_by_an_expression(pen: Pen) -> None:
    assert call(pen, 'processId="=key"').job("a").inputs["definition"] == "intake"


def test_called_life_cycle_may_be_named_by_the_attribute_of_bpmn(pen: Pen) -> None:
    body = '<callActivity id="a" calledElement="ns:intake"/>'
    play = Play(pen.draw(body, "start>a a>end"))
    assert play.job("a").inputs["definition"] == "intake"


def test_only_mapped_variables_go_in_where_the_drawing_says_so(pen: Pen) -> None:
    attributes = 'processId="intake" propagateAllParentVariables="false"'
    play = call(pen, attributes, pen.mapping({"y": "=x"}))
    assert play.job("a").inputs["variables"] == {"y": 1}


def test_what_the_called_life_cycle_ended_with_comes_back(pen: Pen) -> None:
    play = call(pen)
    ended(play, x=2, z=3)
    assert play.variables == {"x": 2, "key": "intake", "z": 3}


def test_nothing_comes_back_where_the_drawing_says_so(pen: Pen) -> None:
    play = call(pen, 'processId="intake" propagateAllChildVariables="false"')
    ended(play, x=2)
    assert play.variables == {"x": 1, "key": "intake"}


def test_only_mapped_variables_come_back_where_something_is_mapped(pen: Pen) -> None:
    play = call(pen, io=pen.mapping(verdict="=z", run="=life_cycle.id"))
    ended(play, x=2, z=3)
    assert play.variables == {"x": 1, "key": "intake", "verdict": 3, "run": "run_2"}


def test_error_of_the_called_life_cycle_is_caught_at_the_activity(pen: Pen) -> None:
    play = call(pen)
    play.refuse("a", "bad")
    assert play.at("b") == 1


def test_answer_without_variables_is_an_incident(pen: Pen) -> None:
    play = call(pen)
    play.complete("a")
    (incident,) = play.state.incidents.values()
    assert incident.code == "expression-failed"
    assert play.state.run.state is RunStatus.ACTIVE


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        ("", "says of no life cycle"),
        ("<zeebe:calledElement/>", "process id is missing"),
        (
            '<zeebe:calledElement processId="x" bindingType="deployment"/>',
            "another version than the latest",
        ),
    ],
)
def test_call_of_nothing_clear_is_rejected(pen: Pen, inner: str, problem: str) -> None:
    body = f'<callActivity id="a"><extensionElements>{inner}</extensionElements></callActivity>'
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(body, "start>a a>end")
    assert problem in caught.value.problems[0].problem
