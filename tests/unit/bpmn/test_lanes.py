"""Lanes that are named after roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.definition import Human
from pilothouse.bpmn.errors import DefinitionRejectedError

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

WHO = "<extensionElements><zeebe:assignmentDefinition {}/></extensionElements>"


def lane(name: str, *nodes: str, identity: str = "lane", inner: str = "") -> str:
    held = "".join(f"<flowNodeRef>{node}</flowNodeRef>" for node in nodes)
    nested = f"<childLaneSet>{inner}</childLaneSet>" if inner else ""
    return f'<lane id="{identity}" name="{name}">{held}{nested}</lane>'


def roles(pen: Pen, lanes: str, task: str = '<userTask id="ask"/>') -> str | None:
    """Give the candidate roles of the task ``ask``, as they are read."""
    drawn = f"<laneSet>{lanes}</laneSet>{task}"
    node = pen.draw(drawn, "start>ask ask>end").nodes["ask"]
    assert isinstance(node, Human)
    return node.candidate_roles.text if node.candidate_roles else None


@pytest.mark.parametrize("name", ["validator", "Validator", "VALIDATOR"])
def test_a_task_in_a_lane_named_after_a_role_is_for_that_role(pen: Pen, name: str) -> None:
    assert roles(pen, lane(name, "ask")) == "validator"


@pytest.mark.parametrize("name", ["model-owner", "Model Owner", "model_owner"])
def test_blanks_and_underscores_stand_for_hyphens(pen: Pen, name: str) -> None:
    assert roles(pen, lane(name, "ask")) == "model-owner"


def test_the_id_of_a_lane_may_be_the_role(pen: Pen) -> None:
    assert roles(pen, lane("Second line", "ask", identity="validator")) == "validator"


def test_a_lane_of_another_name_says_nothing(pen: Pen) -> None:
    assert roles(pen, lane("Sales", "ask") + lane("validator", "start", identity="other")) is None


def test_the_inner_lane_counts_and_else_the_outer(pen: Pen) -> None:
    inner = lane("operator", "ask", identity="inner")
    assert roles(pen, lane("validator", "ask", inner=inner)) == "operator"
    plain = lane("Team A", "ask", identity="inner")
    assert roles(pen, lane("validator", inner=plain)) == "validator"


@pytest.mark.parametrize(
    ("given", "expected"),
    [('candidateGroups="auditor"', "auditor"), ('candidateUsers="=author"', None)],
)
def test_candidates_that_are_named_are_not_widened(
    pen: Pen, given: str, expected: str | None
) -> None:
    task = f'<userTask id="ask">{WHO.format(given)}</userTask>'
    assert roles(pen, lane("validator", "ask"), task) == expected


def test_what_stands_in_a_sub_process_stands_in_its_lane(pen: Pen) -> None:
    inner = (
        '<subProcess id="inner"><startEvent id="in"/><userTask id="ask"/><endEvent id="out"/>'
        '<sequenceFlow id="a" sourceRef="in" targetRef="ask"/><sequenceFlow id="b" sourceRef="ask" targetRef="out"/>'
        "</subProcess>"
    )
    lanes = f"<laneSet>{lane('validator', 'inner')}</laneSet>"
    node = pen.draw(lanes + inner, "start>inner inner>end").nodes["ask"]
    assert isinstance(node, Human)
    assert node.candidate_roles is not None
    assert node.candidate_roles.text == "validator"


def test_a_task_in_lanes_of_two_roles_is_rejected(pen: Pen) -> None:
    with pytest.raises(DefinitionRejectedError) as refused:
        roles(pen, lane("validator", "ask") + lane("operator", "ask", identity="other"))
    (found,) = refused.value.problems
    assert (found.element, "operator, validator" in found.problem) == ("ask", True)
