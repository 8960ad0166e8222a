"""Decision files made from choices: every element of the standard, in places where it may and may not stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from xml.sax.saxutils import escape

from tests.fuzz.grammar import Grammar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.fuzz.grammar import Choices

NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"
POLICIES = ("UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER", "LAST")
AGGREGATIONS = ("", "SUM", "COUNT", "MIN", "MAX")
TYPES = ("", "number", "string", "boolean", "tAmount", "tList", "tOrder", "tUnknown", "Any")
ITEMS = (
    '<itemDefinition name="tAmount"><typeRef>number</typeRef><allowedValues><text>[0..100]</text></allowedValues>'
    '</itemDefinition><itemDefinition name="tList" isCollection="true"><typeRef>tAmount</typeRef></itemDefinition>'
    '<itemDefinition name="tOrder"><itemComponent name="items"><typeRef>tList</typeRef></itemComponent>'
    "</itemDefinition>"
)
T = TypeVar("T")


class Files:
    """
    Writes decision files.

    Parameters
    ----------
    choices
        What decides.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._grammar = Grammar(choices, depth=2)
        self._left = 3

    def definitions(self) -> bytes:
        """Write a file of up to three decisions, a function and a service, with requirements that may be circular."""
        decisions = "".join(self._decision(i) for i in range(1 + self._choices.below(3)))
        function = (
            '<businessKnowledgeModel id="f" name="f"><encapsulatedLogic><formalParameter name="x"/>'
            f"{self._logic()}</encapsulatedLogic>{self._needs()}</businessKnowledgeModel>"
        )
        service = '<decisionService id="s" name="s"><outputDecision href="#d0"/><inputData href="#n"/></decisionService>'
        return (
            f'<definitions xmlns="{NAMESPACE}" name="fuzzed" namespace="fuzzed">{ITEMS}'
            f'<inputData id="n" name="n"><variable name="n" typeRef="{self._one_of(TYPES)}"/></inputData>'
            f"{decisions}{function}{service}</definitions>"
        ).encode()

    def _one_of(self, options: Sequence[T]) -> T:
        return options[self._choices.below(len(options))]

    def _text(self, tag: str, text: str) -> str:
        return f"<{tag}><text>{escape(text)}</text></{tag}>"

    def _decision(self, number: int) -> str:
        variable = f'<variable name="d{number}" typeRef="{self._one_of(TYPES)}"/>'
        return f'<decision id="d{number}" name="d{number}">{variable}{self._needs()}{self._logic()}</decision>'

    def _needs(self) -> str:
        data = '<informationRequirement><requiredInput href="#n"/></informationRequirement>'
        decision = f'<informationRequirement><requiredDecision href="#d{self._choices.below(3)}"/></informationRequirement>'
        knowledge = f'<knowledgeRequirement><requiredKnowledge href="#{self._one_of("fs")}"/></knowledgeRequirement>'
        return "".join(need for need in (data, decision, knowledge) if self._choices.below(2))

    def _logic(self) -> str:
        if self._left <= 0:
            return self._literal()
        self._left -= 1
        text = self._one_of(_LOGIC)(self)
        self._left += 1
        return text

    def _literal(self) -> str:
        return self._text("literalExpression", self._grammar.expression())

    def _table(self) -> str:
        inputs = 1 + self._choices.below(2)
        outputs = 1 + self._choices.below(2)
        clauses = "".join(
            f"<input>{self._text('inputExpression', self._grammar.expression())}</input>"
            for _ in range(inputs)
        )
        results = "".join(
            f'<output name="o{i}" typeRef="{self._one_of(TYPES)}">'
            f"{self._text('outputValues', self._grammar.tests())}</output>"
            for i in range(outputs)
        )
        rules = "".join(
            "<rule>"
            + "".join(self._text("inputEntry", self._grammar.tests()) for _ in range(inputs))
            + "".join(self._text("outputEntry", self._grammar.expression()) for _ in range(outputs))
            + "</rule>"
            for _ in range(self._choices.below(5))
        )
        aggregation = self._one_of(AGGREGATIONS)
        joined = f' aggregation="{aggregation}"' if aggregation else ""
        return f'<decisionTable hitPolicy="{self._one_of(POLICIES)}"{joined}>{clauses}{results}{rules}</decisionTable>'

    def _context(self) -> str:
        entries = "".join(
            f'<contextEntry><variable name="{name}" typeRef="{self._one_of(TYPES)}"/>{self._logic()}</contextEntry>'
            for name in ("a", "items", "x")[: self._choices.below(4)]
        )
        result = f"<contextEntry>{self._logic()}</contextEntry>" if self._choices.below(2) else ""
        return f"<context>{entries}{result}</context>"

    def _invocation(self) -> str:
        called = self._text("literalExpression", self._one_of(("f", "s", "sum", "n")))
        return f'<invocation>{called}<binding><parameter name="x"/>{self._logic()}</binding></invocation>'

    def _list(self) -> str:
        return f"<list>{''.join(self._logic() for _ in range(self._choices.below(3)))}</list>"

    def _relation(self) -> str:
        return f'<relation><column name="a"/><column name="x"/><row>{self._literal()}{self._literal()}</row></relation>'

    def _function(self) -> str:
        kind = self._one_of(("FEEL", "Java", "PMML"))
        return f'<functionDefinition kind="{kind}"><formalParameter name="x"/>{self._logic()}</functionDefinition>'

    def _conditional(self) -> str:
        return f"<conditional><if>{self._logic()}</if><then>{self._logic()}</then><else>{self._logic()}</else></conditional>"

    def _filter(self) -> str:
        return f"<filter><in>{self._logic()}</in><match>{self._logic()}</match></filter>"

    def _iterator(self) -> str:
        tag, last = self._one_of((("for", "return"), ("some", "satisfies"), ("every", "satisfies")))
        return f'<{tag} iteratorVariable="x"><in>{self._logic()}</in><{last}>{self._logic()}</{last}></{tag}>'


_LOGIC: tuple[Callable[[Files], str], ...] = (
    Files._literal,
    Files._table,
    Files._table,
    Files._context,
    Files._invocation,
    Files._list,
    Files._relation,
    Files._function,
    Files._conditional,
    Files._filter,
    Files._iterator,
)
