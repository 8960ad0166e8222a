"""The command `pilothouse`."""

from __future__ import annotations

import sys

import click
import typer
from pydantic import ValidationError

from pilothouse import __version__
from pilothouse.cli import (
    access,
    audit,
    check,
    datasets,
    deployments,
    doctor,
    jobs,
    lifecycles,
    models,
    runs,
    runtimes,
    score,
    server,
    services,
    snapshots,
    tasks,
)
from pilothouse.cli.output import err
from pilothouse.domain.errors import PilothouseError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Pilothouse: from a model file to production, and the proof of what ran where.",
)
app.command("up")(server.up)
app.command("check")(check.check)
app.command("infer-schema")(check.infer)
app.command("score")(score.score)
app.command("doctor")(doctor.doctor)
for name, noun in (
    ("models", models.app),
    ("snapshots", snapshots.app),
    ("datasets", datasets.app),
    ("locations", datasets.locations),
    ("services", services.app),
    ("stages", services.stages),
    ("runtimes", runtimes.app),
    ("deployments", deployments.app),
    ("jobs", jobs.app),
    ("evaluations", jobs.evaluations),
    ("lifecycles", lifecycles.app),
    ("runs", runs.app),
    ("incidents", runs.incidents),
    ("tasks", tasks.app),
    ("groups", access.groups),
    ("people", access.people),
    ("tokens", access.tokens),
    ("audit", audit.app),
):
    app.add_typer(noun, name=name)


@app.command("version")
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def run() -> None:
    """Run a command: errors are printed in their own words and exit with 1, wrong usage with 2."""
    try:
        app(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    except PilothouseError as problem:
        code = getattr(problem, "problem_code", problem.code)
        err.print(f"[red]error[/red] ({code}): ", end="")
        err.print(problem.message, markup=False)
        sys.exit(1)
    except ValidationError as problem:
        err.print("A setting cannot be used:", problem, markup=False)
        sys.exit(2)
