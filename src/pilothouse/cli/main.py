"""The command `pilothouse`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer

from pilothouse import __version__
from pilothouse.cli.output import err
from pilothouse.domain.errors import PilothouseError

COMMANDS = {
    "up": "server:up",
    "check": "check:check",
    "infer-schema": "check:infer",
    "score": "score:score",
    "doctor": "doctor:doctor",
}
NOUNS = {
    "models": "models:app",
    "snapshots": "snapshots:app",
    "datasets": "datasets:app",
    "locations": "datasets:locations",
    "services": "services:app",
    "stages": "services:stages",
    "runtimes": "runtimes:app",
    "deployments": "deployments:app",
    "jobs": "jobs:app",
    "evaluations": "jobs:evaluations",
    "lifecycles": "lifecycles:app",
    "decisions": "decisions:app",
    "runs": "runs:app",
    "incidents": "runs:incidents",
    "tasks": "tasks:app",
    "groups": "access:groups",
    "people": "access:people",
    "tokens": "access:tokens",
    "audit": "audit:app",
}
"""Where each command is: only the one that is asked for is loaded, since some bring half a server with them."""


def command_line(only: str | None = None) -> typer.Typer:
    """
    Give the command line.

    Parameters
    ----------
    only
        The one command that will be asked for; where it names none, all of them are loaded.
    """
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Pilothouse: from a model file to production, and the proof of what ran where.",
    )
    app.callback()(_nothing)
    app.command("version")(version)
    known = only == "version" or only in COMMANDS or only in NOUNS
    for name, place in COMMANDS.items():
        if not known or name == only:
            app.command(name)(_loaded(place))
    for name, place in NOUNS.items():
        if not known or name == only:
            app.add_typer(_loaded(place), name=name)
    return app


def __getattr__(name: str) -> typer.Typer:
    """Give the whole command line as `app`, to those that describe or test all of it."""
    if name == "app":
        return command_line()
    raise AttributeError(name)


def _loaded(place: str) -> Any:  # noqa: ANN401 a function or a Typer, as Typer takes them
    module, _, name = place.partition(":")
    return getattr(import_module(f"pilothouse.cli.{module}"), name)


def _nothing() -> None:
    """Pilothouse: from a model file to production, and the proof of what ran where."""


def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def run() -> None:
    """Run a command: errors are printed in their own words and exit with 1, wrong usage with 2."""
    try:
        command_line(sys.argv[1] if len(sys.argv) > 1 else None)()
    except PilothouseError as problem:
        sys.exit(_told(problem))
    except OSError as problem:
        err.print("[red]error[/red] (file): ", end="")
        err.print(
            f"{problem.strerror or problem}: {problem.filename}. Name another file.", markup=False
        )
        sys.exit(1)


def _told(problem: PilothouseError) -> int:
    """Print an error in its own words, and give the exit code."""
    code = getattr(problem, "problem_code", problem.code)
    err.print(f"[red]error[/red] ({code}): ", end="")
    err.print(problem.message, markup=False)
    return int(getattr(problem, "exit_code", 1))
