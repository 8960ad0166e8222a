"""What the parts of the reader share: the problems found so far, the evaluator, and the declarations of the file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from lxml import etree

from pilothouse.bpmn.advice import for_element, for_extension
from pilothouse.bpmn.definition import Flow, Loop, Mapped
from pilothouse.bpmn.errors import DefinitionRejectedError, Problem
from pilothouse.bpmn.expressions import Expressions, Value
from pilothouse.bpmn.xml import FILE, OTHER_ENGINES, Element, Namespace, children, line_of, name_of
from pilothouse.domain.errors import InvalidError

Topics = Mapping[str, Collection[str] | None]
MAXIMUM_EXPRESSIONS = 200_000
"""Characters of all expressions of a file: a second or two of reading them."""
PLAIN_CHILDREN = frozenset({"documentation", "extensionElements", "incoming", "outgoing"})


class Base(TypedDict):
    """What every node has, as keyword arguments."""

    id: str
    name: str
    line: int
    scope: str
    incoming: tuple[str, ...]
    outgoing: tuple[str, ...]


@dataclass(kw_only=True)
class Reading:
    """
    One reading of one file.

    ``declared`` are the messages, signals, errors and escalations by id; ``flows`` the sequence flows by id;
    ``loops`` how activities repeat, by activity; ``left_out`` the ids of rejected elements that became no node, so that what only follows from them is not told too.
    """

    expressions: Expressions
    topics: Topics | None
    problems: list[Problem] = field(default_factory=list)
    declared: dict[str, Element] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    loops: dict[str, Loop] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    characters: int = 0

    def reject(self, element: Element, problem: str, cure: str) -> None:
        """Note a problem of an element; reading goes on."""
        self.problems.append(
            Problem(element=owner_id(element), line=line_of(element), problem=problem, cure=cure)
        )

    def weigh(self, characters: int) -> None:
        """
        Count what is to be read as expressions.

        Raises
        ------
        DefinitionRejectedError
            When it is more than is read.
        """
        self.characters += characters
        if self.characters > MAXIMUM_EXPRESSIONS:
            problem = f"its expressions have more than {MAXIMUM_EXPRESSIONS:,} characters in all"
            cure = "Move long ones into decision tables, or split the process."
            raise DefinitionRejectedError(
                problems=(Problem(element=FILE, line=0, problem=problem, cure=cure),)
            )

    def value(self, element: Element, text: str, *, what: str) -> Value:
        """Read a literal, or compile an expression; a bad one is a problem."""
        if not text.startswith("="):
            return Value(text=text)
        self.weigh(len(text))
        try:
            return Value(text=text, compiled=self.expressions.compile(text[1:].strip()))
        except InvalidError as error:
            self.reject(
                element,
                f"the expression of the {what} is not valid: {error}",
                "Correct the expression.",
            )
            return Value(text=text)

    def optional(self, element: Element | None, name: str, *, what: str) -> Value | None:
        """Read an attribute that may be missing or empty."""
        text = (element.get(name) or "").strip() if element is not None else ""
        return self.value(element, text, what=what) if element is not None and text else None

    def required(self, element: Element, name: str, *, what: str) -> str:
        """Read an attribute that must be there; without it the text is empty and a problem noted."""
        text = (element.get(name) or "").strip()
        if not text:
            self.reject(element, f"the {what} is missing", f"Give it in the attribute {name}.")
        return text

    def literal(self, element: Element, name: str, *, what: str) -> str:
        """Read an attribute that must be there and must not be an expression."""
        text = self.required(element, name, what=what)
        if text.startswith("="):
            self.reject(element, f"the {what} is an expression", "Write it as plain text.")
        return text

    def whole(self, element: Element, name: str, *, default: int, lowest: int) -> int:
        """Read a whole number from `lowest` to 100."""
        text = (element.get(name) or str(default)).strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else -1
        if not lowest <= number <= 100:
            self.reject(
                element,
                f"{name} is {text!r}, not a whole number from {lowest} to 100",
                "Write it in digits; expressions are not taken here.",
            )
            return default
        return number

    def check_children(self, element: Element, *known: str) -> None:
        """Reject what stands inside an element and is neither known nor mere drawing."""
        for child in element.iterchildren(etree.Element):
            name = name_of(child)
            if name.space != Namespace.BPMN or name.local not in PLAIN_CHILDREN.union(known):
                self.reject(
                    element, f"a {name.local} is not executed here", for_element(name.local)
                )

    def extensions(self, element: Element, *known: str) -> dict[str, Element]:
        """
        Give the zeebe and pilothouse extensions of an element by local name.

        One that is not `known` here is rejected, and so is a second one of the same name; metadata of
        drawing tools is left alone.
        """
        found: dict[str, Element] = {}
        allowed = {*known, "properties", "versionTag"}
        for child in _extension_elements(element):
            name = name_of(child)
            if name.space not in (Namespace.ZEEBE, Namespace.PILOTHOUSE):
                continue
            if name.local not in allowed or name.local in found:
                again = "a second" if name.local in found else "the extension"
                self.reject(
                    element, f"{again} {name.local} is not executed here", for_extension(name.local)
                )
            found[name.local] = child
        return found

    def mappings(self, io: Element | None, direction: str) -> tuple[Mapped, ...]:
        """Read the inputs or outputs of a zeebe:ioMapping."""
        if io is None:
            return ()
        return tuple(self._mapped(e, direction) for e in children(io, direction, Namespace.ZEEBE))

    def _mapped(self, element: Element, direction: str) -> Mapped:
        target = self.literal(element, "target", what=f"target of the {direction} mapping")
        if target and not target.replace("_", "a").isalnum():
            self.reject(
                element,
                f"the {direction} target {target!r} is not a plain variable name",
                "Use letters, digits and _, and map a whole object by a FEEL context.",
            )
        source = self.required(element, "source", what=f"source of the {direction} mapping")
        return Mapped(
            source=self.value(element, source, what=f"{direction} mapping {target}"), target=target
        )

    def reject_other_engines(self, root: Element) -> None:
        """Reject every attribute and extension that tells another engine how to run an element."""
        for element in root.iter(etree.Element):
            spaces = {
                name_of(element).space,
                *(etree.QName(str(a)).namespace for a in element.attrib),
            }
            for space in sorted(spaces.intersection(OTHER_ENGINES), key=str):
                self.reject(
                    element,
                    f"it is written for {OTHER_ENGINES[str(space)]}",
                    "Write it for Camunda 8 (zeebe extensions and FEEL).",
                )


def _extension_elements(element: Element) -> list[Element]:
    return [
        child
        for holder in children(element, "extensionElements")
        for child in holder.iterchildren(etree.Element)
    ]


def owner_id(element: Element) -> str:
    """Give the id of an element, or of the nearest one around it that has one."""
    around = (element, *element.iterancestors())
    return next((str(e.get("id")) for e in around if e.get("id")), FILE)
