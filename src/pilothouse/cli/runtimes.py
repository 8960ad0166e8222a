"""`pilothouse runtimes`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, print_one, print_rows
from pilothouse.domain.errors import InvalidError
from pilothouse.domain.runtimes import Mode
from pilothouse.wire.requests import RegisterRuntime

app = typer.Typer(no_args_is_help=True, help="Runtimes: where snapshots run.")


class OptionInvalidError(InvalidError):
    """An option of a runtime is not written as NAME=VALUE."""

    code = "option-invalid"

    def __init__(self, *, option: str) -> None:
        self.option = option[:80]
        super().__init__(
            f"{option[:80]!r} is no option. Write it as NAME=VALUE, as in grpc_port=9204."
        )


COLUMNS = ("name", "stage", "connector", "modes", "services", "address", "health", "health_reason")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List runtimes."""
    with connect() as client:
        print_rows(client.runtimes.list(), COLUMNS, as_json=as_json)


@app.command()
def register(
    name: str,
    stage: Annotated[str, typer.Option()],
    connector: Annotated[str, typer.Option()] = "local",
    mode: Annotated[list[Mode] | None, typer.Option(help="Batch and online, if not given.")] = None,
    service: Annotated[list[str] | None, typer.Option(help="Only these; all if not given.")] = None,
    address: Annotated[str | None, typer.Option(help="HOST:PORT for online use.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE for its connector; repeat for several.")
    ] = None,
    group: Annotated[str, typer.Option()] = "default",
    as_json: Json = False,
) -> None:
    """Register a runtime."""
    wanted = RegisterRuntime(
        name=name,
        group=group,
        stage=stage,
        connector=connector,
        modes=tuple(mode or Mode),
        services=tuple(service or ()),
        address=address,
        options=dict(map(_option, option or ())),
    )
    with connect() as client:
        print_one(client.runtimes.register(wanted), as_json=as_json)


def _option(text: str) -> tuple[str, str | int | float | bool]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise OptionInvalidError(option=text)
    try:
        plain = json.loads(value)
    except ValueError:
        return name, value
    return name, plain if isinstance(plain, (str, int, float, bool)) else value


@app.command()
def show(name: str, as_json: Json = False) -> None:
    """Show a runtime."""
    with connect() as client:
        print_one(client.runtimes.get(name), as_json=as_json)


@app.command()
def capabilities(name: str, as_json: Json = False) -> None:
    """Say what a runtime can do, and for what it cannot, why."""
    with connect() as client:
        print_one(client.runtimes.capabilities(name), as_json=as_json)


@app.command()
def logs(
    name: str,
    job: Annotated[str | None, typer.Option(help="A job's log instead of the entry's.")] = None,
    lines: Annotated[int, typer.Option(min=1, max=10_000)] = 200,
    as_json: Json = False,
) -> None:
    """Print the last lines of a log."""
    with connect() as client:
        found = client.runtimes.logs(name, job=job, lines=lines)
    if as_json:
        print_one(found, as_json=True)
        return
    for line in found:
        typer.echo(line)


@app.command()
def retire(name: str, as_json: Json = False) -> None:
    """Take an empty runtime out of use."""
    with connect() as client:
        print_one(client.runtimes.retire(name), as_json=as_json)
