"""Variables that a person changes while a run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import (
    ExpressionFailedError,
    ScopeUnknownError,
    VariableInvalidError,
    VariableUnknownError,
)
from pilothouse.bpmn.happenings import Suspended, VariablesEdited
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen


def edited(
    play: Play, scope: str | None = None, remove: tuple[str, ...] = (), **given: object
) -> None:
    play.happen(
        VariablesEdited(actor="opal", reason="mend", given=given, removed=remove, scope=scope)
    )


def in_sub(pen: Pen) -> Play:
    inner = f'<startEvent id="in"/>{pen.service("a")}<sequenceFlow id="in-a" sourceRef="in" targetRef="a"/>'
    body = f'<subProcess id="sub">{inner}</subProcess>'
    return Play(pen.draw(body, "start>sub sub>end"), {"x": 1, "digest": "d1"})


def test_variables_of_the_process_are_set_and_removed_and_the_history_says_so(pen: Pen) -> None:
    play = in_sub(pen)

    edited(play, remove=("x",), y=2)

    assert play.variables == {"y": 2, "digest": "d1"}
    last = play.history[-1]
    assert (last.event, last.actor) == (HistoryEvent.VARIABLES_CHANGED, "opal")
    assert last.data == {"variables": {"y": 2}, "removed": ["x"], "reason": "mend"}


def test_a_scope_is_named_by_its_element_or_its_id_and_hides_what_is_outside(pen: Pen) -> None:
    play = in_sub(pen)
    scope = next(s.id for s in play.state.scopes.values() if s.parent_id)

    edited(play, scope="sub", x=5)
    edited(play, scope=scope, z=6)

    assert play.state.variables[f"{scope}/x"].value == 5
    assert play.state.variables[f"{scope}/z"].value == 6
    assert play.variables["x"] == 1


@pytest.mark.parametrize("given", [{"digest": "d2"}, {"remove": ("digest",)}])
def test_what_the_run_is_about_stays(pen: Pen, given: dict[str, object]) -> None:
    play = in_sub(pen)
    with pytest.raises(ExpressionFailedError):
        edited(play, **given)  # type: ignore[arg-type]
    assert play.variables["digest"] == "d1"


def test_wrong_scopes_and_variables_are_refused_with_those_that_are_there(pen: Pen) -> None:
    play = in_sub(pen)
    with pytest.raises(ScopeUnknownError) as scope:
        edited(play, scope="other", x=1)
    with pytest.raises(VariableUnknownError) as variable:
        edited(play, remove=("q",))
    with pytest.raises(VariableInvalidError):
        edited(play, x=object())
    assert "(sub)" in scope.value.known[0]
    assert variable.value.known == ("digest", "x")


def test_variables_of_a_suspended_run_can_be_changed(pen: Pen) -> None:
    play = in_sub(pen)
    play.happen(Suspended(actor="opal", reason="wait"))
    edited(play, x=9)
    assert play.variables["x"] == 9
