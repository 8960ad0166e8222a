"""Markdown from values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MARKED = re.compile(
    r"``(?P<literal>[^`]+)``|`(?:pilothouse\.[a-z_.]*\.)?(?P<name>[A-Za-z_][\w.]*)`"
)


def code(text: object) -> str:
    """
    Write a text as code.

    Examples
    --------
    >>> code("a|b")
    '`a|b`'
    """
    return f"`{text}`" if str(text) else ""


def prose(text: str) -> str:
    r"""
    Turn a docstring's text into Markdown: one line, literals and names as code.

    Examples
    --------
    >>> prose("What ``a.txt`` is,\n    see `pilothouse.domain.plain`.")
    'What `a.txt` is, see `plain`.'
    """
    return MARKED.sub(lambda m: f"`{m['literal'] or m['name']}`", " ".join(text.split()))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""
    Write a table.

    Examples
    --------
    >>> print(table(("a", "b"), [(1, "x|y")]))
    | a | b |
    | --- | --- |
    | 1 | x\|y |
    """
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[object]) -> str:
    shown = (" ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
    return "| " + " | ".join(shown) + " |"


def bullets(items: Iterable[str]) -> str:
    """Write a list."""
    return "\n".join(f"- {item}" for item in items)
