"""Type references and item definitions of a file. Source: DMN 1.5, section 7.3.3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.dmn.document import whole_text
from pilothouse.dmn.types import BUILT_IN
from pilothouse.feel import FeelSyntaxError, UnaryTests, compile_unary_tests
from pilothouse.feel.names import normal
from pilothouse.feel.types import ANY, Constrained, ContextType, FunctionType, ListType, Named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from pilothouse.dmn.document import Document
    from pilothouse.feel.types import Type

MAXIMUM_DEPTH = 40
"""How many item definitions may stand inside one another, by reference or as components."""

_PARTS = (
    *("typeRef", "allowedValues", "typeConstraint", "itemComponent", "functionItem"),
    *("description", "extensionElements"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTypes:
    """
    The types of a file that this one imports.

    Parameters
    ----------
    name
        What this file calls it; empty where its names are used as they are.
    namespace
        Its namespace.
    types
        Its types by name, those that it imports itself with the name of the import before.
    depths
        How many types stand inside one another in each named type, by the identity of the type.
    """

    name: str
    namespace: str
    types: Mapping[str, Type]
    depths: Mapping[int, int]

    def qualified(self) -> dict[str, Type]:
        """Give the types under the names that this file uses."""
        before = f"{self.name}." if self.name else ""
        return {before + name: kind for name, kind in self.types.items()}


class TypeReader:
    """
    The types of a file.

    Parameters
    ----------
    document
        The file; problems of its item definitions are noted there.
    imports
        The types of the files that it imports.
    """

    def __init__(self, document: Document, *, imports: tuple[ImportedTypes, ...] = ()) -> None:
        self._document = document
        self._namespaces = {i.namespace: i.types for i in imports}
        self._foreign = {n: t for i in imports for n, t in i.qualified().items()}
        self._elements: dict[str, etree._Element] = {}
        self._own: dict[str, Type] = {}
        self.depths: dict[int, int] = {t: d for i in imports for t, d in i.depths.items()}
        """How many types stand inside one another in each named type, by the identity of the type."""
        self._broken: set[str] = set()
        self._open: list[str] = []
        self.components: set[str] = set()
        """The names of all components."""
        self._index()
        for name in self._elements:
            self._defined(name)
        good = {n: t for n, t in self._own.items() if n not in self._broken}
        self.named: Mapping[str, Type] = {**self._foreign, **good}
        """The types that FEEL texts may name, those of imported files with the name of the import before."""

    def of(self, element: etree._Element) -> Type:
        """Give the type of an element by its ``typeRef``; any, where it has none."""
        name = normal(element.get("typeRef", ""))
        found = self._found(element, name)
        if self._own_name(element, name) in self._broken:
            problem = f"its type {name!r} cannot be used as it is defined"
            self._document.refuse(element, problem, "Correct the type")
        return found

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

    def _index(self) -> None:
        for element in self._document.children(self._document.root, "itemDefinition"):
            name = normal(element.get("name", ""))
            if name in self._elements:
                self._document.refuse(element, f"the type {name!r} is defined twice", "Rename one")
            self._elements.setdefault(name, element)

    def _own_name(self, element: etree._Element, name: str) -> str:
        """Give the name of the item definition that is meant; empty where it is none of this file."""
        if name in self._elements:
            return name
        # DMN 1.1 writes names of its own as prefix:name.
        prefix, _, local = name.rpartition(":")
        foreign = element.nsmap.get(prefix) in self._namespaces
        return local if local in self._elements and not foreign else ""

    def _found(self, element: etree._Element, name: str) -> Type:
        own = self._own_name(element, name)
        if own:
            return self._defined(own)
        prefix, _, local = name.rpartition(":")
        imported = self._namespaces.get(element.nsmap.get(prefix) or "", {}) if prefix else {}
        for types, key in ((self._foreign, name), (imported, local), (BUILT_IN, local)):
            if key in types:
                return types[key]
        cure = "Define it in this file, or use one of " + ", ".join(
            sorted(n for n in BUILT_IN if n)
        )
        self._document.refuse(element, f"the type {name!r} is not known", cure)
        return ANY

    def _defined(self, name: str) -> Type:
        if name in self._own:
            return self._own[name]
        element = self._elements[name]
        before = len(self._document.problems)
        if len(self._open) > MAXIMUM_DEPTH:
            return self._too_deep(element)
        if name in self._open:
            circle = [*self._open[self._open.index(name) :], name]
            problem = f"the type contains itself: {' → '.join(circle)}"
            self._document.refuse(element, problem, "Define it without a circle")
            return ANY
        self._open.append(name)
        kind = Named(name, self._whole(element))
        self._open.pop()
        if len(self._document.problems) > before:
            self._broken.add(name)
        self._own[name] = kind
        self.depths[id(kind)] = self._depth(kind)
        return kind

    def _whole(self, element: etree._Element) -> Type:
        """Read an item definition or a component of one."""
        document = self._document
        document.refuse_strangers(element, *_PARTS)
        kind = self._constrained(self._base(element), document.child(element, "allowedValues"))
        if element.get("isCollection") in ("true", "1"):
            kind = ListType(kind)
        kind = self._constrained(kind, document.child(element, "typeConstraint"))
        return self._shallow(element, kind)

    def _constrained(self, kind: Type, element: etree._Element | None) -> Type:
        allowed = self.allowed(element)
        return kind if allowed is None else Constrained(kind, allowed)

    def _shallow(self, element: etree._Element, kind: Type) -> Type:
        return kind if self._depth(kind) <= MAXIMUM_DEPTH else self._too_deep(element)

    def _too_deep(self, element: etree._Element) -> Type:
        problem = f"more than {MAXIMUM_DEPTH} types stand inside one another"
        self._document.refuse(element, problem, "Define it with fewer levels")
        return ANY

    def _depth(self, kind: Type) -> int:
        known = self.depths.get(id(kind))
        if known is not None:
            return known
        return 1 + max((self._depth(part) for part in _parts(kind)), default=0)

    def _base(self, element: etree._Element) -> Type:
        document = self._document
        function = document.child(element, "functionItem")
        if function is not None:
            return self._function(function)
        components = list(document.children(element, "itemComponent"))
        reference = document.child(element, "typeRef")
        if not components:
            return ANY if reference is None else self._found(reference, whole_text(reference))
        entries = {normal(c.get("name", "")): self._whole(c) for c in components}
        self.components |= entries.keys()
        if len(entries) < len(components):
            document.refuse(element, "its components need different names", "Rename them")
        return ContextType(entries)

    def _function(self, element: etree._Element) -> Type:
        self._document.refuse_strangers(element, "parameters", "description", "extensionElements")
        parameters = tuple(
            self._found(p, normal(p.get("typeRef", "")))
            for p in self._document.children(element, "parameters")
        )
        return FunctionType(
            parameters, self._found(element, normal(element.get("outputTypeRef", "")))
        )


def _parts(kind: Type) -> tuple[Type, ...]:
    match kind:
        case Named(base=base) | Constrained(base=base):
            return (base,)
        case ListType(item=item):
            return (item,)
        case ContextType(entries=entries):
            return tuple(entries.values())
        case FunctionType(parameters=parameters, result=result):
            return (*parameters, result)
        case _:
            return ()
