"""`pilothouse jobs` and `pilothouse evaluations`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pilothouse.cli.connection import connect
from pilothouse.cli.output import Json, err, print_one, print_rows
from pilothouse.cli.places import place
from pilothouse.cli.variables import variables
from pilothouse.domain.jobs import Job, JobKind, JobState, TableFormat
from pilothouse.domain.training import TIMEOUT_S, TrainPlan
from pilothouse.sdk import Client
from pilothouse.wire.requests import OrderJob

app = typer.Typer(no_args_is_help=True, help="Jobs: batch runs.")
evaluations = typer.Typer(no_args_is_help=True, help="Evaluations: verdicts with evidence.")
COLUMNS = ("id", "kind", "snapshot", "service", "stage", "state", "result", "output", "error")


@app.command("list")
def list_(service: Annotated[str | None, typer.Option()] = None, as_json: Json = False) -> None:
    """List jobs, newest first."""
    with connect() as client:
        print_rows(client.jobs.list(service=service), COLUMNS, as_json=as_json)


@app.command()
def score(
    snapshot: str,
    service: Annotated[str, typer.Option()],
    stage: Annotated[str, typer.Option()],
    to: Annotated[str, typer.Option(help="Output, LOCATION:PATH.")],
    dataset: Annotated[str | None, typer.Option(help="NAME@VERSION")] = None,
    source: Annotated[str | None, typer.Option(help="Input file, LOCATION:PATH.")] = None,
    source_format: Annotated[TableFormat | None, typer.Option()] = None,
    to_format: Annotated[TableFormat, typer.Option()] = TableFormat.PARQUET,
    column: Annotated[list[str] | None, typer.Option(help="Pass this input column on.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait for its end, with progress.")] = True,
    as_json: Json = False,
) -> None:
    """Score a table."""
    wanted = OrderJob(
        kind=JobKind.SCORE,
        snapshot=snapshot,
        service=service,
        stage=stage,
        dataset=dataset,
        source=place(source) if source else None,
        source_format=source_format,
        target=place(to),
        target_format=to_format,
        columns=tuple(column or ()),
    )
    _order(wanted, wait=wait, as_json=as_json)


@app.command()
def metrics(
    snapshot: str,
    service: Annotated[str, typer.Option()],
    stage: Annotated[str, typer.Option()],
    dataset: Annotated[str, typer.Option(help="Labelled data, NAME@VERSION.")],
    label: Annotated[str | None, typer.Option(help="Column of the truth.")] = None,
    wait: Annotated[bool, typer.Option(help="Wait for its end, with progress.")] = True,
    as_json: Json = False,
) -> None:
    """Measure a snapshot on labelled data."""
    wanted = OrderJob(
        kind=JobKind.METRICS,
        snapshot=snapshot,
        service=service,
        stage=stage,
        dataset=dataset,
        label=label,
    )
    _order(wanted, wait=wait, as_json=as_json)


@app.command()
def train(
    snapshot: str,
    service: Annotated[str, typer.Option()],
    stage: Annotated[str, typer.Option()],
    dataset: Annotated[str, typer.Option(help="Training data, NAME@VERSION.")],
    parameters: Annotated[str, typer.Option(help="A JSON object for `train`.")] = "{}",
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    timeout: Annotated[float, typer.Option(help="Seconds that `train` may take.")] = TIMEOUT_S,
    tag: Annotated[bool, typer.Option("--tag", help="Tag the result with the service.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait for the new snapshot.")] = True,
    as_json: Json = False,
) -> None:
    """Train a snapshot's model anew, and take what comes of it as a snapshot."""
    plan = TrainPlan(parameters=variables(parameters), seed=seed, timeout_s=timeout, tag=tag)
    wanted = OrderJob(
        kind=JobKind.TRAIN,
        snapshot=snapshot,
        service=service,
        stage=stage,
        dataset=dataset,
        training=plan,
    )
    _order(wanted, wait=wait, as_json=as_json)


def _order(wanted: OrderJob, *, wait: bool, as_json: bool) -> None:
    with connect() as client:
        job = client.jobs.order(wanted)
        if wait:
            job = _waited(client, job.id)
            taking = job.parameters.get("snapshot_job")
            # What came of a training is a snapshot only when its own job has ended well.
            job = _waited(client, str(taking)) if taking else job
        print_one(job, as_json=as_json)
    if job.state is JobState.FAILED:
        raise typer.Exit(code=1)


def _waited(client: Client, job_id: str) -> Job:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
    )
    with bar:
        task = bar.add_task("waiting", total=None)

        def progress(job: Job) -> None:
            seen = job.progress
            bar.update(
                task, description=job.state.value, completed=seen.rows_read, total=seen.rows_total
            )

        return client.jobs.wait(job_id, progress=progress)


@app.command()
def show(job: str, as_json: Json = False) -> None:
    """Show a job."""
    with connect() as client:
        print_one(client.jobs.get(job), as_json=as_json)


@app.command("wait")
def wait_(job: str, as_json: Json = False) -> None:
    """Wait for a job's end."""
    with connect() as client:
        done = _waited(client, job)
        print_one(done, as_json=as_json)
    if done.state is JobState.FAILED:
        raise typer.Exit(code=1)


@app.command()
def cancel(job: str, as_json: Json = False) -> None:
    """Stop a job; it leaves no output."""
    with connect() as client:
        print_one(client.jobs.cancel(job), as_json=as_json)


@evaluations.command("list")
def list_evaluations(
    snapshot: Annotated[str | None, typer.Option()] = None, as_json: Json = False
) -> None:
    """List verdicts, newest first."""
    with connect() as client:
        print_rows(
            client.evaluations.list(snapshot=snapshot),
            ("snapshot", "service", "stage", "kind", "verdict", "reason", "judged_at"),
            as_json=as_json,
        )
