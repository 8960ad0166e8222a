"""Decision tables of a file. Source: DMN 1.5, section 8.3."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from pilothouse.dmn.document import whole_text
from pilothouse.dmn.reading import NOTHING, SILENT
from pilothouse.dmn.tables.clauses import (
    Aggregation,
    HitPolicy,
    InputClause,
    OutputClause,
    OutputEntry,
    Rule,
)
from pilothouse.dmn.tables.index import column_index
from pilothouse.dmn.tables.table import DecisionTable
from pilothouse.feel import Budget, FeelBudgetError
from pilothouse.feel.constants import Known, constants, known_text
from pilothouse.feel.types import Constrained, ContextType, ListType, Named, SimpleType, bare

if TYPE_CHECKING:
    from lxml import etree

    from pilothouse.dmn.document import Document
    from pilothouse.dmn.reading import Reading
    from pilothouse.feel import UnaryTests, Value
    from pilothouse.feel.types import Type

_ORDERED = (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER)
_ONE_OUTPUT = (Aggregation.SUM, Aggregation.MIN, Aggregation.MAX)
_FITTING: dict[str, type] = {"number": Decimal, "string": str, "boolean": bool}
_OWNERS = ("decision", "businessKnowledgeModel")


def read_table(reading: Reading, element: etree._Element) -> DecisionTable:
    """
    Read a decision table; note a problem for each thing in it that cannot run.

    Parameters
    ----------
    reading
        The reading of what the table stands in.
    element
        The table.
    """
    return _TableReader(reading, element).table()


_SETTLING_STEPS = 200
"""What it may take to hold a constant to its column while a table is read; else that is done at each evaluation."""


class _TableReader:
    def __init__(self, reading: Reading, element: etree._Element) -> None:
        self._reading = reading
        self._document: Document = reading.document
        self._element = element
        self._policy = self._read_policy()
        self._constants: dict[str, Known | None] = {}

    def table(self) -> DecisionTable:
        document, element = self._document, self._element
        document.refuse_strangers(element, "input", "output", "annotation", "rule", *SILENT)
        aggregation = self._aggregation()
        inputs = _distinct(tuple(self._input(e) for e in document.children(element, "input")))
        outputs = tuple(self._output(e) for e in document.children(element, "output"))
        self._check_outputs(outputs, aggregation)
        rules = tuple(
            self._rule(e, i, inputs, outputs)
            for i, e in enumerate(document.children(element, "rule"), 1)
        )
        return DecisionTable(
            owner=self._owner(),
            line=_line(element),
            policy=self._policy,
            aggregation=aggregation,
            inputs=inputs,
            outputs=outputs,
            rules=rules,
            names=_names(inputs, outputs, rules),
            columns=tuple(
                column_index([rule.tests[place] for rule in rules if place < len(rule.tests)])
                for place in range(len(inputs))
            ),
        )

    def _owner(self) -> str:
        above = self._element.getparent()
        while above is not None and self._document.name(above) not in _OWNERS:
            above = above.getparent()
        return "" if above is None else str(above.get("id") or above.get("name") or "")

    def _read_policy(self) -> HitPolicy:
        text = self._element.get("hitPolicy", HitPolicy.UNIQUE.value)
        try:
            return HitPolicy(text)
        except ValueError:
            cure = "Use one of " + ", ".join(HitPolicy)
            self._document.refuse(self._element, f"there is no hit policy {text!r}", cure)
            return HitPolicy.UNIQUE

    def _aggregation(self) -> Aggregation:
        text = self._element.get("aggregation", Aggregation.LIST.value)
        try:
            aggregation = Aggregation(text)
        except ValueError:
            cure = "Use one of " + ", ".join(a for a in Aggregation if a is not Aggregation.LIST)
            self._document.refuse(self._element, f"there is no aggregation {text!r}", cure)
            return Aggregation.LIST
        if aggregation is not Aggregation.LIST and self._policy is not HitPolicy.COLLECT:
            self._document.refuse(
                self._element, "only COLLECT has an aggregation", "Take the aggregation out"
            )
        return aggregation

    def _input(self, element: etree._Element) -> InputClause:
        document = self._document
        document.refuse_strangers(element, "inputExpression", "inputValues", *SILENT)
        holder = document.child(element, "inputExpression")
        if holder is None:
            document.refuse(element, "it has no input expression", "Give it one")
        expression = NOTHING if holder is None else self._reading.expression(holder)
        label = " ".join(str(element.get("label", "")).split())
        kind = self._reading.types.of(element if holder is None else holder)
        return InputClause(
            label=label or expression.text,
            expression=expression,
            type=kind,
            allowed=self._reading.types.allowed(document.child(element, "inputValues")),
            variable=expression.text if expression.names == {expression.text} else "",
            fitting=_FITTING.get(kind.name) if isinstance(kind, SimpleType) else None,
        )

    def _output(self, element: etree._Element) -> OutputClause:
        document = self._document
        document.refuse_strangers(element, "outputValues", "defaultOutputEntry", *SILENT)
        kind = self._reading.types.of(element)
        allowed = self._reading.types.allowed(document.child(element, "outputValues"))
        clause = OutputClause(
            name=str(element.get("name", "")),
            type=kind,
            allowed=allowed,
            priorities=self._priorities(element, allowed or self._allowed_by_type(element)),
        )
        default = document.child(element, "defaultOutputEntry")
        return clause if default is None else replace(clause, default=self._said(default, clause))

    def _priorities(self, element: etree._Element, allowed: UnaryTests | None) -> tuple[Value, ...]:
        """List the output values in order; only a list of plain values has one."""
        if allowed is None or self._policy not in _ORDERED:
            return ()
        values = None if allowed.tree.negated else constants(allowed.tree)
        if values is None:
            cure = "List the values in order"
            self._document.refuse(element, "its output values are no list of values", cure)
        return values or ()

    def _allowed_by_type(self, element: etree._Element) -> UnaryTests | None:
        """Find the allowed values of an output by its type; where it has none, by the type of the whole table."""
        if element.get("typeRef"):
            return _limit(self._reading.types.of(element))
        whole = _item(self._whole_type())
        several = len(list(self._document.children(self._element, "output"))) > 1
        if not several:
            return _limit(whole)
        parts = bare(whole)
        name = str(element.get("name", ""))
        found = parts.entries.get(name) if isinstance(parts, ContextType) else None
        return None if found is None else _limit(found)

    def _whole_type(self) -> Type:
        """Give the type of the table, or of the variable that holds its value."""
        above = self._element.getparent()
        variable = None if above is None else self._document.child(above, "variable")
        own = self._element.get("typeRef") or variable is None
        return self._reading.types.of(self._element if own or variable is None else variable)

    def _check_outputs(self, outputs: tuple[OutputClause, ...], aggregation: Aggregation) -> None:
        refuse = self._document.refuse
        if not outputs:
            refuse(self._element, "the table has no output", "Add one")
        names = [clause.name for clause in outputs]
        if len(outputs) > 1 and ("" in names or len(set(names)) < len(names)):
            refuse(self._element, "its outputs need different names", "Name each of them")
        if self._policy in _ORDERED and not any(clause.priorities for clause in outputs):
            refuse(
                self._element,
                f"hit policy {self._policy.value} needs output values",
                "List the output values from the highest priority down",
            )
        if aggregation in _ONE_OUTPUT and len(outputs) > 1:
            refuse(
                self._element,
                f"{aggregation.value} needs a table with one output",
                "Take the other outputs out",
            )

    def _rule(
        self,
        element: etree._Element,
        index: int,
        inputs: tuple[InputClause, ...],
        outputs: tuple[OutputClause, ...],
    ) -> Rule:
        document = self._document
        document.refuse_strangers(element, "inputEntry", "outputEntry", "annotationEntry", *SILENT)
        tests = tuple(self._reading.tests(e) for e in document.children(element, "inputEntry"))
        entries = list(document.children(element, "outputEntry"))
        self._check_count(element, "input", len(tests), len(inputs))
        self._check_count(element, "output", len(entries), len(outputs))
        return Rule(
            rule=str(element.get("id") or f"rule {index}"),
            index=index,
            annotation=self._annotation(element),
            tests=tests,
            outputs=tuple(self._said(e, c) for e, c in zip(entries, outputs, strict=False)),
            line=_line(element),
        )

    def _check_count(self, element: etree._Element, kind: str, found: int, wanted: int) -> None:
        if found != wanted:
            self._document.refuse(
                element,
                f"it has {found} {kind} entries, and the table {wanted} {kind}s",
                f"Give it one {kind} entry for each {kind}",
            )

    def _annotation(self, element: etree._Element) -> str:
        document = self._document
        notes = [document.text(e) for e in document.children(element, "annotationEntry")]
        description = document.child(element, "description")
        if not any(notes) and description is not None:
            notes = [whole_text(description)]
        return "; ".join(note for note in notes if note)

    def _said(self, element: etree._Element, clause: OutputClause) -> OutputEntry:
        """Read an output entry; what it says is settled here, where it is a constant."""
        entry = OutputEntry(expression=self._reading.expression(element))
        text = entry.expression.text
        if text not in self._constants:
            self._constants[text] = known_text(text)
        if self._constants[text] is None:
            return entry
        budget = Budget(steps=_SETTLING_STEPS)
        try:
            value = entry.value(clause, {}, budget)
        except FeelBudgetError:
            return entry  # its column allows what takes long to say
        if budget.nulls:
            return replace(entry, trouble=budget.nulls[0].problem)
        return replace(entry, constant=Known(value=value))


def _distinct(inputs: tuple[InputClause, ...]) -> tuple[InputClause, ...]:
    """Tell inputs with the same label apart by their expressions: what fired is kept by labels."""
    count = Counter(clause.label for clause in inputs)
    return tuple(
        clause
        if count[clause.label] == 1
        else replace(clause, label=f"{clause.label} ({clause.expression.text})")
        for clause in inputs
    )


def _limit(kind: Type) -> UnaryTests | None:
    """Give the allowed values of a type."""
    while isinstance(kind, (Named, Constrained)):
        if isinstance(kind, Constrained):
            return cast("UnaryTests", kind.allowed)  # the type reader makes no others
        kind = kind.base
    return None


def _item(kind: Type) -> Type:
    """Give the type of the items where a type is one of lists; tables of several hits give lists."""
    found = bare(kind)
    return found.item if isinstance(found, ListType) else kind


def _line(element: etree._Element) -> int:
    return cast("int | None", element.sourceline) or 0


def _names(
    inputs: tuple[InputClause, ...], outputs: tuple[OutputClause, ...], rules: tuple[Rule, ...]
) -> frozenset[str]:
    expressions = [c.expression for c in inputs]
    expressions += [c.default.expression for c in outputs if c.default is not None]
    expressions += [entry.expression for rule in rules for entry in rule.outputs]
    tests = [t for rule in rules for t in rule.tests]
    return frozenset().union(*(e.names for e in expressions), *(t.names for t in tests))
