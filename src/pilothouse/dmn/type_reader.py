"""Type references and item definitions of a file. Source: DMN 1.5, section 7.3.2."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.dmn.document import whole_text
from pilothouse.dmn.types import ANY, BUILT_IN, Type
from pilothouse.feel import FeelSyntaxError, UnaryTests, compile_unary_tests

if TYPE_CHECKING:
    from lxml import etree

    from pilothouse.dmn.document import Document

_MAXIMUM_DEPTH = 20


class TypeReader:
    """
    Finds the types that elements refer to.

    Parameters
    ----------
    document
        The file.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._definitions = {
            e.get("name", ""): e for e in document.children(document.root, "itemDefinition")
        }
        for element in self._definitions.values():
            self._defined(element, 0)

    def of(self, element: etree._Element) -> Type:
        """Give the type of an element by its ``typeRef``; any, where it has none."""
        return self._named(element, element.get("typeRef", ""), 0)

    def allowed(self, element: etree._Element | None) -> UnaryTests | None:
        """Read the allowed values of an element that may not be there."""
        text = self._document.text(element)
        if element is None or text in ("", "-"):
            return None
        try:
            return compile_unary_tests(text)
        except FeelSyntaxError as error:
            self._document.refuse(element, error.message, "Correct the allowed values")
            return None

    def _named(self, element: etree._Element, name: str, depth: int) -> Type:
        plain = name.removeprefix("feel:")
        if plain in ANY:
            return Type()
        if name in self._definitions:
            return self._defined(self._definitions[name], depth)
        # DMN 1.1 writes names of its own as prefix:name.
        local = plain.rpartition(":")[2]
        if local in self._definitions:
            return self._defined(self._definitions[local], depth)
        if local in BUILT_IN:
            return Type(name=local, kind=BUILT_IN[local])
        self._document.refuse(
            element,
            f"the type {name!r} is not known",
            "Define it in this file, or use one of " + ", ".join(sorted(set(BUILT_IN.values()))),
        )
        return Type()

    def _defined(self, element: etree._Element, depth: int) -> Type:
        document = self._document
        if depth > _MAXIMUM_DEPTH:
            document.refuse(element, "the type contains itself", "Define it without a circle")
            return Type()
        document.refuse_strangers(
            element,
            *("typeRef", "allowedValues", "itemComponent", "description", "extensionElements"),
        )
        reference = document.child(element, "typeRef")
        name = "" if reference is None else whole_text(reference)
        base = self._named(element, name, depth + 1)
        components = {
            c.get("name", ""): self._defined(c, depth + 1)
            for c in document.children(element, "itemComponent")
        }
        allowed = self.allowed(document.child(element, "allowedValues"))
        kind = replace(
            base,
            name=str(element.get("name", "")),
            allowed=allowed or base.allowed,
            components=components or base.components,
        )
        return Type(name=kind.name, items=kind) if element.get("isCollection") == "true" else kind
