"""`pilothouse services` and `pilothouse stages`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, print_one, print_rows
from pilothouse.domain.errors import InvalidError
from pilothouse.domain.prediction_logs import SensitiveLogging
from pilothouse.domain.runtimes import Mode
from pilothouse.wire.requests import DefineService, DefineStage, RouteShare, SetLog, SetRoute

app = typer.Typer(no_args_is_help=True, help="Services: the business uses of models.")
stages = typer.Typer(no_args_is_help=True, help="Stages: the ordered environments.")
COLUMNS = ("tag", "group", "mode", "lifecycle", "test_dataset", "title")
WHERE = (
    "stage",
    "snapshot",
    "mode",
    "runtime",
    "state",
    "share",
    "health",
    "address",
    "since",
)


class ShareInvalidError(InvalidError):
    """A share on the command line cannot be read."""

    code = "share-invalid"

    def __init__(self, *, text: str) -> None:
        self.text = text
        super().__init__(
            f"{text!r} is not a share. Write SNAPSHOT=WEIGHT, as in cc-fraud-gbm@7=0.9."
        )


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List services."""
    with connect() as client:
        print_rows(client.services.list(), COLUMNS, as_json=as_json)


@app.command()
def define(
    tag: str,
    mode: Annotated[Mode, typer.Option()],
    group: Annotated[str, typer.Option()] = "default",
    title: Annotated[str, typer.Option()] = "",
    lifecycle: Annotated[str | None, typer.Option(help="Life cycle of its snapshots.")] = None,
    test_dataset: Annotated[str | None, typer.Option(help="NAME@VERSION of labelled data.")] = None,
    as_json: Json = False,
) -> None:
    """Define a service by its tag."""
    wanted = DefineService(
        tag=tag,
        group=group,
        mode=mode,
        title=title,
        lifecycle=lifecycle,
        test_dataset=test_dataset,
    )
    with connect() as client:
        print_one(client.services.define(wanted), as_json=as_json)


@app.command()
def show(tag: str, as_json: Json = False) -> None:
    """Show a service."""
    with connect() as client:
        print_one(client.services.get(tag), as_json=as_json)


@app.command("log")
def set_log(
    tag: str,
    sampling: Annotated[
        float | None, typer.Option(help="Share of requests whose rows are kept, 0 to 1.")
    ] = None,
    sensitive: Annotated[
        SensitiveLogging | None, typer.Option(help="What is kept of sensitive columns.")
    ] = None,
    retain_days: Annotated[
        int | None, typer.Option(help="Days after which rows are removed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change what the prediction log keeps of a service; what is not given stays."""
    wanted = SetLog(sampling=sampling, sensitive=sensitive, retain_days=retain_days)
    with connect() as client:
        print_one(client.services.set_log(tag, wanted), as_json=as_json)


@app.command()
def where(
    tag: str,
    at: Annotated[datetime | None, typer.Option(help="A past moment, UTC (RFC 3339).")] = None,
    as_json: Json = False,
) -> None:
    """Say where every version runs, in which mode, with what share of traffic; now or at a past moment."""
    moment = at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
    with connect() as client:
        print_rows(
            client.services.where(tag, at=moment),
            WHERE,
            as_json=as_json,
            empty="No snapshot served it.",
        )


@app.command()
def endpoints(tag: str, stage: str, as_json: Json = False) -> None:
    """Say where applications meet a service in a stage."""
    with connect() as client:
        print_rows(
            client.services.endpoints(tag, stage),
            ("service", "stage", "kind", "url"),
            as_json=as_json,
        )


@app.command()
def route(tag: str, stage: str, as_json: Json = False) -> None:
    """Show who answers for a service in a stage."""
    with connect() as client:
        print_one(client.services.route(tag, stage), as_json=as_json)


@app.command()
def shift(
    tag: str,
    stage: str,
    shares: Annotated[list[str], typer.Argument(help="SNAPSHOT=WEIGHT …")],
    expected_generation: Annotated[int, typer.Option(help="The generation that you saw.")],
    shadow: Annotated[list[str] | None, typer.Option(help="SNAPSHOT=FRACTION")] = None,
    as_json: Json = False,
) -> None:
    """Divide a service's traffic in a stage among running snapshots."""
    wanted = SetRoute(
        expected_generation=expected_generation,
        variants=tuple(_share(s) for s in shares),
        shadows=tuple(_share(s) for s in shadow or ()),
    )
    with connect() as client:
        print_one(client.services.set_route(tag, stage, wanted), as_json=as_json)


def _share(text: str) -> RouteShare:
    snapshot, _, weight = text.partition("=")
    try:
        return RouteShare(snapshot=snapshot, weight=float(weight))
    except ValueError as problem:
        raise ShareInvalidError(text=text) from problem


@stages.command("list")
def list_stages(as_json: Json = False) -> None:
    """List stages in the order of the path."""
    with connect() as client:
        print_rows(client.stages.list(), ("name", "position", "production"), as_json=as_json)


@stages.command("define")
def define_stage(
    name: str,
    position: Annotated[
        int, typer.Option(help="Place on the path; those of one place stand side by side.")
    ],
    production: Annotated[bool, typer.Option("--production")] = False,
    as_json: Json = False,
) -> None:
    """Add a stage."""
    wanted = DefineStage(name=name, position=position, production=production)
    with connect() as client:
        print_one(client.stages.define(wanted), as_json=as_json)
