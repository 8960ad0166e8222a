"""`pilothouse audit`."""

from __future__ import annotations

from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, print_rows

app = typer.Typer(no_args_is_help=True, help="The record of orders.")


@app.command("list")
def list_(
    noun: Annotated[str | None, typer.Option()] = None,
    subject: Annotated[str | None, typer.Option(help="An id.")] = None,
    as_json: Json = False,
) -> None:
    """List what was ordered, newest first."""
    with connect() as client:
        print_rows(
            client.audit.list(noun=noun, subject=subject),
            ("at", "actor_name", "action", "noun", "subject", "cause", "detail"),
            as_json=as_json,
        )


@app.command("history")
def history(noun: str, subject: str, as_json: Json = False) -> None:
    """Print every value that a thing has had, oldest first."""
    with connect() as client:
        print_rows(
            client.audit.history(noun, subject),
            ("since", "until", "actor", "cause", "value"),
            as_json=as_json,
        )
