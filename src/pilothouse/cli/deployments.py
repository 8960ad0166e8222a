"""`pilothouse deployments`."""

from __future__ import annotations

from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, print_one, print_rows
from pilothouse.domain.runtimes import Mode
from pilothouse.wire.requests import OrderDeployment

app = typer.Typer(no_args_is_help=True, help="Deployments: snapshots on runtimes.")
COLUMNS = (
    "id",
    "snapshot",
    "service",
    "stage",
    "mode",
    "runtime_id",
    "state",
    "isolation",
    "reason",
)


@app.command("list")
def list_(
    service: Annotated[str | None, typer.Option()] = None,
    stage: Annotated[str | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """List deployments, newest first."""
    with connect() as client:
        rows = client.deployments.list(service=service, stage=stage)
        print_rows(rows, COLUMNS, as_json=as_json)


@app.command()
def order(
    snapshot: str,
    service: Annotated[str, typer.Option()],
    stage: Annotated[str, typer.Option()],
    mode: Annotated[Mode | None, typer.Option(help="The service's own, if not given.")] = None,
    runtime: Annotated[str | None, typer.Option(help="All that suit, if not given.")] = None,
    as_json: Json = False,
) -> None:
    """Deploy a snapshot for a service in a stage."""
    wanted = OrderDeployment(
        snapshot=snapshot, service=service, stage=stage, mode=mode, runtime=runtime
    )
    with connect() as client:
        print_rows(client.deployments.order(wanted), COLUMNS, as_json=as_json)


@app.command()
def show(deployment: str, as_json: Json = False) -> None:
    """Show a deployment."""
    with connect() as client:
        print_one(client.deployments.get(deployment), as_json=as_json)


@app.command()
def withdraw(
    deployment: str,
    stop_service: Annotated[
        bool, typer.Option("--stop-service", help="Even if it has traffic.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Withdraw a deployment."""
    with connect() as client:
        gone = client.deployments.withdraw(deployment, stop_service=stop_service)
        print_one(gone, as_json=as_json)
