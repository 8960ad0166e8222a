"""Generated forms of Camunda 7 as a pilothouse:form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.forms import FieldType
from pilothouse.bpmn.tree import CAMUNDA, Tree
from pilothouse.bpmn.xml import Element, Namespace, children, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES = {
    "string": FieldType.TEXT,
    "long": FieldType.WHOLE,
    "date": FieldType.DATE,
    "boolean": FieldType.BOOLEAN,
    "enum": FieldType.CHOICE,
}
_MEANINGLESS = frozenset({"value", "properties"})
REQUIRED = "required"


def rewrite_form(tree: Tree, element: Element) -> None:
    """Rewrite the camunda:formData of a user task, if it has one."""
    data = tree.take_extension(element, "formData")
    if data is None:
        return
    form = tree.extend(element, "form", Namespace.PILOTHOUSE)
    for field in children(data, "formField", CAMUNDA):
        for problem, cure in _problems(field):
            name = field.get("id")
            tree.reject(element, f"the form field {name!r} {problem}", cure)
        tree.child(form, "field", Namespace.PILOTHOUSE, **_attributes(field))
    if data.get("businessKey") is not None:
        tree.reject(
            element, "a form field is the business key", "The key of a run stays as it began."
        )


def _attributes(field: Element) -> dict[str, str]:
    identity = field.get("id") or ""
    kind = _TYPES.get(field.get("type") or "", FieldType.TEXT)
    given = {"name": identity, "type": kind.value, "label": field.get("label") or identity}
    choices = [value.get("id") or "" for value in children(field, "value", CAMUNDA)]
    if kind is FieldType.CHOICE:
        given["choices"] = ", ".join(choices)
    if any(c.get("name") == REQUIRED and c.get("config") != "false" for c in _constraints(field)):
        given["required"] = "true"
    return given


def _constraints(field: Element) -> Iterator[Element]:
    for validation in children(field, "validation", CAMUNDA):
        yield from children(validation, "constraint", CAMUNDA)


def _problems(field: Element) -> Iterator[tuple[str, str]]:
    kind = field.get("type") or ""
    if kind not in _TYPES:
        yield f"is of type {kind!r}", f"Use one of {', '.join(sorted(_TYPES))}."
    if field.get("defaultValue"):
        yield "has a default value", "Remove it: nobody has answered what a form fills in."
    if "${" in (field.get("label") or ""):
        yield "has an expression as its label", "Write the label as plain text."
    if any("," in (value.get("id") or "") for value in children(field, "value", CAMUNDA)):
        yield "has a choice with a comma in its id", "Rename the choice."
    yield from _checks(field)


def _checks(field: Element) -> Iterator[tuple[str, str]]:
    for constraint in _constraints(field):
        if constraint.get("name") != REQUIRED:
            name = constraint.get("name")
            yield f"is checked by {name!r}", "Check the answer by a gateway after the task."
    for child in field.iterchildren(etree.Element):
        local = name_of(child).local
        if local not in _MEANINGLESS and local != "validation":
            yield f"has a camunda:{local}", "Remove it."
