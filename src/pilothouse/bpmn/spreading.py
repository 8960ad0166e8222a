"""
What `pilothouse` adds, written as properties.

A drawing tool that knows no other namespace than Camunda's keeps names and values in ``zeebe:properties``, and can set
them by element templates. A property ``pilothouse:ELEMENT.ATTRIBUTE`` says what that attribute of the extension
``pilothouse:ELEMENT`` says; ``pilothouse:field.NAME.ATTRIBUTE`` is of the field ``NAME`` of the form, and
``pilothouse:timeZone`` the attribute of that name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.xml import Element, Namespace, children, line_of

if TYPE_CHECKING:
    from pilothouse.bpmn.reading import Reading

_PREFIX = "pilothouse:"
_ATTRIBUTE = "timeZone"
_FORM, _FIELD = "form", "field"


def spread_properties(reading: Reading, root: Element) -> None:
    """Make extensions of the properties that stand for some; the file as it is kept does not change."""
    for holder in list(root.iter(f"{{{Namespace.ZEEBE}}}properties")):
        around = holder.getparent()
        owner = None if around is None else around.getparent()
        if around is None or owner is None:
            continue
        made: dict[str, Element] = {}
        for one in children(holder, "property", Namespace.ZEEBE):
            name, value = one.get("name") or "", one.get("value") or ""
            if name.startswith(_PREFIX) and value:
                _spread(reading, one, made, owner)
        for extension in made.values():
            around.append(extension)


def _spread(reading: Reading, one: Element, made: dict[str, Element], owner: Element) -> None:
    """Take one property over, into the extension that it belongs to or onto the owner."""
    name, value = str(one.get("name")), str(one.get("value"))
    match name.removeprefix(_PREFIX).split("."):
        case [attribute] if attribute == _ATTRIBUTE:
            owner.set(f"{{{Namespace.PILOTHOUSE}}}{attribute}", value)
        case [kind, field, attribute] if kind == _FIELD and field and _plain(attribute):
            form = made.setdefault(_FORM, _element(_FORM, line_of(one)))
            _field(form, field, line_of(one)).set(attribute, value)
        case [local, attribute] if _plain(local) and _plain(attribute):
            made.setdefault(local, _element(local, line_of(one))).set(attribute, value)
        case _:
            reading.reject(
                one,
                f"the property {name!r} says nothing to Pilothouse",
                "Write pilothouse:retry.backoff, pilothouse:field.NAME.label or the like, or another prefix.",
            )


def _plain(name: str) -> bool:
    return name.isascii() and name.isalpha()


def _field(form: Element, name: str, line: int) -> Element:
    for known in children(form, _FIELD, Namespace.PILOTHOUSE):
        if known.get("name") == name:
            return known
    made = _element(_FIELD, line)
    made.set("name", name)
    form.append(made)
    return made


def _element(local: str, line: int) -> Element:
    made = etree.Element(f"{{{Namespace.PILOTHOUSE}}}{local}")
    made.sourceline = line  # type: ignore[assignment]  # the stubs have no type for it
    return made
