"""Drawings without structure: whatever is drawn, rows fit together, and a run that stands still says why."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.bpmn.happenings import TimerDue
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import BODIES, JobKind, JobStatus, RunState, RunStatus, TokenStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.drawing import Pen

KINDS = ("service", "edged", "sub", "each", "exclusive", "inclusive", "parallel", "throw")
NODES = st.lists(st.sampled_from(KINDS), min_size=2, max_size=9)
DECLARED = '<escalation id="up" escalationCode="up"/><error id="e" errorCode="bad"/><signal id="s" name="s"/>'
UP = '<escalationEventDefinition escalationRef="up"/>'
LOOP = (
    "<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics "
    'inputCollection="=[1, 2]"/></extensionElements></multiInstanceLoopCharacteristics>'
)


def drawn(pen: Pen, kinds: list[str], aside: bool, dice: Random) -> Definition:
    """Draw nodes in a row, each with flows from one or two of those before it."""
    names = [f"{kind}{number}" for number, kind in enumerate(kinds)]
    body = "".join(map(partial(node, pen), kinds, names))
    flows: list[tuple[str, str]] = []
    for number, name in enumerate(names):
        before = ["start"] if number == 0 else names[:number]
        chosen = dice.sample(before, k=min(len(before), dice.choice((1, 1, 2))))
        flows += [(source, name) for source in chosen]
    loose = [name for name in names if name not in {source for source, _ in flows}]
    flows += [(name, "end") for name in loose]
    for name, kind in zip(names, kinds, strict=True):
        if kind == "edged":
            flows.append((f"late{name}", dice.choice((*names[names.index(name) + 1 :], "end"))))
    body += "".join(flow(pen, source, target, dice) for source, target in dict.fromkeys(flows))
    return pen.draw(body + (listener(pen) if aside else ""), "", DECLARED)


def flow(pen: Pen, source: str, target: str, dice: Random) -> str:
    if source.startswith("inclusive"):
        return pen.condition(source, target, dice.choice(("=true", "=false", "=true")))
    if source.startswith("exclusive"):
        return pen.condition(source, target, dice.choice(("=true", "=false")))
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'


def node(pen: Pen, kind: str, name: str) -> str:
    match kind:
        case "edged":
            timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
            return pen.service(name) + (
                f'<boundaryEvent id="late{name}" attachedToRef="{name}" cancelActivity="false">{timer}</boundaryEvent>'
            )
        case "sub" | "each":
            inner = f'<startEvent id="in{name}"/>{pen.service(f"do{name}")}'
            inner += f'<intermediateThrowEvent id="up{name}">{UP}</intermediateThrowEvent>'
            for source, target in ((f"in{name}", f"do{name}"), (f"do{name}", f"up{name}")):
                inner += f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'
            return f'<subProcess id="{name}">{LOOP if kind == "each" else ""}{inner}</subProcess>'
        case "throw":
            return f'<intermediateThrowEvent id="{name}"/>'
        case "service":
            return pen.service(name)
        case _:
            return pen.gateway(kind, name)


def listener(pen: Pen) -> str:
    parts = []
    for name, flag, definition in (
        ("slow", ' isInterrupting="false"', UP),
        ("bad", "", '<errorEventDefinition errorRef="e"/>'),
        ("told", "", '<signalEventDefinition signalRef="s"/>'),
    ):
        parts.append(
            f'<subProcess id="{name}" triggeredByEvent="true"><startEvent id="on{name}"{flag}>{definition}'
            f"</startEvent>{pen.service(f'do{name}')}"
            f'<sequenceFlow id="f{name}" sourceRef="on{name}" targetRef="do{name}"/></subProcess>'
        )
    return "".join(parts)


def moves(play: Play, dice: Random) -> list[Callable[[], object]]:
    found: list[Callable[[], object]] = []
    for job in play.state.jobs.values():
        if job.state is not JobStatus.READY:
            continue
        if job.kind is JobKind.TIMER:
            found.append(partial(fire, play, job.id))
        elif dice.random() < 0.1:
            found.append(partial(play.refuse, job.element, "bad"))
        else:
            found.append(partial(play.complete, job.element))
    if dice.random() < 0.02:
        found += [partial(play.tell, s.element) for s in play.state.subscriptions.values()]
    return found


def fire(play: Play, timer: str) -> None:
    play.now = max(play.now, play.state.jobs[timer].due_at)
    play.happen(TimerDue(job_id=timer))


def check_rows(state: RunState) -> None:
    tokens, scopes = state.tokens, state.scopes
    assert all(t.state is not TokenStatus.MOVING and t.scope_id in scopes for t in tokens.values())
    assert all(s.parent_id is None or s.parent_id in scopes for s in scopes.values())
    assert all(s.token_id is None or s.token_id in tokens for s in scopes.values())
    hanging = {
        *(job.token_id for job in state.jobs.values()),
        *(subscription.token_id for subscription in state.subscriptions.values()),
        *(incident.token_id for incident in state.incidents.values()),
    }
    assert hanging <= tokens.keys()
    assert all(v.scope_id in scopes for v in state.variables.values())
    assert all(c.scope_id in scopes for c in state.compensations.values())
    held = hanging | {scope.token_id for scope in scopes.values()}
    assert all(t.id in held for t in tokens.values() if t.state is TokenStatus.WAITING)
    for scope in scopes.values():
        inside = [t for t in tokens.values() if t.scope_id == scope.id]
        assert any(t.state is not TokenStatus.LISTENING for t in inside)
        assert scope.kind not in BODIES or all(t.element == scope.element for t in inside)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kinds=NODES, aside=st.booleans(), seed=st.integers(0, 10_000))
def test_a_run_that_stands_still_has_ended_or_an_incident(
    pen: Pen, kinds: list[str], aside: bool, seed: int
) -> None:
    dice = Random(seed)  # noqa: S311 - a test's dice
    play = Play(drawn(pen, kinds, aside, dice))
    for _ in range(400):
        check_rows(play.state)
        possible = moves(play, dice)
        if not possible:
            break
        dice.choice(possible)()
    else:
        return  # so many tokens that it takes longer; the rows have fitted all the way
    assert play.state.run.state is not RunStatus.ACTIVE or play.state.incidents
    assert play.state.run.state is RunStatus.ACTIVE or not play.state.scopes
