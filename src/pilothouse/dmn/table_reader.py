"""Decision tables and literal expressions of a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.dmn.document import whole_text
from pilothouse.dmn.tables import (
    Aggregation,
    DecisionTable,
    HitPolicy,
    InputClause,
    OutputClause,
    Rule,
)
from pilothouse.feel import (
    Budget,
    Expression,
    FeelBudgetError,
    FeelPatternError,
    FeelSyntaxError,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
)

if TYPE_CHECKING:
    from lxml import etree

    from pilothouse.dmn.document import Document
    from pilothouse.dmn.type_reader import TypeReader
    from pilothouse.feel import Value

_ORDERED = (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER)
_ONE_OUTPUT = (Aggregation.SUM, Aggregation.MIN, Aggregation.MAX)
_SILENT = ("description", "extensionElements")
_NOTHING = compile_expression("null")
_EVERYTHING = compile_unary_tests("-")


def read_expression(
    document: Document, element: etree._Element, names: tuple[str, ...]
) -> Expression:
    """
    Compile the expression in the ``text`` of an element; note a problem where it is none.

    Parameters
    ----------
    document
        The file.
    element
        The element that holds the ``text``.
    names
        The variables that the file declares.
    """
    document.refuse_strangers(element, "text", *_SILENT)
    text = document.text(element)
    if not text:
        document.refuse(element, "it has no text", "Write a FEEL expression; null says nothing")
        return _NOTHING
    try:
        return compile_expression(text, names=names)
    except FeelSyntaxError as error:
        document.refuse(element, error.message, "Correct the expression")
        return _NOTHING


def read_table(
    document: Document,
    element: etree._Element,
    decision: str,
    types: TypeReader,
    names: tuple[str, ...],
) -> DecisionTable:
    """
    Read a decision table; note a problem for each thing in it that cannot run.

    Parameters
    ----------
    document
        The file.
    element
        The table.
    decision
        The id of its decision.
    types
        The types of the file.
    names
        The variables that it declares.
    """
    return _TableReader(document, element, types, names).table(decision)


class _TableReader:
    def __init__(
        self,
        document: Document,
        element: etree._Element,
        types: TypeReader,
        names: tuple[str, ...],
    ) -> None:
        self._document = document
        self._element = element
        self._types = types
        self._names = names

    def table(self, decision: str) -> DecisionTable:
        document, element = self._document, self._element
        document.refuse_strangers(element, "input", "output", "annotation", "rule", *_SILENT)
        policy, aggregation = self._policy(), self._aggregation()
        inputs = tuple(self._input(e) for e in document.children(element, "input"))
        outputs = tuple(self._output(e) for e in document.children(element, "output"))
        self._check_outputs(outputs, policy, aggregation)
        rules = tuple(
            self._rule(e, i, len(inputs), outputs)
            for i, e in enumerate(document.children(element, "rule"), 1)
        )
        return DecisionTable(
            decision=decision,
            policy=policy,
            aggregation=aggregation,
            inputs=inputs,
            outputs=outputs,
            rules=rules,
            names=_names(inputs, outputs, rules),
        )

    def _policy(self) -> HitPolicy:
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
        collecting = self._element.get("hitPolicy") == HitPolicy.COLLECT
        if aggregation is not Aggregation.LIST and not collecting:
            self._document.refuse(
                self._element, "only COLLECT has an aggregation", "Take the aggregation out"
            )
        return aggregation

    def _input(self, element: etree._Element) -> InputClause:
        document = self._document
        document.refuse_strangers(element, "inputExpression", "inputValues", *_SILENT)
        holder = document.child(element, "inputExpression")
        if holder is None:
            document.refuse(element, "it has no input expression", "Give it one")
            return InputClause(label="", expression=_NOTHING, type=self._types.of(element))
        expression = read_expression(document, holder, self._names)
        declared = self._types.of(holder)
        allowed = self._types.allowed(document.child(element, "inputValues"))
        label = " ".join(element.get("label", "").split())
        return InputClause(
            label=label or expression.text,
            expression=expression,
            type=replace(declared, allowed=allowed or declared.allowed),
        )

    def _output(self, element: etree._Element) -> OutputClause:
        document = self._document
        document.refuse_strangers(element, "outputValues", "defaultOutputEntry", *_SILENT)
        values = document.child(element, "outputValues")
        declared = self._types.of(element)
        allowed = self._types.allowed(values) or declared.allowed
        default = document.child(element, "defaultOutputEntry")
        return OutputClause(
            name=element.get("name") or "",
            type=replace(declared, allowed=allowed),
            priorities=self._priorities(element, allowed),
            default=None if default is None else read_expression(document, default, self._names),
        )

    def _priorities(self, element: etree._Element, allowed: UnaryTests | None) -> tuple[Value, ...]:
        """List the output values in order; only a list of plain values has one."""
        if allowed is None or self._policy() not in _ORDERED:
            return ()
        try:
            values = compile_expression(f"[{allowed.text}]").evaluate({})
        except FeelSyntaxError:
            self._document.refuse(
                element, "its output values are no list of values", "List the values in order"
            )
            return ()
        return values if isinstance(values, tuple) else ()

    def _check_outputs(
        self, outputs: tuple[OutputClause, ...], policy: HitPolicy, aggregation: Aggregation
    ) -> None:
        refuse = self._document.refuse
        if not outputs:
            refuse(self._element, "the table has no output", "Add one")
        names = [clause.name for clause in outputs]
        if len(outputs) > 1 and ("" in names or len(set(names)) < len(names)):
            refuse(self._element, "its outputs need different names", "Name each of them")
        if policy in _ORDERED and not any(clause.priorities for clause in outputs):
            refuse(
                self._element,
                f"hit policy {policy.value} needs output values",
                "List the output values from the highest priority down",
            )
        if aggregation in _ONE_OUTPUT and len(outputs) > 1:
            refuse(
                self._element,
                f"{aggregation.value} needs a table with one output",
                "Take the other outputs out",
            )

    def _rule(
        self, element: etree._Element, index: int, inputs: int, outputs: tuple[OutputClause, ...]
    ) -> Rule:
        document = self._document
        document.refuse_strangers(element, "inputEntry", "outputEntry", "annotationEntry", *_SILENT)
        tests = tuple(self._tests(e) for e in document.children(element, "inputEntry"))
        entries = list(document.children(element, "outputEntry"))
        self._check_count(element, "input", len(tests), inputs)
        self._check_count(element, "output", len(entries), len(outputs))
        said = tuple(self._said(e, clause) for e, clause in zip(entries, outputs, strict=False))
        return Rule(
            rule=element.get("id") or f"rule {index}",
            index=index,
            annotation=self._annotation(element),
            tests=tests,
            outputs=said,
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

    def _tests(self, element: etree._Element) -> UnaryTests:
        document = self._document
        document.refuse_strangers(element, "text", *_SILENT)
        # Modellers write an empty text where anything matches.
        text = document.text(element) or "-"
        try:
            return compile_unary_tests(text, names=self._names)
        except FeelSyntaxError as error:
            document.refuse(element, error.message, "Correct the condition")
            return _EVERYTHING

    def _said(self, element: etree._Element, clause: OutputClause) -> Expression:
        expression = read_expression(self._document, element, self._names)
        trouble = _constant_trouble(expression, clause)
        if trouble:
            cure = "Correct the entry, or the type and values of its output"
            self._document.refuse(element, trouble, cure)
        return expression


def _names(
    inputs: tuple[InputClause, ...], outputs: tuple[OutputClause, ...], rules: tuple[Rule, ...]
) -> frozenset[str]:
    expressions = [c.expression for c in inputs]
    expressions += [c.default for c in outputs if c.default is not None]
    expressions += [e for rule in rules for e in rule.outputs]
    tests = [t for rule in rules for t in rule.tests]
    return frozenset().union(*(e.names for e in expressions), *(t.names for t in tests))


def _constant_trouble(expression: Expression, clause: OutputClause) -> str:
    """Say what is wrong with an entry whose value is known already; empty where nothing is."""
    if expression.names or expression.possible_names:
        return ""
    budget = Budget()
    try:
        trouble = clause.type.trouble(expression.evaluate({}, budget=budget), budget=budget)
    except (FeelBudgetError, FeelPatternError) as error:
        return error.message
    return f"its value {trouble}" if trouble else ""
