"""`pilothouse datasets` and `pilothouse locations`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, print_one, print_rows
from pilothouse.cli.places import place
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.jobs import TableFormat
from pilothouse.domain.locations import LocationAccess
from pilothouse.wire.requests import RegisterDataset, RegisterLocation

app = typer.Typer(no_args_is_help=True, help="Datasets: data by name, version and digest.")
locations = typer.Typer(no_args_is_help=True, help="Locations: the folders that jobs may use.")
COLUMNS = ("name", "dataset_version", "role", "place.location", "place.path", "size", "sha256")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List datasets."""
    with connect() as client:
        print_rows(client.datasets.list(), COLUMNS, as_json=as_json)


@app.command()
def register(
    name: Annotated[str, typer.Argument(help="NAME@VERSION")],
    at: Annotated[str, typer.Argument(help="LOCATION:PATH")],
    role: Annotated[DatasetRole, typer.Option()],
    format_: Annotated[TableFormat, typer.Option("--format")] = TableFormat.PARQUET,
    label: Annotated[str | None, typer.Option(help="Column of the truth.")] = None,
    group: Annotated[str, typer.Option()] = "default",
    as_json: Json = False,
) -> None:
    """Register a version of a dataset from a file in a location."""
    wanted = RegisterDataset(
        name=name, group=group, place=place(at), format=format_, role=role, label=label
    )
    with connect() as client:
        print_one(client.datasets.register(wanted), as_json=as_json)


@app.command()
def show(name: str, as_json: Json = False) -> None:
    """Show a dataset, NAME@VERSION."""
    with connect() as client:
        print_one(client.datasets.get(name), as_json=as_json)


@locations.command("list")
def list_locations(as_json: Json = False) -> None:
    """List locations."""
    with connect() as client:
        print_rows(client.locations.list(), ("name", "group", "access", "uri"), as_json=as_json)


@locations.command("register")
def register_location(
    name: str,
    folder: Path,
    access: Annotated[LocationAccess, typer.Option()] = LocationAccess.READ,
    group: Annotated[str, typer.Option()] = "default",
    as_json: Json = False,
) -> None:
    """Register a folder of the server's host."""
    wanted = RegisterLocation(name=name, group=group, uri=folder.absolute().as_uri(), access=access)
    with connect() as client:
        print_one(client.locations.register(wanted), as_json=as_json)
