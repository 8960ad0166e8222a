"""`pilothouse lifecycles`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.operations import LIFECYCLE_COMMANDS
from pilothouse.cli.output import Json, err, print_json, print_one, print_rows
from pilothouse.cli.simulate import simulate
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.lifecycles import DefinitionKind
from pilothouse.lifecycle.offline import differences, element_templates, upload_order
from pilothouse.lifecycle.offline import lint as lint_offline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pilothouse.domain.lifecycles import Definition
    from pilothouse.lifecycle.offline import Difference
    from pilothouse.wire.runs import Finding

app = typer.Typer(no_args_is_help=True, help="Life cycles and decision tables.")
COLUMNS = (
    *("key", "definition_version", "kind", "group", "state"),
    *("decisions", "imports", "start_signals", "uploaded_by", "uploaded_at"),
)
DIFFERING = ("change", "kind", "element", "in", "what", "old", "new")
SUFFIXES = (".bpmn", ".dmn", ".xml")


class NotComparedError(PilothouseError):
    """Two life cycles cannot be compared: exit code 1 says that they differ, so this one is 2."""

    code = "not-compared"
    exit_code = 2

    def __init__(self, *, code: str, problem: str) -> None:
        self.problem_code, self.problem = code, problem
        super().__init__(problem)


class NotWrittenError(PilothouseError):
    """A file cannot be written where it was asked for."""

    code = "file-not-written"

    def __init__(self, *, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} cannot be written: {reason}. Name another file by --out.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List definitions."""
    with connect() as client:
        print_rows(client.lifecycles.list(), COLUMNS, as_json=as_json)


@app.command()
def upload(
    file: Annotated[list[Path], typer.Argument(help="BPMN and DMN files, in any order.")],
    group: Annotated[str, typer.Option()] = "default",
    as_json: Json = False,
) -> None:
    """Upload BPMN and DMN files, each as the next version of its key; says where their tables contradict themselves.

    Decision files are taken before those that import them; the first one that is refused ends it.
    """
    files = {str(path): path.read_bytes() for path in file}
    order = upload_order(files) if len(files) > 1 else tuple(files)
    several = len(order) > 1
    taken: dict[str, Definition] = {}
    with connect() as client:
        try:
            for name in order:
                taken[name] = client.lifecycles.upload(files[name], group=group)
        except PilothouseError:
            if several:
                print_rows(taken.values(), COLUMNS, as_json=as_json, empty="None was taken.")
                _tell_refusal(order, taken)
            raise
        print_rows(taken.values(), COLUMNS, as_json=as_json)
        for name in order:
            _mind(client.lifecycles.lint(files[name], group=group), name if several else "")


def _tell_refusal(order: Sequence[str], taken: Mapping[str, Definition]) -> None:
    """Say which of several files is refused, which were taken, and which were not tried."""
    refused, *left = order[len(taken) :]
    done = ", ".join(f"{name} as {definition.full_name}" for name, definition in taken.items())
    words = f"Refused: {refused}. Taken: {done or 'none'}. Not tried: {', '.join(left) or 'none'}."
    err.print(words, markup=False)


def _mind(found: Iterable[Finding], file: str) -> None:
    where = f"{file}: " if file else ""
    for finding in found:
        words = f"Mind {where}{finding.element}, line {finding.line}: {finding.problem}."
        err.print(words, markup=False)


@app.command()
def lint(
    file: Path,
    with_: Annotated[
        list[Path] | None,
        typer.Option("--with", help="A decision file that a decision file imports."),
    ] = None,
    external_topic: Annotated[
        list[str] | None, typer.Option(help="A topic that workers of the group's own do.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what an upload would refuse, and where decision tables contradict themselves; asks no server."""
    found = lint_offline(
        file.read_bytes(),
        others=[other.read_bytes() for other in with_ or ()],
        external_topics=external_topic or (),
    )
    columns = ("severity", "element", "line", "problem", "example", "cure")
    print_rows(found, columns, as_json=as_json, empty="It can run.")
    if found:
        raise typer.Exit(code=1)


app.command()(simulate)
for command_name, command in LIFECYCLE_COMMANDS.items():
    app.command(command_name)(command)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A file, or KEY@VERSION of the server.")],
    new: Annotated[str, typer.Argument(help="A file, or KEY@VERSION of the server.")],
    as_json: Json = False,
) -> None:
    """Say what differs between two life cycles or decision files, however drawn; exits with 1 if anything, 2 on errors."""
    try:
        found = differences(_source(old), _source(new))
    except PilothouseError as error:
        code = getattr(error, "problem_code", error.code)
        raise NotComparedError(code=code, problem=error.message) from error
    except OSError as error:
        problem = f"{error.strerror or error}: {error.filename}. Name another file."
        raise NotComparedError(code="file", problem=problem) from error
    if as_json:
        print_json(found)
    else:
        rows = [row for difference in found for row in _rows(difference)]
        print_rows(
            rows, DIFFERING, as_json=False, empty="Nothing differs, but perhaps the drawing."
        )
    if found:
        raise typer.Exit(code=1)


def _source(name: str) -> bytes:
    """Read a file; ask the server for what is none and looks like none."""
    path = Path(name)
    if path.is_file() or path.suffix.lower() in SUFFIXES or len(path.parts) > 1:
        return path.read_bytes()
    with connect() as client:
        return client.lifecycles.get(name).source


def _rows(found: Difference) -> Iterator[dict[str, str | None]]:
    """Give a row for each detail, or one for an element of which there is nothing to say."""
    head: dict[str, str | None] = {
        "change": found.change.value,
        "kind": found.kind,
        "element": f"{found.element} ({found.name})" if found.name else found.element,
        "in": found.scope,
    }
    for detail in found.details:
        yield {
            **head,
            "what": detail.what,
            "old": _words(detail.old),
            "new": _words(detail.new),
        }
    if not found.details:
        yield head


def _words(value: str | None) -> str | None:
    return "(empty)" if value == "" else value


@app.command()
def show(name: str, as_json: Json = False) -> None:
    """Print a definition's XML, or all of it as JSON."""
    with connect() as client:
        found = client.lifecycles.get(name)
    if as_json:
        print_one(found, as_json=True)
    else:
        typer.echo(found.source, nl=False)  # byte by byte, in the file's own encoding


@app.command()
def export(
    name: str,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; KEY.bpmn or KEY.dmn here without it.")
    ] = None,
) -> None:
    """Write a definition's file as it was uploaded, byte by byte."""
    with connect() as client:
        found = client.lifecycles.get(name)
    suffix = "dmn" if found.kind is DefinitionKind.DMN else "bpmn"
    _write(out or Path(f"{found.key}.{suffix}"), found.source)


@app.command()
def templates(
    out: Annotated[Path | None, typer.Option(help="The file to write; printed without it.")] = None,
) -> None:
    """Give the element templates for Camunda Modeler, one for each task type; asks no server."""
    text = json.dumps(element_templates(), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        _write(out, text.encode())


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise NotWrittenError(path=str(path), reason=error.strerror or str(error)) from error
    typer.echo(f"Written: {path}")


@app.command()
def activate(name: str, as_json: Json = False) -> None:
    """Let new runs start from this very version, KEY@VERSION; later ones of its key are retired."""
    with connect() as client:
        print_rows([client.lifecycles.activate(name)], COLUMNS, as_json=as_json)


@app.command()
def retire(name: str, as_json: Json = False) -> None:
    """Let no new run start from a version, KEY@VERSION."""
    with connect() as client:
        print_rows([client.lifecycles.retire(name)], COLUMNS, as_json=as_json)
