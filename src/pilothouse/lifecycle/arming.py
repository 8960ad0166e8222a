"""What is armed of a life cycle: the start events of the version that its group uses now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Condition, Message, Signal
from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.read import read
from pilothouse.bpmn.timers import Timer, schedule
from pilothouse.domain.lifecycles import DefinitionKind, DefinitionState, StartEvent, StartKind
from pilothouse.lifecycle.expressions import FeelExpressions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.bpmn.definition import Start
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import Definition
    from pilothouse.ports.unit_of_work import UnitOfWork

PREFIX = "sta"


def arm(work: UnitOfWork, *, group: GroupName, key: str) -> None:
    """
    Arm the start events of the latest active version of a group's life cycle, and disarm those of any other.

    What is armed already stays as it is: its timers go on from the moments that were planned.
    """
    current = _current(work, group=group, key=key)
    armed = work.start_events.of(group=group, key=key)
    if current is not None and {e.definition_id for e in armed} == {current.id}:
        return
    events = tuple(_events(work, current)) if current else ()
    if armed or events:
        work.start_events.replace(events, group=group, key=key)


def _current(work: UnitOfWork, *, group: GroupName, key: str) -> Definition | None:
    active = work.definitions.all(
        key=key, group=group, kind=DefinitionKind.BPMN, state=DefinitionState.ACTIVE
    )
    return max(active, key=lambda d: d.definition_version, default=None)


def _events(work: UnitOfWork, definition: Definition) -> Iterator[StartEvent]:
    process = read(definition.source, expressions=FeelExpressions())
    for start in process.starts:
        match start.trigger:
            case Timer():
                yield from _timer(work, definition, start, start.trigger)
            case Message(name=name):
                yield _event(work, definition, start, StartKind.MESSAGE, name.text)
            case Signal(name=name):
                yield _event(work, definition, start, StartKind.SIGNAL, name.text)
            case Condition():
                yield _event(work, definition, start, StartKind.CONDITION)
            case None:
                pass


def _event(
    work: UnitOfWork, definition: Definition, start: Start, kind: StartKind, name: str = ""
) -> StartEvent:
    return StartEvent(
        id=work.new_id(PREFIX),
        definition_id=definition.id,
        group=definition.group,
        key=definition.key,
        kind=kind,
        element=start.id,
        name=name,
    )


def _timer(
    work: UnitOfWork, definition: Definition, start: Start, timer: Timer
) -> Iterator[StartEvent]:
    """Arm a timer, and say until when in the audit; what had to fire before now is used up."""
    try:
        armed = schedule(timer, {}, at=work.at)
    except ExpressionFailedError:
        armed = None  # all moments of the series have passed
    due_at = armed.due_at if armed is not None and armed.due_at >= work.at else None
    work.audit.record(
        "arm",
        noun="lifecycle",
        subject=definition.id,
        group=definition.group,
        detail={"name": definition.full_name, "element": start.id, "due_at": due_at},
    )
    if armed is not None and due_at is not None:
        yield StartEvent(
            id=work.new_id(PREFIX),
            definition_id=definition.id,
            group=definition.group,
            key=definition.key,
            kind=StartKind.TIMER,
            element=start.id,
            due_at=due_at,
            period=armed.period,
            repeats_left=armed.repeats_left,
        )
