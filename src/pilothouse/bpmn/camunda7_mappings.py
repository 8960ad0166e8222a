"""Inputs and outputs of Camunda 7 as a zeebe:ioMapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.juel import feel_of_template
from pilothouse.bpmn.tree import CAMUNDA, Tree
from pilothouse.bpmn.xml import Element, Namespace, children, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_CURE = "Give a text, a simple expression, or a list or map of these."


def rewrite_mappings(tree: Tree, element: Element) -> None:
    """Rewrite the camunda:inputOutput of an element, if it has one."""
    found = tree.take_extension(element, "inputOutput")
    if found is None:
        return
    for local, direction in (("inputParameter", "input"), ("outputParameter", "output")):
        for parameter in children(found, local, CAMUNDA):
            source = _source(tree, element, parameter)
            tree.child(
                tree.mapping(element),
                direction,
                Namespace.ZEEBE,
                source=source,
                target=(parameter.get("name") or "").strip(),
            )


def _source(tree: Tree, element: Element, parameter: Element) -> str:
    tree.reading.weigh(sum(len(str(text)) for text in parameter.itertext()))
    try:
        return _given(parameter)
    except ValueError as error:
        name = parameter.get("name")
        tree.reject(element, f"the parameter {name!r} cannot be taken over: {error}", _CURE)
        return "=null"


def _given(holder: Element) -> str:
    """Give the value that stands in an element: a text, or one list or map."""
    inner = list(holder.iterchildren(etree.Element))
    if len(inner) > 1:
        raise ValueError("it has more than one value")
    if inner:
        return f"={_structure(inner[0])}"
    text = (holder.text or "").strip()
    return feel_of_template(text) if text else "=null"


def _structure(element: Element) -> str:
    match name_of(element).local:
        case "list":
            return f"[{', '.join(_items(element))}]"
        case "map":
            return f"{{{', '.join(_entries(element))}}}"
        case "script":
            raise ValueError("it is a script, and code is not run inside the engine")
        case local:
            raise ValueError(f"it is a camunda:{local}")


def _items(element: Element) -> Iterator[str]:
    for item in element.iterchildren(etree.Element):
        nested = name_of(item).local != "value"
        yield _structure(item) if nested else _expression(_given(item))


def _entries(element: Element) -> Iterator[str]:
    for entry in children(element, "entry", CAMUNDA):
        key = entry.get("key") or ""
        if not key.isidentifier():
            raise ValueError(f"the key {key!r} of its map is no plain name")
        yield f"{key}: {_expression(_given(entry))}"


def _expression(source: str) -> str:
    """Give a source as FEEL without its ``=``; plain text becomes a quoted one."""
    if source.startswith("="):
        return source[1:]
    escaped = source.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
