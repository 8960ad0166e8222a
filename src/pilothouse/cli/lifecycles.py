"""`pilothouse lifecycles`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, out, print_one, print_rows
from pilothouse.lifecycle.offline import lint as lint_offline

app = typer.Typer(no_args_is_help=True, help="Life cycles and decision tables.")
COLUMNS = ("key", "definition_version", "kind", "group", "state", "start_signals", "uploaded_at")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List definitions."""
    with connect() as client:
        print_rows(client.lifecycles.list(), COLUMNS, as_json=as_json)


@app.command()
def upload(
    file: Path, group: Annotated[str, typer.Option()] = "default", as_json: Json = False
) -> None:
    """Upload a BPMN or DMN file as the next version of its key."""
    with connect() as client:
        uploaded = client.lifecycles.upload(file.read_bytes(), group=group)
        print_rows([uploaded], COLUMNS, as_json=as_json)


@app.command()
def lint(file: Path, as_json: Json = False) -> None:
    """Say what an upload would refuse; asks no server."""
    found = lint_offline(file.read_bytes())
    print_rows(found, ("element", "line", "problem", "cure"), as_json=as_json, empty="It can run.")
    if found:
        raise typer.Exit(code=1)


@app.command()
def show(name: str, as_json: Json = False) -> None:
    """Print a definition's XML, or all of it as JSON."""
    with connect() as client:
        found = client.lifecycles.get(name)
    if as_json:
        print_one(found, as_json=True)
    else:
        out.print(found.xml, markup=False)


@app.command()
def retire(name: str, as_json: Json = False) -> None:
    """Let no new run start from a version, KEY@VERSION."""
    with connect() as client:
        print_rows([client.lifecycles.retire(name)], COLUMNS, as_json=as_json)
