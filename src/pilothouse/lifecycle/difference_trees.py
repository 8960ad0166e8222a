"""Two elements of XML compared: their attributes, texts and all that stands in them and is not compared by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.bpmn.tree import CAMUNDA
from pilothouse.bpmn.xml import Element, Namespace, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIXES = {
    Namespace.ZEEBE.value: "zeebe",
    Namespace.PILOTHOUSE.value: "pilothouse",
    CAMUNDA: "camunda",
    "http://camunda.org/schema/modeler/1.0": "modeler",
}
_DRAWING = (
    "http://www.omg.org/spec/BPMN/20100524/DI",
    "http://www.omg.org/spec/BPMN/non-normative/color",
    "http://www.omg.org/spec/DD/",
    "http://bpmn.io/schema/",
)
"""Namespaces of shapes, places, widths and colours."""
_WRITTEN = frozenset(
    {
        f"{{{_XSI}}}type",
        f"{{{_XSI}}}schemaLocation",
        f"{{{Namespace.ZEEBE}}}modelerTemplateIcon",
        f"{{{CAMUNDA}}}modelerTemplateIcon",
        *("exporter", "exporterVersion"),
    }
)
"""Attributes that say how and by what a file was written, or what it looks like."""
_TRUE, _FALSE, _ONE = "true", "false", "1"
_DEFAULTS = {
    "name": "",
    "gatewayDirection": "Unspecified",
    "hitPolicy": "UNIQUE",
    "kind": "FEEL",
    **dict.fromkeys(("startQuantity", "completionQuantity"), _ONE),
    **dict.fromkeys(("cancelActivity", "isInterrupting", "waitForCompletion"), _TRUE),
    **dict.fromkeys(("isExecutable", "isClosed", "triggeredByEvent", "parallelMultiple"), _FALSE),
    **dict.fromkeys(("isForCompensation", "isSequential", "testBefore", "instantiate"), _FALSE),
    "isCollection": _FALSE,
}
"""What an attribute of BPMN or DMN says where it is left out. Source: the schemas of BPMN 2.0.2 and DMN 1.5."""
_DRAWN_AGAIN = frozenset({"incoming", "outgoing"})
"""What a flow says already by its source and target."""
_NAMING = ("target", "key", "name", "href", "namespace")
"""The attributes by which one of several alike is known again, the first that is there."""
_UNORDERED = frozenset(
    {
        *("flowNodeRef", "zeebe:header", "zeebe:property", "itemComponent"),
        *("informationRequirement", "knowledgeRequirement", "authorityRequirement"),
    }
)
PRESENT = "(present)"
"""Stands for an element that says something by being there, and has neither attributes nor text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """
    One thing that differs: where it stands in its element, and what it was and is.

    None is said of what is not there; an empty text is there and empty.
    """

    what: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The column that a cell of a decision table is in: by what it is known again, and what people see."""

    key: str
    shown: str


def unique(key: str, known: Mapping[str, object]) -> str:
    """
    Give a key that is not known yet: itself, or with a number.

    Examples
    --------
    >>> unique("a", {}), unique("a", {"a": 1, "a 2": 2})
    ('a', 'a 3')
    """
    found, number = key, 1
    while found in known:
        number += 1
        found = f"{key} {number}".strip()
    return found


def in_drawing(element: Element) -> bool:
    """Whether an element is of a drawing."""
    return _is_drawing(name_of(element).space)


def _is_drawing(space: str) -> bool:
    return space.startswith(_DRAWING) or "/DMNDI/" in space or space.endswith(("/DI/", "/DC/"))


def body(element: Element) -> str:
    """Give an element's own text and that of its ``text``, without outer white space."""
    holders = [element, *(e for e in element.iterchildren("{*}text") if _is_text(e))]
    return "".join(_own_text(holder) for holder in holders)


def _own_text(element: Element) -> str:
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()


def _is_text(element: Element) -> bool:
    return name_of(element).local == "text" and not element.attrib


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePair:
    """
    Two files whose elements are compared.

    Parameters
    ----------
    parts
        The elements that are compared by themselves, and left out of what they stand in.
    cells
        The columns that cells of decision tables are in.
    passing
        The keys of the columns that are in one of the files.
    """

    parts: frozenset[Element]
    cells: Mapping[Element, Cell]
    passing: frozenset[str]

    def details(self, old: Element | None, new: Element | None, path: str = "") -> list[Detail]:
        """Say what differs between two elements, or all that one says where the other is not there."""
        found = [*self._attributes(old, new, path), *self._text(old, new, path)]
        for word in dict.fromkeys(_word(e) for e in (*self._inner(old), *self._inner(new))):
            olds, news = ([e for e in self._inner(e) if _word(e) == word] for e in (old, new))
            where = _joined(path, _shown(word, path))
            found += self._alike(olds, news, where)
        if path and not found and (old is None or new is None):
            found.append(_there(old, new, path, PRESENT))
        return found

    def _attributes(self, old: Element | None, new: Element | None, path: str) -> Iterator[Detail]:
        for name in dict.fromkeys((*_attribute_names(old), *_attribute_names(new))):
            before, after = _attribute(old, name), _attribute(new, name)
            if before != after:
                yield Detail(what=_joined(path, _prefixed(name)), old=before, new=after)

    def _text(self, old: Element | None, new: Element | None, path: str) -> Iterator[Detail]:
        before, after = (None if e is None else body(e) or None for e in (old, new))
        if before != after:
            yield Detail(what=path or "text", old=before, new=after)

    def _inner(self, element: Element | None) -> list[Element]:
        """Give what stands in an element and belongs to it; extensions as if they stood there themselves."""
        if element is None:
            return []
        found = []
        for child in element.iterchildren("{*}*"):
            local = name_of(child).local
            if local == "extensionElements":
                found += self._inner(child)
            elif not (
                child in self.parts or in_drawing(child) or local in _DRAWN_AGAIN or _is_text(child)
            ):
                found.append(child)
        return found

    def _alike(self, olds: Sequence[Element], news: Sequence[Element], path: str) -> list[Detail]:
        """Compare children of one name: a single one with a single one, several by what they are known by."""
        if len(olds) <= 1 and len(news) <= 1 and not self.cells.keys() & {*olds, *news}:
            return self.details(next(iter(olds), None), next(iter(news), None), path)
        before, after = self._keyed(olds), self._keyed(news)
        found = []
        for key in dict.fromkeys((*before, *after)):
            found += self._one(before.get(key), after.get(key), path, key)
        common = [[k for k in keys if k in before and k in after] for keys in (before, after)]
        if common[0] != common[1] and _word(olds[0]) not in _UNORDERED:
            shown = [", ".join(keys) for keys in common]
            found.append(Detail(what=f"order of {path}", old=shown[0], new=shown[1]))
        return found

    def _one(self, old: Element | None, new: Element | None, path: str, key: str) -> list[Detail]:
        element = old if new is None else new
        cell = None if element is None else self.cells.get(element)
        if element is None or cell is None:
            return self.details(old, new, f"{path} {key}".strip())
        if cell.key in self.passing and _word(element) == "inputEntry" and body(element) == "-":
            return []  # the column was added or removed, and tests nothing in this rule
        return self.details(old, new, cell.shown)

    def _keyed(self, elements: Sequence[Element]) -> dict[str, Element]:
        found: dict[str, Element] = {}
        for element in elements:
            cell = self.cells.get(element)
            found[unique(cell.key if cell else _known_by(element), found)] = element
        return found


def _there(old: Element | None, new: Element | None, path: str, said: str) -> Detail:
    before, after = (None if element is None else said for element in (old, new))
    return Detail(what=path, old=before, new=after)


def _known_by(element: Element) -> str:
    """Give what one of several alike is known by; its place among them where that is nothing."""
    names = [str(element.get(name)) for name in _NAMING if element.get(name)]
    for child in element.iterchildren("{*}*"):
        names += [str(child.get(name)) for name in ("href", "name") if child.get(name)]
    leaf = next(element.iterchildren("{*}*"), None) is None
    own = element.get("id") if _foreign(element) else None
    return next(iter(names), "") or str(own or (_own_text(element) if leaf else ""))


def _foreign(element: Element) -> bool:
    """Whether an element is an extension, whose id has a meaning there."""
    return name_of(element).space != name_of(element.getroottree().getroot()).space


def _word(element: Element) -> str:
    """Give the name of an element, the same in every version of its language and with every prefix."""
    name = name_of(element)
    return _prefixed(f"{{{name.space}}}{name.local}") if _foreign(element) else name.local


def _prefixed(name: str) -> str:
    space, _, local = name.rpartition("}")
    prefix = _PREFIXES.get(space[1:])
    return f"{prefix}:{local}" if prefix else name


def _shown(word: str, path: str) -> str:
    """Give a name without the prefix that what is around it has too."""
    prefix, _, local = word.rpartition(":")
    return local if prefix in _PREFIXES.values() and f"{prefix}:" in path else word


def _joined(path: str, word: str) -> str:
    return f"{path}/{word}" if path else word


def _attribute_names(element: Element | None) -> list[str]:
    if element is None:
        return []
    names = [str(name) for name in element.attrib if str(name) not in _WRITTEN]
    spaces = {name: name.rpartition("}")[0][1:] for name in names}
    return [
        name
        for name in names
        if not _is_drawing(spaces[name]) and (name != "id" or _foreign(element))
    ]


def _attribute(element: Element | None, name: str) -> str | None:
    if element is None:
        return None
    default = None if _foreign(element) else _DEFAULTS.get(name)
    value = element.get(name)
    return default if value is None else str(value)
