"""What operators do to runs: ``pilothouse runs suspend`` and its like, ``pilothouse lifecycles migrate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, print_one, print_rows
from pilothouse.cli.variables import variables
from pilothouse.domain.errors import InvalidError
from pilothouse.wire.operations import (
    EditVariables,
    HoldRun,
    MigrateRun,
    MigrateRuns,
    MoveTokens,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Reason = Annotated[str, typer.Option(help="Why; it stays in the history and in the audit.")]
Revision = Annotated[
    int | None,
    typer.Option(help="Of the run as you saw it: refused where it has moved since."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would become of it.")]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--pair", help="OLD=NEW: which element becomes which, where ids differ."),
]
OUTCOMES = ("run_id", "migrated", "code", "problem")


class PairInvalidError(InvalidError):
    """A pair on the command line is not OLD=NEW."""

    code = "pair-invalid"

    def __init__(self, *, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} pairs no elements. Write OLD=NEW, two ids of the drawings.")


def pairs(texts: list[str] | None) -> dict[str, str]:
    """Read pairs of elements."""
    found = {}
    for text in texts or ():
        old, sign, new = text.partition("=")
        if not (old and sign and new) or old in found:
            raise PairInvalidError(text=text)
        found[old] = new
    return found


def suspend(run: str, reason: Reason, revision: Revision = None, as_json: Json = False) -> None:
    """Hold a run where it stands: nothing of it is claimed, fires or is done until it is resumed."""
    with connect() as client:
        wanted = HoldRun(reason=reason, revision=revision)
        print_one(client.runs.suspend(run, wanted), as_json=as_json)


def resume(run: str, reason: Reason, revision: Revision = None, as_json: Json = False) -> None:
    """Let a suspended run go on; timers whose moment has passed fire once."""
    with connect() as client:
        wanted = HoldRun(reason=reason, revision=revision)
        print_one(client.runs.resume(run, wanted), as_json=as_json)


def set_variables(
    run: str,
    reason: Reason,
    given: Annotated[str, typer.Option("--variables", help="A JSON object.")] = "{}",
    remove: Annotated[list[str] | None, typer.Option(help="A variable that goes.")] = None,
    scope: Annotated[
        str | None, typer.Option(help="An open scope, by id or element; without it the process.")
    ] = None,
    revision: Revision = None,
    as_json: Json = False,
) -> None:
    """Set variables of a run and remove others, never those that say what it is about."""
    wanted = EditVariables(
        reason=reason,
        variables=variables(given),
        remove=tuple(remove or ()),
        scope=scope,
        revision=revision,
    )
    with connect() as client:
        print_one(client.runs.edit_variables(run, wanted), as_json=as_json)


def move(
    run: str,
    reason: Reason,
    cancel: Annotated[
        list[str] | None, typer.Option(help="An element: what stands there is cancelled.")
    ] = None,
    begin: Annotated[
        list[str] | None, typer.Option(help="An element: a token is put before it.")
    ] = None,
    dry_run: DryRun = False,
    revision: Revision = None,
    as_json: Json = False,
) -> None:
    """Cancel what stands at some elements of a run, and begin before others."""
    wanted = MoveTokens(
        reason=reason,
        cancel=tuple(cancel or ()),
        begin=tuple(begin or ()),
        revision=revision,
    )
    with connect() as client:
        ask = client.runs.preview_move if dry_run else client.runs.move
        print_one(ask(run, wanted), as_json=as_json)


def migrate_run(
    run: str,
    to: Annotated[str, typer.Argument(help="KEY@VERSION.")],
    reason: Reason,
    pair: Pairs = None,
    dry_run: DryRun = False,
    revision: Revision = None,
    as_json: Json = False,
) -> None:
    """Carry a run over to another version of its life cycle."""
    wanted = MigrateRun(to=to, reason=reason, pairs=pairs(pair), revision=revision)
    with connect() as client:
        ask = client.runs.preview_migration if dry_run else client.runs.migrate
        print_one(ask(run, wanted), as_json=as_json)


def pair_up(
    old: Annotated[str, typer.Argument(help="KEY@VERSION.")],
    new: Annotated[str, typer.Argument(help="KEY@VERSION.")],
    as_json: Json = False,
) -> None:
    """Say which elements of two versions belong together when runs are carried over."""
    with connect() as client:
        found = client.lifecycles.propose_migration(old, to=new)
    if as_json:
        print_one(found, as_json=True)
        return
    rows: list[dict[str, str]] = [
        {"old": p.old, "new": p.new, "how": "by name: give --pair" if p.suggestion else "by id"}
        for p in found.pairings
    ]
    rows += [{"old": name, "new": "", "how": "vanished"} for name in found.vanished]
    rows += [{"old": "", "new": name, "how": "appeared"} for name in found.appeared]
    print_rows(rows, ("old", "new", "how"), as_json=False)


def migrate_all(
    old: Annotated[str, typer.Argument(help="KEY@VERSION, whose runs are carried over.")],
    new: Annotated[str, typer.Argument(help="KEY@VERSION.")],
    reason: Reason,
    pair: Pairs = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Carry over all runs of a version that have not ended; exits with 1 if one could not be."""
    wanted = MigrateRuns(to=new, reason=reason, pairs=pairs(pair), dry=dry_run)
    with connect() as client:
        outcomes = tuple(client.lifecycles.migrate(old, wanted))
    print_rows(outcomes, OUTCOMES, as_json=as_json, empty=f"No run of {old} is under way.")
    if any(outcome.code for outcome in outcomes):
        raise typer.Exit(code=1)


RUN_COMMANDS: dict[str, Callable[..., None]] = {
    "suspend": suspend,
    "resume": resume,
    "set-variables": set_variables,
    "move": move,
    "migrate": migrate_run,
}
LIFECYCLE_COMMANDS: dict[str, Callable[..., None]] = {
    "pair": pair_up,
    "migrate": migrate_all,
}
