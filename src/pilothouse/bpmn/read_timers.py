"""Timers from XML: a duration, a date or a cycle, with the zone that it is meant in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.expressions import Value
from pilothouse.bpmn.timers import Timer, TimerKind, read_schedule
from pilothouse.bpmn.xml import Element, Namespace, name_of
from pilothouse.bpmn.zones import zone_named

if TYPE_CHECKING:
    from pilothouse.bpmn.reading import Reading

NOTHING = Value(text="")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""A literal series that has passed already at this day can never fire."""
TIME_ZONE = f"{{{Namespace.PILOTHOUSE}}}timeZone"


def read_timer(reading: Reading, definition: Element, *, cyclic: bool) -> Timer:
    """
    Read a timerEventDefinition.

    Its zone is the ``pilothouse:timeZone`` of the definition itself or of the nearest element around it, so that
    one on the process holds for all timers.
    """
    given = [
        (TimerKind(name_of(child).local), child)
        for child in definition.iterchildren(etree.Element)
        if name_of(child).local in list(TimerKind)
    ]
    if len(given) != 1:
        reading.reject(
            definition, "the timer has not one duration, date or cycle", "Give it exactly one."
        )
        return Timer(kind=TimerKind.DURATION, value=NOTHING)
    kind, element = given[0]
    if kind is TimerKind.CYCLE and not cyclic:
        reading.reject(
            definition,
            "a cycle here would fire once only",
            "Use a duration, or a boundary event that does not interrupt.",
        )
    value = reading.value(element, (element.text or "").strip(), what="timer")
    timer = Timer(kind=kind, value=value, zone=zone_of(reading, definition))
    _check_literal(reading, element, timer)
    return timer


def zone_of(reading: Reading, definition: Element) -> str | None:
    """Read the time zone that holds for an element; None where none is given, or a wrong one."""
    around = (definition, *definition.iterancestors())
    name = next((z for e in around if (z := e.get(TIME_ZONE)) is not None), None)
    if name is None:
        return None
    try:
        return zone_named(name.strip()).key
    except ValueError as error:
        reading.reject(
            definition, f"the time zone: {error}", "Write a name such as Europe/Paris, or UTC."
        )
        return None


def _check_literal(reading: Reading, element: Element, timer: Timer) -> None:
    if timer.value.text.startswith("="):
        return
    try:
        zone = zone_named(timer.zone) if timer.zone else None
        read_schedule(timer.kind, timer.value.text, at=LONG_AGO, zone=zone)
    except (ValueError, OverflowError) as error:
        reading.reject(
            element,
            f"the timer is not valid: {error}",
            "Write ISO 8601 or a cron pattern, or a FEEL expression with =.",
        )
