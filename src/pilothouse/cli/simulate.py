"""`pilothouse lifecycles simulate`: a run of a life cycle on the laptop, with given answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilothouse.cli.output import Json, out, print_json, print_rows
from pilothouse.domain.plain import rfc3339
from pilothouse.lifecycle.offline import (
    AnswersInvalidError,
    Script,
    all_paths,
    by_namespace,
    decisions_given,
    life_cycle,
    read_script,
)
from pilothouse.lifecycle.offline import simulate as simulate_offline
from pilothouse.scoring.documents import read_document
from pilothouse.scoring.folder_errors import ManifestInvalidError

if TYPE_CHECKING:
    from pilothouse.lifecycle.offline import Passage, Paths, Simulated
    from pilothouse.lifecycle.offline import Path as Way


def simulate(
    file: Path,
    answers: Annotated[
        Path | None, typer.Option(help="What the run is answered: a YAML or JSON file.")
    ] = None,
    with_: Annotated[
        list[Path] | None,
        typer.Option(
            "--with", help="A decision file, to take the decisions of business rule tasks."
        ),
    ] = None,
    every_path: Annotated[
        bool, typer.Option("--all-paths", help="List every path through the drawing instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run a life cycle on this machine with given answers; exits with 1 unless it ends as it should."""
    definition = life_cycle(file.read_bytes())
    if every_path:
        _print_paths(all_paths(definition), as_json=as_json)
        return
    decisions = decisions_given(by_namespace(other.read_bytes() for other in with_ or ()))
    done = simulate_offline(definition, _script(answers), decisions=decisions)
    if as_json:
        print_json(done)
    else:
        _print(done)
    if not done.as_wanted:
        raise typer.Exit(code=1)


def _script(file: Path | None) -> Script:
    if file is None:
        return Script()
    try:
        return read_script(read_document(file.read_bytes()))
    except ManifestInvalidError as error:
        place = f"line {error.line} of {file.name}" if error.line else file.name
        raise AnswersInvalidError(place=place, problem=error.problem) from None


def _print(done: Simulated) -> None:
    rows = [_row(passage) for passage in done.path if passage.element]
    print_rows(rows, ("at", "event", "element", "name", "detail"), as_json=False)
    out.print(done.words, markup=False)
    for unmet in done.unmet:
        out.print(f"Not as expected: {unmet}.", markup=False)
    for unused in done.unused:
        out.print(f"Not used: {unused}.", markup=False)


def _row(passage: Passage) -> dict[str, object]:
    said = {name: value for name, value in passage.data.items() if value not in (None, [], {})}
    return {
        "at": rfc3339(passage.at),
        "event": passage.event.value,
        "element": passage.element,
        "name": passage.name,
        "detail": ", ".join(f"{name}: {value}" for name, value in said.items()),
    }


def _print_paths(found: Paths, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for number, path in enumerate(found.paths, start=1):
        out.print(f"{number}. {_drawn(path)}", markup=False)
    if not found.complete:
        out.print(f"There are more paths than these {len(found.paths):,}.")


def _drawn(path: Way) -> str:
    first, *others = path.ways
    steps = (f" -[{way.by}]-> {way.element}" if way.by else f" -> {way.element}" for way in others)
    return first.element + "".join(steps)
