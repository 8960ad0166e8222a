"""Lanes: a user task that names no candidates is for the role that its lane is named after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.expressions import Value
from pilothouse.bpmn.xml import Element, children
from pilothouse.domain.access import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.bpmn.reading import Reading


def lane_role(reading: Reading, element: Element) -> Value | None:
    """
    Give the role of the lane that a user task stands in, or None where the lane is named after no role.

    A lane is named after a role by its name, or else its id, whatever the case and with blanks or underscores
    for hyphens: *Model Owner* is ``model-owner``. Of nested lanes the inner one counts, and what stands in a
    sub-process stands in the lane of the sub-process. In two lanes of different roles at once a task is rejected.

    Parameters
    ----------
    reading
        Takes the problem.
    element
        The user task.
    """
    at: Element | None = element
    while at is not None:
        roles = sorted(set(_roles_here(at)))
        if len(roles) > 1:
            reading.reject(
                element,
                f"it stands in lanes of several roles: {', '.join(roles)}",
                "Leave it in one lane, or give it candidate groups.",
            )
        if roles:
            return Value(text=roles[0])
        at = at.getparent()
    return None


def _roles_here(element: Element) -> Iterator[Role]:
    container, identity = element.getparent(), element.get("id")
    if container is None or identity is None:
        return
    for lane_set in children(container, "laneSet"):
        yield from _roles_in(lane_set, identity)


def _roles_in(lane_set: Element, identity: str) -> Iterator[Role]:
    """Give the roles of the innermost lanes around an element that are named after one."""
    for lane in children(lane_set, "lane"):
        inner = [r for s in children(lane, "childLaneSet") for r in _roles_in(s, identity)]
        if inner:
            yield from inner
        elif _holds(lane, identity):
            yield from _named_after(lane)


def _holds(lane: Element, identity: str) -> bool:
    # A modeler may list a node in the inner lane alone, which lies in the outer one all the same.
    return any((e.text or "").strip() == identity for e in lane.iter("{*}flowNodeRef"))


def _named_after(lane: Element) -> Iterator[Role]:
    for name in (lane.get("name"), lane.get("id")):
        plain = "-".join((name or "").lower().replace("_", " ").replace("-", " ").split())
        if plain in set(Role):
            yield Role(plain)
            return
