"""`pilothouse snapshots`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.folders import model_folder
from pilothouse.cli.output import Json, err, print_one, print_rows

app = typer.Typer(no_args_is_help=True, help="Snapshots: immutable versions of models.")
COLUMNS = ("model", "number", "digest", "taken_at", "taken_by")


@app.command("list")
def list_(model: Annotated[str | None, typer.Option()] = None, as_json: Json = False) -> None:
    """List snapshots, newest first."""
    with connect() as client:
        print_rows(client.snapshots.list(model=model), COLUMNS, as_json=as_json)


@app.command()
def take(
    folder: Path,
    service: Annotated[list[str] | None, typer.Option(help="Tag it with this service.")] = None,
    group: Annotated[str, typer.Option()] = "default",
    as_json: Json = False,
) -> None:
    """Upload a model folder (or one packed as .tar.gz or .zip), have it checked, and take it as a snapshot."""
    with model_folder(folder) as opened, connect() as client:
        snapshot = client.snapshots.take(
            opened,
            group=group,
            services=tuple(service or ()),
            progress=lambda line: err.print(line, markup=False),
        )
        if not as_json:
            err.print(f"taken: {snapshot.name} ({snapshot.digest})", markup=False)
        print_one(snapshot, as_json=as_json)


@app.command()
def show(name: str, as_json: Json = False) -> None:
    """Show a snapshot, MODEL@NUMBER."""
    with connect() as client:
        print_one(client.snapshots.get(name), as_json=as_json)


@app.command()
def services(name: str, as_json: Json = False) -> None:
    """List a snapshot's service tags."""
    with connect() as client:
        print_rows(
            client.snapshots.services(name),
            ("service", "assigned_at", "assigned_by", "ended_at"),
            as_json=as_json,
        )


@app.command()
def tag(name: str, service: str, as_json: Json = False) -> None:
    """Tag a snapshot with a service, which starts the service's life cycle."""
    with connect() as client:
        print_one(client.snapshots.tag(name, service), as_json=as_json)


@app.command()
def untag(name: str, service: str, as_json: Json = False) -> None:
    """End a snapshot's service tag."""
    with connect() as client:
        print_one(client.snapshots.untag(name, service), as_json=as_json)
