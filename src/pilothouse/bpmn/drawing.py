"""
Shorthand for drawing small processes as XML, for tests and examples.

Elements are named by short ids; a flow from ``a`` to ``b`` has the id ``a-b``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.read import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.expressions import Expressions
    from pilothouse.bpmn.reading import Topics


def document(body: str, declared: str = "", flows: str = "") -> bytes:
    """Wrap the inside of a process; `flows` are pairs such as ``a>b`` apart by blanks, named ``a-b``."""
    drawn = "".join(
        f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>'
        for a, _, b in (pair.partition(">") for pair in flows.split())
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:pilothouse="https://pilothouse.dev/bpmn/1"
  id="file" targetNamespace="test">
{declared}
<process id="test" isExecutable="true">
{body}
{drawn}
</process>
</definitions>""".encode()


def service(name: str, topic: str = "work", inner: str = "", retries: int = 3) -> str:
    """Draw a service task."""
    return (
        f'<serviceTask id="{name}"><extensionElements>'
        f'<zeebe:taskDefinition type="{topic}" retries="{retries}"/>{inner}'
        "</extensionElements></serviceTask>"
    )


def gateway(kind: str, name: str, default: str = "") -> str:
    """Draw a gateway."""
    chosen = f' default="{default}"' if default else ""
    return f'<{kind}Gateway id="{name}"{chosen}/>'


def condition(source: str, target: str, text: str) -> str:
    """Draw a flow with a condition, named ``source-target``."""
    return (
        f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">'
        f"<conditionExpression>{text}</conditionExpression></sequenceFlow>"
    )


class Pen:
    """The shorthand, with the expression language that reads what is drawn."""

    document = staticmethod(document)
    service = staticmethod(service)
    gateway = staticmethod(gateway)
    condition = staticmethod(condition)
    start = '<startEvent id="start"/>'
    end = '<endEvent id="end"/>'

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions

    def read(self, xml: bytes, topics: Topics | None = None) -> Definition:
        """Read a whole file."""
        return read(xml, expressions=self.expressions, topics=topics)

    def draw(self, body: str, flows: str, declared: str = "") -> Definition:
        """Read a process with a none start event ``start`` and a none end event ``end``."""
        return self.read(document(self.start + body + self.end, declared, flows))

    def mapping(self, inputs: Mapping[str, str] | None = None, **outputs: str) -> str:
        """Draw a zeebe:ioMapping: outputs by target, inputs by target."""
        drawn = [f'<zeebe:input source="{s}" target="{t}"/>' for t, s in (inputs or {}).items()]
        drawn += [f'<zeebe:output source="{s}" target="{t}"/>' for t, s in outputs.items()]
        return f"<zeebe:ioMapping>{''.join(drawn)}</zeebe:ioMapping>"
