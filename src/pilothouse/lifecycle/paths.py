"""Every path through a drawing: the ways that one token can take from a start to an end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import (
    Boundary,
    Condition,
    End,
    EndKind,
    ErrorCode,
    Escalation,
    EventStart,
    Flow,
    Link,
    Message,
    Signal,
    Start,
    SubProcess,
    UndoneBy,
)
from pilothouse.bpmn.timers import Timer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.bpmn.definition import AnyNode, Definition

MAXIMUM_PATHS = 1000
MAXIMUM_STEPS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One step of a path: the element, and by what it was chosen (a condition, a flow's name, an event)."""

    element: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A way from a start event to an end."""

    ways: tuple[Way, ...]

    @property
    def elements(self) -> tuple[str, ...]:
        """The ids of its elements, in order."""
        return tuple(way.element for way in self.ways)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The paths of a definition; ``complete`` is False where there are more than were looked for."""

    paths: tuple[Path, ...]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """A path that is under way, with the choices that it has made, and the flows that it took since the last."""

    at: str
    ways: tuple[Way, ...]
    chosen: frozenset[str] = frozenset()
    since: frozenset[str] = frozenset()

    @property
    def used(self) -> frozenset[str]:
        """What it does not take again."""
        return self.chosen | self.since


def all_paths(definition: Definition, *, limit: int = MAXIMUM_PATHS) -> Paths:
    """
    List the ways that one token can take from each start event to an end, in the order of the drawing.

    Conditions are not evaluated: both sides of a gateway are paths. Each branch of a fork is a path of its own, and
    so is what each boundary event and event sub-process leads to. A path makes a choice once, so a loop is gone
    round once by each of the choices that lead back.

    Parameters
    ----------
    definition
        The life cycle.
    limit
        The number of paths after which it is enough.
    """
    starts = [n for n in definition.nodes.values() if _begins(definition, n)]
    ahead = [_Walk(at=n.id, ways=(Way(element=n.id),)) for n in reversed(starts)]
    found: list[Path] = []
    for _ in range(MAXIMUM_STEPS):
        if not ahead or len(found) >= limit:
            break
        walk = ahead.pop()
        following = list(_following(definition, walk))
        if not following and not _goes_round(definition, walk):
            found.append(Path(ways=walk.ways))
        ahead.extend(reversed(following))
    return Paths(paths=tuple(found), complete=not ahead)


def _begins(definition: Definition, node: AnyNode) -> bool:
    in_process = isinstance(node, Start) and node.scope == definition.id
    return in_process or isinstance(node, EventStart)


def _following(definition: Definition, walk: _Walk) -> Iterator[_Walk]:
    node = definition.nodes[walk.at]
    yield from _by_boundaries(definition, walk)
    match node:
        case SubProcess() if not _was_inside(definition, walk):
            yield _on(walk, node.start)
        case Link(target=target):
            yield _on(walk, target)
        case End(kind=EndKind.ERROR, error_code=code):
            yield from _caught(definition, walk, code)
        case _:
            yield from _by_flows(definition, walk, node)


def _was_inside(definition: Definition, walk: _Walk) -> bool:
    """Whether the path has just come out of the sub-process where it stands."""
    return len(walk.ways) > 1 and _scope(definition, walk.ways[-2].element) == walk.at


def _scope(definition: Definition, element: str) -> str:
    return definition.nodes[element].scope


def _on(walk: _Walk, element: str, by: str = "") -> _Walk:
    return replace(walk, at=element, ways=(*walk.ways, Way(element=element, by=by)))


def _chosen(walk: _Walk, choice: str) -> _Walk:
    return replace(walk, chosen=walk.chosen | {choice}, since=frozenset())


def _went(walk: _Walk, flow: str) -> _Walk:
    return replace(walk, since=walk.since | {flow})


def _by_flows(definition: Definition, walk: _Walk, node: AnyNode) -> Iterator[_Walk]:
    flows = [definition.flows[flow] for flow in node.outgoing]
    for flow in flows:
        if flow.id not in walk.used:
            step = _on(walk, flow.target, _words(node, flow))
            yield _chosen(step, flow.id) if len(flows) > 1 else _went(step, flow.id)
    if not flows and node.scope != definition.id:
        yield from _out_of(definition, walk, node.scope)


def _out_of(definition: Definition, walk: _Walk, scope: str) -> Iterator[_Walk]:
    inner = definition.nodes[scope]
    if isinstance(inner, SubProcess) and not inner.by_event:
        yield _on(walk, inner.id)


def _words(node: AnyNode, flow: Flow) -> str:
    if flow.condition is not None:
        return flow.condition.text
    is_default = getattr(node, "default", None) == flow.id
    return flow.name or ("otherwise" if is_default else "")


def _by_boundaries(definition: Definition, walk: _Walk) -> Iterator[_Walk]:
    if _was_inside(definition, walk):
        return
    for boundary in definition.boundaries.get(walk.at, ()):
        if not isinstance(boundary.trigger, UndoneBy):
            yield from _boundary(walk, boundary)


def _boundary(walk: _Walk, boundary: Boundary) -> Iterator[_Walk]:
    # A boundary is passed once a path, as a flow is.
    if boundary.id not in walk.used:
        step = _on(walk, boundary.id, _event(boundary))
        yield _chosen(step, boundary.id)


def _event(boundary: Boundary) -> str:
    match boundary.trigger:
        case ErrorCode(code=code):
            return f"error {code}" if code else "any error"
        case Escalation(code=code):
            return f"escalation {code}" if code else "any escalation"
        case Timer(value=value):
            return f"timer {value.text}"
        case Message(name=name):
            return f"message {name.text}"
        case Signal(name=name):
            return f"signal {name.text}"
        case Condition(value=value):
            return f"condition {value.text}"
        case UndoneBy():
            return "compensation"


def _caught(definition: Definition, walk: _Walk, code: str | None) -> Iterator[_Walk]:
    scope = _scope(definition, walk.at)
    while scope != definition.id:
        boundaries = definition.boundaries.get(scope, ())
        catching = {b.trigger.code: b for b in boundaries if isinstance(b.trigger, ErrorCode)}
        boundary = catching.get(code) or catching.get(None)
        if boundary is not None:
            yield from _boundary(walk, boundary)
            return
        scope = _scope(definition, scope)


def _goes_round(definition: Definition, walk: _Walk) -> bool:
    """Whether a path stops only because all that goes on from here has been taken before."""
    node = definition.nodes[walk.at]
    flows = set(node.outgoing)
    return bool(flows) and flows <= walk.used
