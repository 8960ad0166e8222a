"""`pilothouse lifecycles`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, err, print_one, print_rows
from pilothouse.cli.simulate import simulate
from pilothouse.lifecycle.offline import lint as lint_offline

app = typer.Typer(no_args_is_help=True, help="Life cycles and decision tables.")
COLUMNS = (
    *("key", "definition_version", "kind", "group", "state"),
    *("decisions", "imports", "start_signals", "uploaded_at"),
)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List definitions."""
    with connect() as client:
        print_rows(client.lifecycles.list(), COLUMNS, as_json=as_json)


@app.command()
def upload(
    file: Path, group: Annotated[str, typer.Option()] = "default", as_json: Json = False
) -> None:
    """Upload a BPMN or DMN file as the next version of its key; says where its tables contradict themselves."""
    xml = file.read_bytes()
    with connect() as client:
        uploaded = client.lifecycles.upload(xml, group=group)
        print_rows([uploaded], COLUMNS, as_json=as_json)
        for found in client.lifecycles.lint(xml, group=group):
            err.print(f"Mind {found.element}, line {found.line}: {found.problem}.", markup=False)


@app.command()
def lint(
    file: Path,
    with_: Annotated[
        list[Path] | None,
        typer.Option("--with", help="A decision file that a decision file imports."),
    ] = None,
    external_topic: Annotated[
        list[str] | None, typer.Option(help="A topic that workers of the group's own do.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what an upload would refuse, and where decision tables contradict themselves; asks no server."""
    found = lint_offline(
        file.read_bytes(),
        others=[other.read_bytes() for other in with_ or ()],
        external_topics=external_topic or (),
    )
    columns = ("severity", "element", "line", "problem", "example", "cure")
    print_rows(found, columns, as_json=as_json, empty="It can run.")
    if found:
        raise typer.Exit(code=1)


app.command()(simulate)


@app.command()
def show(name: str, as_json: Json = False) -> None:
    """Print a definition's XML, or all of it as JSON."""
    with connect() as client:
        found = client.lifecycles.get(name)
    if as_json:
        print_one(found, as_json=True)
    else:
        typer.echo(found.source, nl=False)  # byte by byte, in the file's own encoding


@app.command()
def retire(name: str, as_json: Json = False) -> None:
    """Let no new run start from a version, KEY@VERSION."""
    with connect() as client:
        print_rows([client.lifecycles.retire(name)], COLUMNS, as_json=as_json)
