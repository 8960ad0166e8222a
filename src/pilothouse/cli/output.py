"""What commands print: a table for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pilothouse.domain.plain import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
PIPE_WIDTH = 400
"""Columns of a table that goes to a file or a program: nothing is cut off."""
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(stderr=True, soft_wrap=True)


def print_json(value: object) -> None:
    """Print a value's plain form, indented."""
    typer.echo(json.dumps(to_plain(value), indent=2, ensure_ascii=False))


def print_one(value: object, *, as_json: bool) -> None:
    """Print one value, a field a line."""
    if as_json:
        print_json(value)
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, item in _fields(to_plain(value)):
        table.add_row(f"[bold]{name}[/bold]", _cell(item))
    out.print(table)


def print_rows(
    values: Iterable[object], columns: Sequence[str], *, as_json: bool, empty: str = "Nothing yet."
) -> None:
    """Print values as a table of the named fields, or all of them as a JSON list."""
    plain = [to_plain(value) for value in values]
    if as_json:
        print_json(plain)
        return
    if not plain:
        out.print(empty)
        return
    table = Table(pad_edge=False, box=None, header_style="bold")
    for name in columns:
        table.add_column(name.rpartition(".")[2].replace("_", " "), overflow="fold")
    for row in plain:
        table.add_row(*(_cell(_at(row, name)) for name in columns))
    out.print(table)


def _fields(plain: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 plain JSON of any form
    return list(plain.items()) if isinstance(plain, dict) else [("", plain)]


def _at(row: Mapping[str, Any], path: str) -> object:
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False)
        text = text if len(text) <= 300 else text[:297] + "..."
        return text.replace("[", r"\[")
    text = str(value)
    if len(text) == 27 and text.endswith("Z") and text[10] == "T":
        text = text[:19].replace("T", " ") + "Z"
    return text.replace("[", r"\[")
