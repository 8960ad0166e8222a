"""
What differs between two files of life cycles, or of decisions: by element, not by line.

Elements are known again by their ids, mappings by their targets, columns and rules of tables by their ids or else by
their positions. How a thing is drawn, and in what form a tool writes the same, is no difference; the order of things
is one where it decides something.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pilothouse.bpmn.xml import FILE, Element, Namespace, children, name_of, parse
from pilothouse.domain.errors import InvalidError
from pilothouse.domain.lifecycles import DefinitionKind
from pilothouse.lifecycle.difference_trees import (
    Cell,
    Detail,
    TreePair,
    body,
    in_drawing,
    unique,
)
from pilothouse.lifecycle.errors import NotALifecycleError
from pilothouse.lifecycle.files import DMN_MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_INSIDES = frozenset(
    {
        *("extensionElements", "documentation", "incoming", "outgoing"),
        *("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"),
        *("ioSpecification", "property", "dataInputAssociation", "dataOutputAssociation"),
        *("performer", "humanPerformer", "potentialOwner", "resourceRole", "completionCondition"),
        *("monitoring", "auditing", "correlationSubscription", "relationship"),
    }
)
"""What stands beside elements of a process, and says something of the process or sub-process itself."""
_SCOPES = frozenset({"process", "subProcess", "transaction", "adHocSubProcess", "collaboration"})
_LANES = frozenset({"laneSet", "childLaneSet", "lane"})
_BY_NAME = frozenset({"itemDefinition", "import"})
"""What other elements refer to by its name: tools give it another id at will."""
_DESCRIBING = frozenset({"description", "extensionElements"})
_COLUMNS = {"input": "inputEntry", "output": "outputEntry", "annotation": "annotationEntry"}
"""The columns of a decision table, and the cells of each."""


class KindsDifferError(InvalidError):
    """A life cycle is compared with a decision file."""

    code = "kinds-differ"

    def __init__(self, *, old: DefinitionKind, new: DefinitionKind) -> None:
        self.old, self.new = old, new
        super().__init__(
            f"The first file is {old.value.upper()} and the second {new.value.upper()}. Compare two of one kind."
        )


class Change(StrEnum):
    """What happened to an element; one that moved to another scope may have changed as well."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    One element that differs.

    Attributes
    ----------
    change
        What happened to it.
    kind, element, name
        Its tag, its id (or else its name or position) and its name.
    scope
        The id of what it stands in; empty for what stands in the file itself.
    details
        Each of its attributes, expressions, mappings, cells … that differ.
    """

    change: Change
    kind: str
    element: str
    name: str
    scope: str
    details: tuple[Detail, ...] = ()


def differences(old: bytes, new: bytes) -> tuple[Difference, ...]:
    """
    Say what differs between two BPMN files, or between two DMN files; nothing where only the drawing does.

    Neither has to be one that can run. Elements that are in the old file come first, in its order.

    Raises
    ------
    DefinitionRejectedError
        When one is no XML, or XML that is not read.
    NotALifecycleError
        When one is neither BPMN nor DMN.
    KindsDifferError
        When one is BPMN and the other DMN.

    Examples
    --------
    >>> drawn = (
    ...     '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p">'
    ...     '<task id="a" name="%s"/></process></definitions>'
    ... )
    >>> [found] = differences((drawn % "Look").encode(), (drawn % "Check").encode())
    >>> found.change.value, found.element, found.details[0].old, found.details[0].new
    ('changed', 'a', 'Look', 'Check')
    """
    before, after = parse(old), parse(new)
    kinds = _kind(before), _kind(after)
    if kinds[0] is not kinds[1]:
        raise KindsDifferError(old=kinds[0], new=kinds[1])
    if kinds[0] is DefinitionKind.DMN:
        return _compared(_decision_parts(before), _decision_parts(after))
    return _compared(_process_parts(before, _renamed(before, after)), _process_parts(after, {}))


def _kind(root: Element) -> DefinitionKind:
    name = name_of(root)
    if name.space == Namespace.BPMN and name.local == "definitions":
        return DefinitionKind.BPMN
    if DMN_MARK in name.space.upper() and name.local == "definitions":
        return DefinitionKind.DMN
    raise NotALifecycleError(root=name.local)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """An element of a file that is compared as a whole; `within` is the key of what it stands in."""

    key: str
    kind: str
    element: str
    within: str
    scope: str
    node: Element
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A file in its parts; `orders` are the keys of what stands in an order that decides, by part and in words."""

    parts: dict[str, _Part] = field(default_factory=dict)
    orders: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    cells: dict[Element, Cell] = field(default_factory=dict)

    def add(
        self,
        node: Element,
        *,
        key: str,
        element: str,
        within: _Part | None,
        facts: Mapping[str, str] | None = None,
    ) -> _Part:
        """Add a part; the second of one key is known as such, so that none hides another."""
        part = _Part(
            key=unique(key, self.parts),
            kind=name_of(node).local,
            element=element,
            within=within.key if within else "",
            scope="" if within is None or within.key == FILE else within.element,
            node=node,
            facts=facts or {},
        )
        self.parts[part.key] = part
        return part

    @property
    def nodes(self) -> frozenset[Element]:
        return frozenset(part.node for part in self.parts.values())


def _compared(old: _Parts, new: _Parts) -> tuple[Difference, ...]:
    trees = TreePair(
        parts=old.nodes | new.nodes,
        cells={**old.cells, **new.cells},
        passing=frozenset(old.parts.keys() ^ new.parts.keys()),
    )
    found = []
    for key in dict.fromkeys((*old.parts, *new.parts)):
        before, after = old.parts.get(key), new.parts.get(key)
        details = (
            *(_whole(before, after) if before and after else ()),
            *_reordered(old.orders.get(key, {}), new.orders.get(key, {})),
            *trees.details(before.node if before else None, after.node if after else None),
        )
        part = after or before
        change = _change(before, after)
        if part is not None and (details or change is not Change.CHANGED):
            found.append(
                Difference(
                    change=change,
                    kind=part.kind,
                    element=part.element,
                    name=part.node.get("name") or "",
                    scope=part.scope,
                    details=details,
                )
            )
    return tuple(found)


def _change(old: _Part | None, new: _Part | None) -> Change:
    if old is None:
        return Change.ADDED
    if new is None:
        return Change.REMOVED
    return Change.CHANGED if old.within == new.within else Change.MOVED


def _whole(old: _Part, new: _Part) -> Iterator[Detail]:
    if old.within != new.within:
        yield Detail(what="scope", old=old.scope, new=new.scope)
    if old.kind != new.kind:
        yield Detail(what="type", old=old.kind, new=new.kind)
    for what in dict.fromkeys((*old.facts, *new.facts)):
        before, after = old.facts.get(what), new.facts.get(what)
        if before != after:
            yield Detail(what=what, old=before, new=after)


def _reordered(
    old: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]]
) -> Iterator[Detail]:
    for what in old.keys() & new.keys():
        before = [key for key in old[what] if key in new[what]]
        after = [key for key in new[what] if key in old[what]]
        if before != after:
            shown = [", ".join(key.rpartition("#")[2] for key in keys) for keys in (before, after)]
            yield Detail(what=what, old=shown[0], new=shown[1])


def _renamed(old: Element, new: Element) -> Mapping[str, str]:
    """Give the process that runs its new id: its elements have not moved by getting another key."""
    ids = [
        [str(p.get("id", "")) for p in children(root, "process") if p.get("isExecutable") == "true"]
        for root in (old, new)
    ]
    return {ids[0][0]: ids[1][0]} if [len(i) for i in ids] == [1, 1] else {}


def _process_parts(root: Element, renamed: Mapping[str, str]) -> _Parts:
    parts = _Parts()
    file = parts.add(root, key=FILE, element=FILE, within=None)
    _add_elements(parts, root, file, renamed)
    for part in list(parts.parts.values()):
        if part.kind == "exclusiveGateway":  # it takes the first flow whose condition holds
            flows = [
                p.key
                for p in parts.parts.values()
                if p.kind == "sequenceFlow" and p.node.get("sourceRef") == part.element
            ]
            parts.orders[part.key] = {"order of outgoing flows": tuple(flows)}
    return parts


def _add_elements(
    parts: _Parts, holder: Element, within: _Part, renamed: Mapping[str, str]
) -> None:
    for node in holder.iterchildren("{*}*"):
        name, identity = name_of(node), str(node.get("id", ""))
        if name.space != Namespace.BPMN or name.local in _INSIDES:
            continue
        part = within
        if identity and name.local not in ("laneSet", "childLaneSet"):
            facts = {"id": identity} if name.local == "process" else {}
            key = renamed.get(identity, identity)
            part = parts.add(node, key=key, element=identity, within=within, facts=facts)
        if name.local in _SCOPES | _LANES:
            _add_elements(parts, node, part if name.local in _SCOPES else within, renamed)


def _decision_parts(root: Element) -> _Parts:
    parts, space = _Parts(), name_of(root).space
    facts = {"id": str(root.get("id", "")), "version of DMN": space}
    file = parts.add(root, key=FILE, element=FILE, within=None, facts=facts)
    for node in root.iterchildren(f"{{{space}}}*"):
        name = name_of(node)
        if name.local in _DESCRIBING or in_drawing(node):
            continue
        known_as = str(node.get("id") or node.get("name") or name.local)
        key = known_as
        if name.local in _BY_NAME:
            known_as = str(node.get("name") or node.get("namespace") or known_as)
            key = f"{name.local} {known_as}"
        owner = parts.add(node, key=key, element=known_as, within=file)
        for table in node.iter(f"{{{space}}}decisionTable"):
            _add_table(parts, table, owner)
    decisions = [p.key for p in parts.parts.values() if p.kind == "decision"]
    # A file is kept under the first decision that no other requires.
    parts.orders[FILE] = {"order of decisions": tuple(decisions)}
    return parts


def _add_table(parts: _Parts, table: Element, owner: _Part) -> None:
    """Add the columns and rules of a table, and say of each cell which column it is in."""
    place = "/".join((owner.key, *_entries_above(table, owner.node)))
    place = unique(place, {key.rpartition("#")[0]: None for key in parts.parts})
    space = name_of(table).space
    columns: dict[str, list[Cell]] = {}
    for local, cell in _COLUMNS.items():
        nodes = children(table, local, space)
        added = [_add_row(parts, n, i, place, owner) for i, n in enumerate(nodes, 1)]
        _note_order(parts, owner, place, f"{local}s", added)
        columns[cell] = _cells(added)
    rules = []
    for i, node in enumerate(children(table, "rule", space), 1):
        rules.append(_add_row(parts, node, i, place, owner))
        for local, cells in columns.items():
            for j, entry in enumerate(children(node, local, space)):
                stray = Cell(key=f"{local} {j + 1}", shown=f"{local} {j + 1}")
                parts.cells[entry] = cells[j] if j < len(cells) else stray
    _note_order(parts, owner, place, "rules", rules)


def _entries_above(table: Element, owner: Element) -> list[str]:
    """Give the names of the context entries that a table stands in, from outside."""
    names: list[str] = []
    above = table.getparent()
    while above is not None and above is not owner:
        if name_of(above).local == "contextEntry":
            names += [
                str(v.get("name", "")) for v in children(above, "variable", name_of(above).space)
            ]
        above = above.getparent()
    return names[::-1]


def _add_row(parts: _Parts, node: Element, number: int, place: str, owner: _Part) -> _Part:
    known_as = str(node.get("id") or f"{name_of(node).local} {number}")
    return parts.add(node, key=f"{place}#{known_as}", element=known_as, within=owner)


def _note_order(parts: _Parts, owner: _Part, place: str, what: str, rows: list[_Part]) -> None:
    where = place.removeprefix(owner.key)
    label = f"{where.strip('/ ')}/order of {what}" if where else f"order of {what}"
    parts.orders.setdefault(owner.key, {})[label] = tuple(row.key for row in rows)


def _cells(columns: list[_Part]) -> list[Cell]:
    shown: dict[str, None] = {}
    for column in columns:
        shown[unique(_heading(column), shown)] = None
    return [Cell(key=c.key, shown=s) for c, s in zip(columns, shown, strict=True)]


def _heading(column: _Part) -> str:
    """Give what people see at the head of a column."""
    expressions = children(column.node, "inputExpression", name_of(column.node).space)
    label = " ".join(str(column.node.get("label", "")).split())
    text = next((body(e) for e in expressions), "")
    return label or text or str(column.node.get("name") or column.element)
