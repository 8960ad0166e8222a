"""DMN XML to decisions. Whatever would not run exactly as written is refused here, all of it at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.dmn.decisions import Decision, Decisions, InputData
from pilothouse.dmn.document import Document
from pilothouse.dmn.requirements import ordered_requirements
from pilothouse.dmn.table_reader import read_expression, read_table
from pilothouse.dmn.type_reader import TypeReader

if TYPE_CHECKING:
    from lxml import etree

    from pilothouse.dmn.tables import DecisionTable
    from pilothouse.dmn.types import Type
    from pilothouse.feel import Expression

# These say something to people and nothing to an engine.
_SILENT = (
    "description",
    "extensionElements",
    "textAnnotation",
    "association",
    "group",
    "artifact",
    "knowledgeSource",
    "performanceIndicator",
    "organizationUnit",
    "elementCollection",
)
_SILENT_IN_DECISION = (
    "description",
    "extensionElements",
    "question",
    "allowedAnswers",
    "authorityRequirement",
    "supportedObjective",
    "impactedPerformanceIndicator",
    "decisionMaker",
    "decisionOwner",
    "usingProcess",
    "usingTask",
)


def read_decisions(xml: bytes) -> Decisions:
    """
    Read a DMN file.

    Parameters
    ----------
    xml
        The bytes of the file: DMN 1.1 to 1.5, at most 1,000,000.

    Returns
    -------
    Decisions
        Its decisions, compiled.

    Raises
    ------
    DmnRejectedError
        When the file is not DMN or holds anything that would not run exactly as written; it lists every problem
        with element, line and cure.
    """
    document = Document(xml)
    decisions = _Reader(document).decisions()
    document.close()
    return Decisions(name=document.root.get("name", ""), decisions=decisions)


class _Reader:
    """One reading of one file."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._root = document.root
        self._elements: dict[str, etree._Element] = {}
        self._types = TypeReader(document)
        self._names: tuple[str, ...] = ()

    def decisions(self) -> dict[str, Decision]:
        document = self._document
        document.refuse_strangers(self._root, "decision", "inputData", "itemDefinition", *_SILENT)
        self._check_language()
        self._index()
        self._names = tuple(self._variable(e) for e in self._elements.values())
        inputs = {
            i: InputData(name=self._variable(e), type=self._type_of(e))
            for i, e in self._elements.items()
            if document.name(e) == "inputData"
        }
        read = [
            self._decision(e, inputs)
            for e in self._elements.values()
            if document.name(e) == "decision"
        ]
        if not read:
            document.refuse(self._root, "the file has no decision", "Add one")
        decisions = {d.id: d for d in read if d is not None}
        return self._ordered(decisions)

    def _check_language(self) -> None:
        for element in self._root.iter():
            language = element.get("expressionLanguage", "FEEL")
            if self._document.name(element) and "FEEL" not in language.upper():
                self._document.refuse(
                    element, f"the expression language {language!r} is not supported", "Use FEEL"
                )

    def _index(self) -> None:
        for element in self._document.children(self._root, "decision", "inputData"):
            known_as = _attribute(element, "id") or _attribute(element, "name")
            if not known_as:
                self._document.refuse(element, "it has neither id nor name", "Give it both")
            elif known_as in self._elements:
                self._document.refuse(element, "the id is used twice", "Make ids unique")
            else:
                self._elements[known_as] = element
        self._check_names()

    def _check_names(self) -> None:
        seen: dict[str, str] = {}
        for known_as, element in self._elements.items():
            variable = self._variable(element)
            if seen.setdefault(variable, known_as) != known_as:
                self._document.refuse(
                    element, f"the name {variable!r} is used twice", "Make names unique"
                )

    def _variable(self, element: etree._Element) -> str:
        variable = self._document.child(element, "variable")
        own = _attribute(element, "name") or _attribute(element, "id")
        return own if variable is None else _attribute(variable, "name") or own

    def _type_of(self, element: etree._Element) -> Type:
        variable = self._document.child(element, "variable")
        return self._types.of(element if variable is None else variable)

    def _decision(self, element: etree._Element, inputs: dict[str, InputData]) -> Decision | None:
        document = self._document
        document.refuse_strangers(
            element,
            *("variable", "informationRequirement", "decisionTable", "literalExpression"),
            *_SILENT_IN_DECISION,
        )
        known_as = _attribute(element, "id") or _attribute(element, "name")
        logic = self._logic(element, known_as)
        hrefs = self._requirements(element)
        if logic is None:
            return None
        return Decision(
            id=known_as,
            name=_attribute(element, "name") or known_as,
            variable=self._variable(element),
            type=self._type_of(element),
            logic=logic,
            inputs=tuple(inputs[h] for h in hrefs if h in inputs),
            requires=tuple(h for h in hrefs if h not in inputs),
        )

    def _logic(self, element: etree._Element, known_as: str) -> DecisionTable | Expression | None:
        document = self._document
        table = document.child(element, "decisionTable")
        if table is not None:
            return read_table(document, table, known_as, self._types, self._names)
        expression = document.child(element, "literalExpression")
        if expression is None:
            document.refuse(
                element,
                "it has no decision table and no literal expression",
                "Give it one of them",
            )
            return None
        return read_expression(document, expression, self._names)

    def _requirements(self, element: etree._Element) -> tuple[str, ...]:
        found = []
        for requirement in self._document.children(element, "informationRequirement"):
            for target in self._document.children(requirement, "requiredInput", "requiredDecision"):
                href = target.get("href", "")
                known_as = href.removeprefix("#")
                if known_as in self._elements and href.startswith("#"):
                    found.append(known_as)
                else:
                    self._document.refuse(
                        target, f"it requires {href!r}, which is not in this file", "Add it"
                    )
        return tuple(found)

    def _ordered(self, decisions: dict[str, Decision]) -> dict[str, Decision]:
        direct = {d.id: d.requires for d in decisions.values()}
        orders, circles = ordered_requirements(direct)
        for known_as in circles:
            self._document.refuse(
                self._elements[known_as],
                "it requires itself, through other decisions or directly",
                "Take one requirement of the circle out",
            )
        return {i: replace(d, requires=orders.get(i, ())) for i, d in decisions.items()}


def _attribute(element: etree._Element, name: str) -> str:
    return str(element.get(name, ""))
