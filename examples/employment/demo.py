"""
From a model file to production on one machine: what ``make demo`` runs.

It starts a Pilothouse of its own in ``.demo``, trains a model, has it carried through DEV, SIT, UAT and PROD by two life
cycles, scores with it online and in batch, shows that both agree, and stops everything that it started. What it made stays
for a look with ``PILOTHOUSE_HOME=.demo/home pilothouse up``.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import furnish
import pyarrow.parquet as pq
import train
from furnish import BATCH, GROUP, ONLINE, Tokens
from home import DemoError, DemoHome
from rich.console import Console
from watching import Watch

from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.jobs import Job, JobKind, JobState, TableFormat
from pilothouse.domain.locations import Place
from pilothouse.sdk import ApiError, Client, ScoringClient
from pilothouse.sdk.scoring import EntryRefusedError, EntryUnreachableError
from pilothouse.wire import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pilothouse.domain.schemas import Scalar
    from pilothouse.domain.tasks import Task

CHECKOUT = Path(__file__).parents[2]
LIVE_ROWS = 1000
AGREEMENT = 1e-12
PATIENCE_S = 240.0
READY_S = 20.0
console = Console(soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What the demo's steps work with: the home, and the server as its administrator, author and validator see it."""

    home: DemoHome
    admin: Client
    author: Client
    validator: Client
    tokens: Tokens


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Print what is done, and how long it took."""
    console.print(f"\n[bold cyan]{title}[/bold cyan]")
    start = time.monotonic()
    yield
    console.print(f"  [dim]{time.monotonic() - start:.1f} s[/dim]")


def furnish_home(home: DemoHome, url: str) -> Tokens:
    """Tell the new Pilothouse of people, runtimes, folders, data and services, as its administrator."""
    with Client(url=url, token=home.admin_token()) as admin:
        furnish.register_runtimes(admin)
        furnish.register_data(admin, data=home.folder / "data", results=home.results)
        furnish.define_services(admin)
        tokens = furnish.enter_people(admin)
    tokens.keep(home.folder / "tokens")
    return tokens


@contextlib.contextmanager
def open_stand(home: DemoHome, url: str, tokens: Tokens) -> Iterator[Stand]:
    """Connect as everybody who acts in the demo."""
    with (
        Client(url=url, token=home.admin_token()) as admin,
        Client(url=url, token=tokens.author) as author,
        Client(url=url, token=tokens.validator) as validator,
    ):
        yield Stand(home=home, admin=admin, author=author, validator=validator, tokens=tokens)


def take_snapshot(stand: Stand) -> str:
    """Register the model and take its first snapshot, tagged with both services, as its author."""
    stand.author.models.register(
        requests.RegisterModel(
            name=train.MODEL,
            group=GROUP,
            use_case="Who is employed",
            methodology="Gradient boosting over encoded census codes",
        )
    )
    snapshot = stand.author.snapshots.take(
        stand.home.folder / "model",
        group=GROUP,
        services=(ONLINE, BATCH),
        progress=lambda line: console.print(f"  {line}", markup=False),
    )
    console.print(f"  [bold]{snapshot.name}[/bold] {snapshot.digest}")
    return snapshot.name


def approve(stand: Stand, tasks: Sequence[Task]) -> None:
    """Let the author try to approve the snapshot, which is refused, and the validator approve it."""
    for task in tasks:
        answers = {"decision": "approve", "comment": "Measured on rows that it has not seen."}
        try:
            stand.author.tasks.complete(task.id, answers)
        except ApiError as refusal:
            console.print(f"  {furnish.AUTHOR}: [red]{refusal.problem_code}[/red] {refusal.detail}")
        else:
            raise DemoError(problem="The author approved a snapshot of her own.")
        stand.validator.tasks.complete(task.id, answers)
        console.print(
            f"  {furnish.VALIDATOR}: [green]approved[/green] {task.snapshot} "
            f"(digest {str(task.digest)[:12]}…) for {task.inputs.get('service')}"
        )


def score_online(stand: Stand, rows: int) -> Mapping[str, Sequence[Scalar]]:
    """Score rows of 2016 by REST in PROD, as a consuming application does, and give its answers."""
    table = pq.read_table(stand.home.folder / "data" / "2016.parquet").slice(0, rows)
    columns = {name: table[name].to_pylist() for name in ("id", *train.PREDICTORS)}
    endpoint = stand.admin.services.endpoints(ONLINE, "PROD")[0]
    scoring = ScoringClient(token=stand.tokens.application)
    with contextlib.closing(scoring):
        wait_ready(scoring, endpoint.url)
        one = scoring.score(endpoint.url, {name: values[:1] for name, values in columns.items()})
        console.print(f"  POST {endpoint.url}/infer")
        console.print(f"  one row   {_first(one.columns)}", markup=False)
        console.print(
            f"            by {one.snapshot}, route generation {one.route_generation}, "
            f"prediction {one.prediction_id}"
        )
        start = time.monotonic()
        answer = scoring.score(endpoint.url, columns)
        console.print(f"  {rows} rows in one request: {time.monotonic() - start:.3f} s")
    return {"id": columns["id"], **{n: answer.columns[n] for n in ("employed", "probability")}}


def wait_ready(scoring: ScoringClient, url: str) -> None:
    """Wait until the entry has taken the route over, as an application does that starts with the service."""
    end = time.monotonic() + READY_S
    while True:
        try:
            scoring.schema(url)
        except (EntryRefusedError, EntryUnreachableError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def _first(columns: Mapping[str, Sequence[Scalar]]) -> str:
    return ", ".join(f"{name}={values[0]}" for name, values in columns.items())


def score_batch(stand: Stand, snapshot: str) -> Job:
    """Score all of 2016 as a batch job in PROD."""
    job = stand.admin.jobs.order(
        requests.OrderJob(
            kind=JobKind.SCORE,
            snapshot=snapshot,
            service=BATCH,
            stage="PROD",
            source=Place(location="data", path="2016.parquet"),
            source_format=TableFormat.PARQUET,
            target=Place(location="results", path="2016-outreach"),
            target_format=TableFormat.PARQUET,
            columns=("id",),
        )
    )
    done = stand.admin.jobs.wait(job.id, timeout_s=PATIENCE_S)
    if done.state is not JobState.COMPLETE:
        raise DemoError(problem=f"Job {done.id} is {done.state.value}: {done.error}")
    seen = done.progress
    console.print(
        f"  {seen.rows_read:,} rows read, {seen.rows_scored:,} scored, {seen.rows_rejected:,} rejected; "
        f"output {stand.home.results / str(done.output)}"
    )
    return done


def compare(stand: Stand, job: Job, online: Mapping[str, Sequence[Scalar]]) -> None:
    """Hold the answers of both ways against each other, row by row."""
    parts = sorted((stand.home.results / str(job.output)).glob("*.parquet"))
    in_batch = {row["id"]: row for part in parts for row in pq.read_table(part).to_pylist()}
    pairs = [
        (in_batch[number], label, float(probability))
        for number, label, probability in zip(*online.values(), strict=True)
    ]
    largest = max(abs(row["probability"] - probability) for row, _, probability in pairs)
    differing = sum(row["employed"] != label for row, label, _ in pairs)
    console.print(
        f"  {len(pairs)} rows both ways: {differing} labels differ, largest difference {largest:.1e}"
    )
    if differing or largest > AGREEMENT:
        raise DemoError(problem=f"REST and batch differ by more than {AGREEMENT:g}.")


def show(home: DemoHome, *words: str) -> None:
    """Run a command of the command line and let it print its table."""
    console.print(f"\n  [bold]$ pilothouse {' '.join(words)}[/bold]")
    sys.stdout.flush()
    done = subprocess.run(home.command(*words), env=home.environment(), check=False)  # noqa: S603  our own command
    if done.returncode != 0:
        raise DemoError(problem=f"`pilothouse {' '.join(words)}` ended with {done.returncode}.")


def promote(stand: Stand) -> str:
    """Take a snapshot and see it through both life cycles to production."""
    with step("Ada takes a snapshot, tagged with two services"):
        snapshot = take_snapshot(stand)
    watch = Watch(stand.admin, snapshot=snapshot, services=(ONLINE, BATCH), console=console)
    with step("Two life cycles carry it through DEV, SIT and UAT, until somebody is asked"):
        tasks = watch.until_asked(within_s=PATIENCE_S)
    with step("An author does not approve her own work; Vera does"):
        approve(stand, tasks)
    with step("On to PROD"):
        for run in watch.until_ended(within_s=PATIENCE_S):
            if run.outcome != "promoted":
                raise DemoError(problem=f"{run.heading.service} ended with {run.outcome!r}.")
    return snapshot


def tell(stand: Stand, snapshot: str) -> None:
    """Score both ways, compare, and say where everything runs."""
    with step("The benefits portal scores people of 2016 in PROD, by REST"):
        online = score_online(stand, LIVE_ROWS)
    with step("The outreach team scores all of 2016 in PROD, in batch"):
        job = score_batch(stand, snapshot)
    with step("The same answers both ways"):
        compare(stand, job, online)
    with step("Where every version runs, and what was found of it"):
        show(stand.home, "services", "where", ONLINE)
        show(stand.home, "services", "where", BATCH)
        show(stand.home, "evaluations", "list")


def demonstrate(home: DemoHome) -> None:
    """Do it all; whatever was started is stopped at the end, however it ends."""
    with step("A new home, and a model trained on 2015"):
        home.renew()
        area = train.make(home.folder)
        console.print(f"  {train.MODEL}: area under the ROC curve {area:.4f} on unseen rows")
    try:
        with step(
            "Pilothouse is started, with people, a runtime for each stage, data and services"
        ):
            url = home.start()
            console.print(f"  {url}, home {home.home}")
            tokens = furnish_home(home, url)
        with open_stand(home, url, tokens) as stand:
            tell(stand, promote(stand))
    finally:
        with step("Everything that was started is stopped"):
            home.stop()


def look_next(home: DemoHome) -> None:
    """Say where to look afterwards."""
    command = f"PILOTHOUSE_HOME={home.home} {Path(sys.executable).with_name('pilothouse')}"
    console.print(
        f"""
Look next:
  {command} up
      starts it again; what ran in PROD runs again by itself
  {command} runs list
      in another shell; try also: tasks list --all, jobs list, deployments list, audit list
  {home.results}/2016-outreach
      the scored file, with its manifest
  docs/tutorial/first-model.md
      the same by hand, in ten minutes
  make demo-stop
      stops the scoring processes that a later `up` leaves running""",
        markup=False,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo, or stop what a later `pilothouse up` over its home has started; 0 when all went well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".demo", help="where it is made")
    parser.add_argument("--stop", action="store_true", help="only stop its scoring processes")
    given = parser.parse_args(arguments)
    home = DemoHome(given.folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    start = time.monotonic()
    try:
        if given.stop:
            home.end()
            return 0
        demonstrate(home)
    except (PilothouseError, TimeoutError) as problem:
        code = getattr(problem, "problem_code", getattr(problem, "code", "timed-out"))
        console.print(f"\n[bold red]The demo failed[/bold red] ({code}): ", end="")
        console.print(str(problem), markup=False)
        console.print(f"The server's log: {home.log}")
        return 1
    console.print(f"\n[bold green]All done[/bold green] in {time.monotonic() - start:.0f} s.")
    look_next(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
