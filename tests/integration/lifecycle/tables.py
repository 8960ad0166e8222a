"""Small decision files."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.integration.lifecycle.drawings import drawing

MODEL = "https://www.omg.org/spec/DMN/20191111/MODEL/"


@dataclass(frozen=True, kw_only=True)
class DecisionFile:
    """A decision file: FEEL texts by the ids of its decisions, functions by theirs, and what it imports by name."""

    namespace: str
    decisions: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    id: str = "file"
    encoding: str = "UTF-8"

    @property
    def xml(self) -> bytes:
        """The bytes of the file."""
        parts = [
            f'<?xml version="1.0" encoding="{self.encoding}"?>\n',
            f'<definitions xmlns="{MODEL}" id="{self.id}" name="{self.id}" namespace="{self.namespace}">',
            *(
                f'<import name="{name}" namespace="{namespace}" importType="{MODEL}"/>'
                for name, namespace in self.imports.items()
            ),
            *map(_function, self.functions.items()),
            *(
                f'<decision id="{name}" name="{name}"><variable name="{name}"/>'
                f"<literalExpression><text>{text}</text></literalExpression></decision>"
                for name, text in self.decisions.items()
            ),
            "</definitions>",
        ]
        return "".join(parts).encode(self.encoding)


def _function(function: tuple[str, str]) -> str:
    name, text = function
    return (
        f'<businessKnowledgeModel id="{name}" name="{name}"><variable name="{name}"/>'
        f'<encapsulatedLogic><formalParameter name="x"/><literalExpression><text>{text}</text>'
        "</literalExpression></encapsulatedLogic></businessKnowledgeModel>"
    )


def importing(name: str, text: str, *, namespace: str, function: str = "double") -> bytes:
    """Give a file whose decision uses a function of another file, imported as ``lib``."""
    return (
        f'<definitions xmlns="{MODEL}" id="{name}-file" name="{name}" namespace="{name}/file">'
        f'<import name="lib" namespace="{namespace}" importType="{MODEL}"/>'
        f'<decision id="{name}" name="{name}"><variable name="{name}"/><knowledgeRequirement>'
        f'<requiredKnowledge href="{namespace}#{function}"/></knowledgeRequirement>'
        f"<literalExpression><text>{text}</text></literalExpression></decision></definitions>"
    ).encode()


def unique_table(name: str, *rules: tuple[str, str]) -> bytes:
    """Give a file with a UNIQUE table over the number ``n``; rules are a test and an output."""
    written = "".join(
        f'<rule id="r{i}"><inputEntry id="i{i}"><text>{test}</text></inputEntry>'
        f'<outputEntry id="o{i}"><text>{output}</text></outputEntry></rule>'
        for i, (test, output) in enumerate(rules, 1)
    )
    return (
        f'<definitions xmlns="{MODEL}" id="{name}-file" name="{name}" namespace="{name}/file">'
        f'<inputData id="n_data" name="n"><variable name="n" typeRef="number"/></inputData>'
        f'<decision id="{name}" name="{name}"><variable name="{name}"/><informationRequirement>'
        '<requiredInput href="#n_data"/></informationRequirement>'
        '<decisionTable id="table" hitPolicy="UNIQUE"><input id="in" label="n"><inputExpression typeRef="number">'
        '<text>n</text></inputExpression></input><output id="out" typeRef="string"/>'
        f"{written}</decisionTable></decision></definitions>"
    ).encode()


def rule_task(decision: str) -> bytes:
    """Draw a process of one business rule task."""
    rule = (
        f'<businessRuleTask id="judge"><extensionElements><zeebe:calledDecision decisionId="{decision}" '
        'resultVariable="answer"/></extensionElements></businessRuleTask>'
    )
    return drawing(f'<startEvent id="start"/>{rule}<endEvent id="end"/>', "start>judge judge>end")
