"""`pilothouse tasks`."""

from __future__ import annotations

from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, print_one, print_rows
from pilothouse.cli.variables import variables
from pilothouse.domain.plain import to_plain
from pilothouse.domain.tasks import Task

app = typer.Typer(no_args_is_help=True, help="Tasks: what waits for people.")
COLUMNS = (
    *("id", "name", "snapshot", "candidate_roles", "state", "so_far"),
    *("assignee", "due_at", "created_at"),
)
VOTES = ("by", "at", "decision", "roles", "answers", "digest")


@app.command("list")
def list_(
    mine: Annotated[bool, typer.Option("--mine", help="Only those that you may do.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Answered ones too.")] = False,
    as_json: Json = False,
) -> None:
    """List tasks that wait."""
    with connect() as client:
        found = client.tasks.list(mine=mine, waiting=not everything)
        rows = found if as_json else [to_plain(task) | {"so_far": _so_far(task)} for task in found]
        print_rows(rows, COLUMNS, as_json=as_json, empty="No task waits.")


def _so_far(task: Task) -> str:
    return f"{len(task.votes)} voted, {task.quorum.count} needed" if task.quorum else ""


@app.command()
def show(task: str, as_json: Json = False) -> None:
    """Show a task, its evidence, its form and the votes so far."""
    with connect() as client:
        found = client.tasks.get(task)
    print_one(found, as_json=as_json)
    if found.votes and not as_json:
        print_rows(found.votes, VOTES, as_json=False)


@app.command()
def claim(task: str, as_json: Json = False) -> None:
    """Take a task."""
    with connect() as client:
        print_one(client.tasks.claim(task), as_json=as_json)


@app.command()
def release(task: str, as_json: Json = False) -> None:
    """Give a task back."""
    with connect() as client:
        print_one(client.tasks.release(task), as_json=as_json)


@app.command()
def complete(
    task: str,
    answers: Annotated[str, typer.Option(help="A JSON object, as the task's form asks.")],
    as_json: Json = False,
) -> None:
    """Answer a task, or give one of the votes that it waits for."""
    with connect() as client:
        print_one(client.tasks.complete(task, variables(answers)), as_json=as_json)
