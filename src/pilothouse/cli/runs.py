"""`pilothouse runs` and `pilothouse incidents`."""

from __future__ import annotations

from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.operations import RUN_COMMANDS
from pilothouse.cli.output import Json, print_one, print_rows
from pilothouse.cli.variables import variables
from pilothouse.wire.requests import PublishMessage, RetryIncident, SendSignal, StartRun

app = typer.Typer(no_args_is_help=True, help="Runs of life cycles.")
incidents = typer.Typer(no_args_is_help=True, help="What waits for help.")


@app.command("list")
def list_(
    service: Annotated[str | None, typer.Option()] = None,
    snapshot: Annotated[str | None, typer.Option()] = None,
    as_json: Json = False,
) -> None:
    """List runs, newest first."""
    with connect() as client:
        print_rows(
            client.runs.list(service=service, snapshot=snapshot),
            (
                "heading.run_id",
                "heading.definition",
                "heading.snapshot",
                "heading.service",
                "state",
                "outcome",
                "tokens",
            ),
            as_json=as_json,
        )


@app.command()
def start(
    definition: str,
    snapshot: Annotated[str | None, typer.Option()] = None,
    service: Annotated[str | None, typer.Option()] = None,
    with_variables: Annotated[str, typer.Option("--variables", help="A JSON object.")] = "{}",
    as_json: Json = False,
) -> None:
    """Start a life cycle by hand."""
    wanted = StartRun(
        definition=definition,
        snapshot=snapshot,
        service=service,
        variables=variables(with_variables),
    )
    with connect() as client:
        print_one(client.runs.start(wanted), as_json=as_json)


@app.command()
def show(run: str, as_json: Json = False) -> None:
    """Show where a run stands and what it waits for."""
    with connect() as client:
        print_one(client.runs.get(run), as_json=as_json)


@app.command()
def history(run: str, as_json: Json = False) -> None:
    """Print what happened in a run, oldest first."""
    with connect() as client:
        print_rows(
            client.runs.history(run),
            ("sequence", "at", "event", "element", "actor", "data"),
            as_json=as_json,
        )


@app.command()
def cancel(run: str, reason: Annotated[str, typer.Option()], as_json: Json = False) -> None:
    """End a run where it stands."""
    with connect() as client:
        print_one(client.runs.cancel(run, reason=reason), as_json=as_json)


@app.command()
def message(
    name: str,
    correlation_key: str,
    message_id: Annotated[str, typer.Option("--id", help="One that came before changes nothing.")],
    group: Annotated[str, typer.Option()] = "default",
    payload: Annotated[str, typer.Option(help="A JSON object.")] = "{}",
    as_json: Json = False,
) -> None:
    """Send a message to the run that waits for it, or that will within an hour."""
    wanted = PublishMessage(
        id=message_id,
        group=group,
        name=name,
        correlation_key=correlation_key,
        payload=variables(payload),
    )
    with connect() as client:
        print_one(client.lifecycles.publish(wanted), as_json=as_json)


@app.command()
def signal(
    name: str,
    group: Annotated[str, typer.Option()] = "default",
    payload: Annotated[str, typer.Option(help="A JSON object.")] = "{}",
    as_json: Json = False,
) -> None:
    """Tell every run that waits for a signal now."""
    wanted = SendSignal(group=group, name=name, payload=variables(payload))
    with connect() as client:
        print_one({"runs": client.lifecycles.signal(wanted)}, as_json=as_json)


for name, command in RUN_COMMANDS.items():
    app.command(name)(command)


@incidents.command("list")
def list_incidents(as_json: Json = False) -> None:
    """List what waits for help, oldest first."""
    with connect() as client:
        print_rows(
            client.runs.incidents(),
            ("id", "run_id", "element", "code", "message", "created_at"),
            as_json=as_json,
            empty="Nothing waits for help.",
        )


@incidents.command("retry")
def retry(
    incident: str,
    with_variables: Annotated[str, typer.Option("--variables", help="A JSON object.")] = "{}",
    as_json: Json = False,
) -> None:
    """Try again what stopped, with variables changed where given."""
    wanted = RetryIncident(variables=variables(with_variables))
    with connect() as client:
        print_one(client.runs.retry(incident, wanted), as_json=as_json)
