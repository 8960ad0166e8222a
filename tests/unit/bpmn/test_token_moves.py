"""Tokens that a person moves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import MoveRefusedError
from pilothouse.bpmn.happenings import Resumed, Suspended, TokensMoved
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import RunStatus, TokenStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

EACH = (
    '<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="=pair"/>'
    "</extensionElements></multiInstanceLoopCharacteristics>"
)
DECLARED = '<signal id="s" name="called"/>'


def moved(play: Play, cancel: str = "", begin: str = "") -> None:
    order = TokensMoved(
        actor="opal",
        reason="stuck",
        cancelled=tuple(cancel.split()),
        begun=tuple(begin.split()),
    )
    play.happen(order)


def sub(pen: Pen, more: str = "") -> str:
    late = (
        '<boundaryEvent id="late" attachedToRef="sub"><timerEventDefinition><timeDuration>PT5M</timeDuration>'
        "</timerEventDefinition></boundaryEvent>"
    )
    flows = "".join(
        f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>'
        for a, b in (("in", "x"), ("x", "y"), ("y", "out"))
    )
    inner = f'<startEvent id="in"/>{pen.service("x")}{pen.service("y")}<endEvent id="out"/>{flows}'
    mapped = (
        '<extensionElements><zeebe:ioMapping><zeebe:input source="=base" target="own"/></zeebe:ioMapping>'
        "</extensionElements>"
    )
    return f'<subProcess id="sub">{mapped}{more}{inner}</subProcess>{late}'


def drawn(pen: Pen, more: str = "") -> Play:
    fork = pen.gateway("parallel", "fork") + pen.gateway("parallel", "join")
    body = pen.service("a") + sub(pen, more) + fork + pen.service("b") + pen.service("c")
    flows = "start>a a>sub sub>fork fork>b fork>c b>join c>join join>end late>end"
    return Play(pen.draw(body, flows, DECLARED), {"base": 3})


def test_a_token_is_moved_over_what_it_need_not_do(pen: Pen) -> None:
    play = drawn(pen)

    moved(play, cancel="a", begin="fork")

    assert (play.at("a"), play.at("b"), play.at("c")) == (0, 1, 1)
    (line,) = [e for e in play.history if e.event is HistoryEvent.TOKENS_MOVED]
    assert line.data == {"cancelled": ["a"], "begun": ["fork"], "reason": "stuck"}
    assert line.actor == "opal"
    play.complete("b")
    play.complete("c")
    assert play.state.run.state is RunStatus.COMPLETED


def test_the_scope_around_an_element_is_opened_with_its_inputs_and_its_events(pen: Pen) -> None:
    aside = (
        '<subProcess id="aside" triggeredByEvent="true"><startEvent id="on" isInterrupting="false">'
        f'<signalEventDefinition signalRef="s"/></startEvent>{pen.service("more")}'
        '<sequenceFlow id="f" sourceRef="on" targetRef="more"/></subProcess>'
    )
    play = drawn(pen, aside)

    moved(play, cancel="a", begin="y")

    assert (play.at("sub"), play.at("y"), play.at("x")) == (1, 1, 0)
    scope = next(s for s in play.state.scopes.values() if s.element == "sub")
    assert play.state.variables[f"{scope.id}/own"].value == 3
    assert play.subscription("on").name == "called"
    assert play.job("late").element == "late"
    play.complete("y")
    assert (play.at("sub"), play.at("b")) == (0, 1)


def test_an_open_scope_is_used_and_one_that_is_left_empty_is_closed(pen: Pen) -> None:
    play = drawn(pen)
    play.complete("a")
    moved(play, cancel="x", begin="y")
    assert len(play.state.scopes) == 2

    moved(play, cancel="y", begin="c")

    assert len(play.state.scopes) == 1
    assert [t.element for t in play.state.tokens.values()] == ["c"]
    assert not [j for j in play.state.jobs.values() if j.element == "late"]


def test_a_repeated_activity_is_cancelled_as_a_whole(pen: Pen) -> None:
    task = pen.service("a").replace("</serviceTask>", f"{EACH}</serviceTask>")
    play = Play(pen.draw(task + pen.service("b"), "start>a a>b b>end"), {"pair": [1, 2]})
    moved(play, cancel="a", begin="b")
    assert [t.element for t in play.state.tokens.values()] == ["b"]
    assert len(play.state.jobs) == len(play.state.scopes) == 1


@pytest.mark.parametrize(
    ("cancel", "begin", "problem"),
    [
        ("", "", "names no element"),
        ("b", "a", "has no token to cancel"),
        ("", "nowhere", "is no element of the drawing"),
        ("a", "late", "hangs on sub"),
        ("a", "join", "joins branches"),
        ("a", "", "is all that is left of the run"),
        ("a", "aside", "is opened by its event alone"),
        ("a", "on", "is opened by its event alone"),
        ("a", "more", "which only its event opens"),
    ],
)
def test_what_would_confuse_the_run_is_refused(
    pen: Pen, cancel: str, begin: str, problem: str
) -> None:
    aside = (
        '<subProcess id="aside" triggeredByEvent="true"><startEvent id="on" isInterrupting="false">'
        f'<signalEventDefinition signalRef="s"/></startEvent>{pen.service("more")}'
        '<sequenceFlow id="f" sourceRef="on" targetRef="more"/></subProcess>'
    )
    play = drawn(pen, aside)
    before = play.state

    with pytest.raises(MoveRefusedError) as refused:
        moved(play, cancel, begin)

    assert problem in refused.value.problem
    assert refused.value.cure
    assert play.state == before


def test_an_element_inside_of_a_repetition_is_not_begun_and_its_last_token_not_cancelled(
    pen: Pen,
) -> None:
    body = pen.service("a") + sub(pen).replace("</subProcess>", f"{EACH}</subProcess>")
    play = Play(pen.draw(body, "start>a a>sub sub>end late>end"), {"pair": [1, 2], "base": 1})
    with pytest.raises(MoveRefusedError, match="which is repeated"):
        moved(play, begin="y")
    play.complete("a")
    with pytest.raises(MoveRefusedError, match="of which 2 are open"):
        moved(play, begin="y")
    with pytest.raises(MoveRefusedError, match="Cancel sub as a whole"):
        moved(play, cancel="x", begin="a")


def test_what_is_moved_in_a_suspended_run_is_begun_when_it_is_resumed(pen: Pen) -> None:
    play = drawn(pen)
    play.happen(Suspended(actor="opal", reason="mend"))

    moved(play, cancel="a", begin="y")

    assert ("y", TokenStatus.HELD) in [(t.element, t.state) for t in play.state.tokens.values()]
    play.happen(Resumed(actor="opal", reason="mended"))
    play.advance(timedelta(minutes=1))
    play.complete("y")
    assert play.at("b") == 1
