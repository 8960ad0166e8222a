"""`pilothouse models`."""

from __future__ import annotations

from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, print_one, print_rows
from pilothouse.cli.services import WHERE
from pilothouse.domain.models import RiskTier
from pilothouse.wire.requests import RegisterModel

app = typer.Typer(no_args_is_help=True, help="Models: what teams own.")
COLUMNS = ("name", "group", "use_case", "methodology", "risk_tier", "last_number", "created_at")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List models."""
    with connect() as client:
        print_rows(client.models.list(), COLUMNS, as_json=as_json)


@app.command()
def register(
    name: str,
    group: Annotated[str, typer.Option()] = "default",
    owner: Annotated[str | None, typer.Option(help="A person; you, where none is named.")] = None,
    use_case: Annotated[str, typer.Option()] = "",
    methodology: Annotated[str, typer.Option()] = "",
    risk_tier: Annotated[RiskTier, typer.Option()] = RiskTier.UNASSIGNED,
    as_json: Json = False,
) -> None:
    """Register a model."""
    wanted = RegisterModel(
        name=name,
        group=group,
        owner=owner,
        use_case=use_case,
        methodology=methodology,
        risk_tier=risk_tier,
    )
    with connect() as client:
        print_one(client.models.register(wanted), as_json=as_json)


@app.command()
def show(name: str, as_json: Json = False) -> None:
    """Show a model."""
    with connect() as client:
        print_one(client.models.get(name), as_json=as_json)


@app.command()
def where(name: str, as_json: Json = False) -> None:
    """Say where every snapshot of a model runs."""
    with connect() as client:
        print_rows(
            client.models.where(name),
            ("service", *WHERE),
            as_json=as_json,
            empty="It runs nowhere and serves no service.",
        )
