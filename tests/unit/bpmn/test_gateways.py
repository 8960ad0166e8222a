"""Inclusive gateways: who is waited for; event-based gateways: who is first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import AlreadyOverError, DefinitionRejectedError
from pilothouse.bpmn.happenings import IncidentRetried, TimerDue
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import RunStatus, TokenStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

DECLARED = (
    '<message id="m" name="paid"><extensionElements><zeebe:subscription correlationKey="=key"/>'
    '</extensionElements></message><signal id="s" name="alert"/>'
)
JOINED = "start>fork a>join b>join c>join join>after after>end"


def forked(pen: Pen, default: str = "", more: str = "", **variables: object) -> Play:
    body = pen.gateway("inclusive", "fork", default) + pen.gateway("inclusive", "join") + more
    body += "".join(pen.service(name) for name in ("a", "b", "c", "after"))
    for name in ("a", "b", "c"):
        if default == f"fork-{name}":
            body += f'<sequenceFlow id="fork-{name}" sourceRef="fork" targetRef="{name}"/>'
        else:
            body += pen.condition("fork", name, f"={name} = true")
    return Play(pen.draw(body, JOINED), variables)


def test_inclusive_gateway_takes_every_flow_that_holds(pen: Pen) -> None:
    play = forked(pen, a=True, c=True)
    assert [play.at(name) for name in ("a", "b", "c")] == [1, 0, 1]


def test_inclusive_gateway_takes_the_default_where_nothing_holds(pen: Pen) -> None:
    play = forked(pen, default="fork-b")
    assert [play.at(name) for name in ("a", "b", "c")] == [0, 1, 0]


def test_inclusive_gateway_leaves_the_default_where_something_holds(pen: Pen) -> None:
    play = forked(pen, default="fork-b", a=True)
    assert [play.at(name) for name in ("a", "b", "c")] == [1, 0, 0]


def test_inclusive_gateway_where_nothing_matches_is_an_incident(pen: Pen) -> None:
    play = forked(pen, a=False)
    (incident,) = play.state.incidents.values()
    assert (incident.code, incident.element) == ("no-flow-matches", "fork")

    play.happen(IncidentRetried(incident_id=incident.id, actor="ann", variables={"b": True}))

    assert play.at("b") == 1


def test_inclusive_flow_without_condition_is_always_taken(pen: Pen) -> None:
    body = pen.gateway("inclusive", "fork") + pen.service("a") + pen.service("b")
    body += pen.condition("fork", "a", "=false")
    play = Play(pen.draw(body, "start>fork fork>b a>end b>end"))
    assert (play.at("a"), play.at("b")) == (0, 1)


def test_inclusive_join_waits_for_the_branches_that_were_taken_alone(pen: Pen) -> None:
    play = forked(pen, a=True, c=True)
    play.complete("a")
    assert (play.at("join"), play.at("after")) == (1, 0)

    play.complete("c")

    assert (play.at("join"), play.at("after")) == (0, 1)
    play.complete("after")
    assert play.state.run.state is RunStatus.COMPLETED


def test_inclusive_join_of_one_branch_goes_on_at_once(pen: Pen) -> None:
    play = forked(pen, b=True)
    play.complete("b")
    assert play.at("after") == 1


def test_inclusive_join_goes_on_when_the_last_branch_ends_elsewhere(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + pen.gateway("inclusive", "join")
    body += pen.gateway("exclusive", "choice", "choice-out") + '<endEvent id="out"/>'
    body += pen.service("a") + pen.service("b") + pen.service("after")
    body += pen.condition("choice", "join", "=stay = true")
    flows = "start>fork fork>a fork>b a>join b>choice choice>out join>after after>end"
    play = Play(pen.draw(body, flows))
    play.complete("a")
    assert play.at("after") == 0

    play.complete("b")

    assert play.at("after") == 1


def test_inclusive_join_waits_for_what_a_boundary_event_may_still_bring(pen: Pen) -> None:
    timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    body = pen.gateway("parallel", "fork") + pen.gateway("inclusive", "join")
    body += pen.service("a") + pen.service("b") + pen.service("after") + '<endEvent id="out"/>'
    body += f'<boundaryEvent id="late" attachedToRef="b">{timer}</boundaryEvent>'
    flows = "start>fork fork>a fork>b a>join b>out late>join join>after after>end"
    play = Play(pen.draw(body, flows))
    play.complete("a")
    assert play.at("join") == 1

    play.complete("b")

    assert play.at("after") == 1


def test_inclusive_join_waits_for_a_token_that_may_loop_back(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + pen.gateway("inclusive", "join")
    body += pen.service("a") + pen.service("b") + pen.service("after")
    body += pen.gateway("exclusive", "again", "again-join") + pen.gateway("exclusive", "back")
    body += pen.condition("again", "back", "=more = true")
    flows = "start>fork fork>a fork>back back>b b>again again>join a>join join>after after>end"
    play = Play(pen.draw(body, flows), {"more": True})
    play.complete("a")
    play.complete("b")
    assert (play.at("b"), play.at("join"), play.at("after")) == (1, 1, 0)

    play.complete("b", more=False)

    assert (play.at("join"), play.at("after")) == (0, 1)


def test_inclusive_join_does_not_wait_for_a_token_that_could_join_where_one_stands(
    pen: Pen,
) -> None:
    # `b` can reach the flow that is missing, but as well the one that has its token (13.4.3).
    body = pen.gateway("parallel", "fork") + pen.gateway("inclusive", "join")
    body += pen.gateway("exclusive", "met") + pen.gateway("exclusive", "side", "side-met")
    body += pen.service("a") + pen.service("b") + pen.service("after")
    body += pen.condition("side", "join", "=side = true")
    flows = "start>fork fork>a fork>b a>met met>join b>side side>met join>after after>end"
    play = Play(pen.draw(body, flows))
    play.complete("a")
    assert (play.at("after"), play.at("b")) == (1, 1)


def test_joins_that_wait_for_one_another_are_an_incident(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + pen.gateway("inclusive", "one")
    body += pen.gateway("inclusive", "two") + pen.service("a") + pen.service("b")
    flows = "start>fork fork>a fork>b a>one b>two one>two two>one one>end"
    play = Play(pen.draw(body, flows))
    play.complete("a")
    play.complete("b")
    (incident,) = play.state.incidents.values()
    assert incident.code == "join-starved"


def test_second_token_of_a_flow_waits_for_the_next_round_of_an_inclusive_join(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + pen.gateway("inclusive", "join")
    body += pen.service("a") + pen.service("b") + pen.service("after")
    body += '<sequenceFlow id="again" sourceRef="fork" targetRef="a"/>'
    play = Play(pen.draw(body, "start>fork fork>a fork>b a>join b>join join>after after>end"))
    play.complete("a")
    play.complete("a")
    assert play.at("join") == 2

    play.complete("b")

    assert [t.element for t in play.state.tokens.values()] == ["after", "after"]


EVENTS = (
    '<eventBasedGateway id="first"/>'
    '<receiveTask id="paid" messageRef="m"/>'
    '<intermediateCatchEvent id="alert"><signalEventDefinition signalRef="s"/></intermediateCatchEvent>'
    '<intermediateCatchEvent id="late"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
    "</timerEventDefinition></intermediateCatchEvent>"
)
FIRST = "start>first first>paid first>alert first>late paid>a alert>b late>c a>end b>end c>end"


def racing(pen: Pen) -> Play:
    body = EVENTS + "".join(pen.service(name) for name in ("a", "b", "c"))
    return Play(pen.draw(body, FIRST, DECLARED), {"key": "k1"})


def test_event_based_gateway_waits_for_all_of_its_events_with_one_token(pen: Pen) -> None:
    play = racing(pen)
    (token,) = play.state.tokens.values()
    assert (token.element, token.state) == ("first", TokenStatus.WAITING)
    assert {s.element for s in play.state.subscriptions.values()} == {"paid", "alert"}
    assert play.job("late").token_id == token.id


@pytest.mark.parametrize(("event", "after"), [("paid", "a"), ("alert", "b")])
def test_first_event_after_the_gateway_wins(pen: Pen, event: str, after: str) -> None:
    play = racing(pen)
    timer = play.job("late").id

    play.tell(event, amount=5)

    assert [t.element for t in play.state.tokens.values()] == [after]
    assert not play.state.subscriptions
    assert play.job(after).inputs["amount"] == 5
    assert play.passed == ["start", "first", event]
    with pytest.raises(AlreadyOverError):
        play.happen(TimerDue(job_id=timer))


def test_timer_after_the_gateway_wins_where_nothing_came(pen: Pen) -> None:
    play = racing(pen)
    play.advance(timedelta(hours=1))
    assert play.at("c") == 1
    fired = [e for e in play.history if e.event is HistoryEvent.TIMER_FIRED]
    assert [e.element for e in fired] == ["late"]


@pytest.mark.parametrize(
    ("body", "flows", "element", "problem"),
    [
        (EVENTS, "start>first first>paid paid>end alert>end late>end", "first", "one event alone"),
        (
            EVENTS,
            "start>first first>paid first>end paid>end first>alert first>late alert>end late>end",
            "end",
            "no catch event of its own",
        ),
        (
            EVENTS,
            "start>first first>paid first>alert first>late paid>late alert>end late>end",
            "late",
            "no catch event of its own",
        ),
        (
            EVENTS.replace('id="first"', 'id="first" instantiate="true"'),
            FIRST,
            "first",
            "it would start a run",
        ),
        (
            EVENTS.replace('id="first"', 'id="first" eventGatewayType="Parallel"'),
            FIRST,
            "first",
            "it waits for all of its events",
        ),
    ],
)
def test_event_based_gateway_that_decides_nothing_is_rejected(
    pen: Pen, body: str, flows: str, element: str, problem: str
) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(body, flows, DECLARED)
    assert any(p.element == element and problem in p.problem for p in caught.value.problems)
