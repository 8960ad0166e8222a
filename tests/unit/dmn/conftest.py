"""Small decision files, written as a modeller writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape, quoteattr

import pytest

from pilothouse.dmn import Decisions, read_decisions

DMN_13 = "https://www.omg.org/spec/DMN/20191111/MODEL/"
Definitions = Callable[..., bytes]
Table = Callable[..., str]
TableOf = Callable[..., Decisions]


def _text(tag: str, text: str, **attributes: str) -> str:
    given = "".join(f" {k}={quoteattr(v)}" for k, v in attributes.items())
    return f"<{tag}{given}><text>{escape(text)}</text></{tag}>"


def _told(tag: str, text: str) -> str:
    return _text(tag, text) if text else ""


@pytest.fixture
def definitions() -> Definitions:
    """Wrap decisions in a file."""

    def build(*parts: str, namespace: str = DMN_13) -> bytes:
        return f"<definitions xmlns={quoteattr(namespace)} name='f'>{''.join(parts)}</definitions>".encode()

    return build


@pytest.fixture
def table() -> Table:
    """Write one decision with a table; `clauses` are `input_values`, `input_type` and `default`."""

    def build(
        rules: Sequence[Sequence[str]],
        *,
        inputs: Sequence[str] = ("auc",),
        outputs: Sequence[str] = ("verdict",),
        attributes: str = "",
        output_values: str = "",
        inside: str = "",
        **clauses: str,
    ) -> str:
        kind = {"typeRef": clauses["input_type"]} if "input_type" in clauses else {}
        possible = _told("inputValues", clauses.get("input_values", ""))
        said = _told("outputValues", output_values)
        said += _told("defaultOutputEntry", clauses.get("default", ""))
        columns = "".join(
            f"<input>{_text('inputExpression', i, **kind)}{possible}</input>" for i in inputs
        )
        columns += "".join(f"<output name={quoteattr(o)}>{said}</output>" for o in outputs)
        rows = "".join(
            f"<rule id='r{n}'>"
            + "".join(_text("inputEntry", cell) for cell in row[: len(inputs)])
            + "".join(_text("outputEntry", cell) for cell in row[len(inputs) :])
            + f"{_text('annotationEntry', f'note {n}')}</rule>"
            for n, row in enumerate(rules, 1)
        )
        return f"<decision id='d' name='Gate'>{inside}<decisionTable {attributes}>{columns}{rows}</decisionTable></decision>"

    return build


@pytest.fixture
def table_of(definitions: Definitions, table: Table) -> TableOf:
    """Read a file with one table, given as `table` takes it."""

    def read(rules: Sequence[Sequence[str]], **options: object) -> Decisions:
        return read_decisions(definitions(table(rules, **options)))

    return read
