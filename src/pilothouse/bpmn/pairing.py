"""Two versions of a life cycle, element by element: which of the old is which of the new."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import (
    AnyNode,
    Boundary,
    Catch,
    EventStart,
    MultiInstance,
    Service,
    SubProcess,
)
from pilothouse.bpmn.errors import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilothouse.bpmn.definition import Definition, Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One element of the old version and the one of the new that it becomes; one found by its name is a `suggestion`."""

    old: str
    new: str
    suggestion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """
    How the elements of two versions belong together.

    ``vanished`` are old elements that have no partner, ``appeared`` new ones.
    """

    pairings: tuple[Pairing, ...]
    vanished: tuple[str, ...]
    appeared: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Two versions of a life cycle, and what of the old becomes what of the new."""

    old: Definition
    new: Definition
    becomes: Mapping[str, str]

    def image(self, element: str) -> str | None:
        """Give what an element, or the process itself, becomes."""
        return self.new.id if element == self.old.id else self.becomes.get(element)

    def flow_image(self, flow: str | None, gateway: str) -> str | None:
        """Give the flow into a gateway of the new version that an old one becomes: of its id, or from its source."""
        incoming = self.new.nodes[gateway].incoming
        if flow is None or flow in incoming:
            return flow
        drawn = self.old.flows.get(flow)
        source = self.image(drawn.source) if drawn else None
        found = [f for f in incoming if self.new.flows[f].source == source]
        return found[0] if len(found) == 1 else None


def propose(old: Definition, new: Definition) -> Proposal:
    """Pair elements by equal id and kind, and what is left by equal name and kind, where there is one on each side."""
    same = {n.id: n.id for n in old.nodes.values() if _alike(n, new.nodes.get(n.id))}
    left = [n for n in old.nodes.values() if n.id not in same]
    free = [n for n in new.nodes.values() if n.id not in same]
    suggested = dict(_by_name(left, free))
    return Proposal(
        pairings=(
            *(Pairing(old=name, new=name) for name in same),
            *(Pairing(old=o, new=n, suggestion=True) for o, n in suggested.items()),
        ),
        vanished=tuple(n.id for n in left if n.id not in suggested),
        appeared=tuple(n.id for n in free if n.id not in suggested.values()),
    )


def paired(old: Definition, new: Definition, given: Mapping[str, str]) -> dict[str, str]:
    """Give what becomes what: elements of equal id and kind, but for what is `given`."""
    same = {p.old: p.new for p in propose(old, new).pairings if not p.suggestion}
    taken = set(given.values())
    return {o: n for o, n in same.items() if n not in taken} | dict(given)


def map_obstacles(
    old: Definition, new: Definition, given: Mapping[str, str]
) -> tuple[Obstacle, ...]:
    """Say what is wrong with pairs that a person has given, whatever run they are for."""
    return tuple(_map_obstacles(old, new, given))


def _map_obstacles(
    old: Definition, new: Definition, given: Mapping[str, str]
) -> Iterator[Obstacle]:
    counts = Counter(given.values())
    for source, target in given.items():
        one, other = old.nodes.get(source), new.nodes.get(target)
        if one is None or other is None:
            missing, of = (source, "old") if one is None else (target, "new")
            problem = f"is paired with {target}, and there is no {missing} in the {of} version"
            yield Obstacle(element=source, problem=problem, cure="Correct the pair, or drop it.")
        elif counts[target] > 1:
            problem = f"becomes {target}, and so does another element"
            yield Obstacle(element=source, problem=problem, cure="Pair each with one of its own.")
        elif not _alike(one, other):
            problem = f"is of another kind than {target}"
            yield Obstacle(
                element=source, problem=problem, cure="Pair it with an element of its kind."
            )


def _by_name(left: list[AnyNode], free: list[AnyNode]) -> Iterator[tuple[str, str]]:
    for node in left:
        rivals = [n for n in left if n.name == node.name and _alike(n, node)]
        found = [n for n in free if n.name == node.name and _alike(node, n)]
        if node.name and len(rivals) == len(found) == 1:
            yield node.id, found[0].id


def _alike(one: AnyNode, other: AnyNode | None) -> bool:
    """Whether two elements are of one kind, and wait for one kind of thing."""
    match one, other:
        case (Service(), Service()):
            return one.topic == other.topic
        case (Catch() | Boundary() | EventStart(), Catch() | Boundary() | EventStart()):
            return (type(one), type(one.trigger)) == (type(other), type(other.trigger))
        case (SubProcess(), SubProcess()):
            return one.by_event == other.by_event
    return type(one) is type(other)


def repeated_alike(one: Loop | None, other: Loop | None) -> bool:
    """Whether activities are repeated in one way, so that instances under way can go on."""
    if isinstance(one, MultiInstance) and isinstance(other, MultiInstance):
        gathers = (one.output_collection is None, other.output_collection is None)
        return one.sequential == other.sequential and gathers[0] == gathers[1]
    return type(one) is type(other)
