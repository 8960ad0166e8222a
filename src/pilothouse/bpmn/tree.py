"""Rewriting a parsed file: attributes and extensions taken out, and others put in at the same line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.juel import feel_of_template
from pilothouse.bpmn.xml import Element, Namespace, children, line_of

if TYPE_CHECKING:
    from pilothouse.bpmn.reading import Reading

CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
_CODE = "Write a comparison of variables, compute the value in a service task, or in FEEL in a zeebe:ioMapping."


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A file of Camunda 7 that is being rewritten."""

    reading: Reading
    root: Element

    def reject(self, element: Element, problem: str, cure: str) -> None:
        """Note a problem of an element."""
        self.reading.reject(element, problem, cure)

    def attributes(self, element: Element) -> list[str]:
        """Give the local names of an element's Camunda attributes."""
        names = (etree.QName(str(name)) for name in element.attrib)
        return [name.localname for name in names if name.namespace == CAMUNDA]

    def take(self, element: Element, local: str) -> str | None:
        """Take a Camunda attribute out of an element, None where it has none."""
        name = f"{{{CAMUNDA}}}{local}"
        value = element.get(name)
        if value is not None:
            del element.attrib[name]
        return value.strip() if value is not None else None

    def take_extension(self, element: Element, local: str) -> Element | None:
        """Take a Camunda extension element out of an element, None where it has none."""
        for holder in children(element, "extensionElements"):
            for found in children(holder, local, CAMUNDA):
                holder.remove(found)
                return found
        return None

    def extend(
        self, element: Element, local: str, space: str = Namespace.ZEEBE, /, **attributes: str
    ) -> Element:
        """Give an element an extension, which stands at its line."""
        holders = children(element, "extensionElements")
        holder = (
            holders[0] if holders else self._added(element, Namespace.BPMN, "extensionElements")
        )
        extension = self._added(holder, space, local)
        for name, value in attributes.items():
            extension.set(name, value)
        return extension

    def child(self, parent: Element, local: str, space: str, **attributes: str) -> Element:
        """Give an extension a child."""
        added = self._added(parent, space, local)
        for name, value in attributes.items():
            added.set(name, value)
        return added

    def _added(self, parent: Element, space: str, local: str) -> Element:
        added = etree.SubElement(parent, f"{{{space}}}{local}")
        added.sourceline = line_of(parent)  # type: ignore[assignment]  # the stubs have no type for it
        return added

    def mapping(self, element: Element) -> Element:
        """Give the zeebe:ioMapping of an element, made now where it has none."""
        for holder in children(element, "extensionElements"):
            for found in children(holder, "ioMapping", Namespace.ZEEBE):
                return found
        return self.extend(element, "ioMapping")

    def map_output(self, element: Element, *, source: str, target: str) -> None:
        """Give an element an output mapping."""
        self.child(self.mapping(element), "output", Namespace.ZEEBE, source=source, target=target)

    def feel(self, element: Element, text: str, *, what: str) -> str:
        """Rewrite a text with ``${…}``; one that is not simple is a problem, and becomes null."""
        self.reading.weigh(len(text))
        try:
            return feel_of_template(text)
        except ValueError as error:
            self.reject(element, f"the {what} cannot be taken over: {error}", _CODE)
            return "=null"
