"""Training with everything real: processes of jobs, the check of folders, the store; the job's process is killed too."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bootstrap import ADMIN_TOKEN, build
from pilothouse.bpmn.state import RunStatus
from pilothouse.connectors.local.homes import Homes, JobHome
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.jobs import Job, JobKind, JobResult, JobState, TableFormat
from pilothouse.domain.locations import LocationAccess, Place
from pilothouse.domain.runtimes import Mode
from pilothouse.domain.snapshots import FileEntry
from pilothouse.domain.training import TrainPlan
from pilothouse.scoring.packages import sha256_of
from pilothouse.settings import Settings
from pilothouse.testing.connectors import until
from pilothouse.wire.requests import (
    DefineService,
    OrderDeployment,
    OrderJob,
    RegisterDataset,
    RegisterModel,
    RegisterRuntime,
    SetPolicy,
    StartRun,
    TakeSnapshot,
)
from pilothouse.worker.driving import driving_loops
from tests.integration.lifecycle.drawings import drawing, service
from tests.models.build import TRAINABLE_SOURCE, python_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pilothouse.domain.snapshots import Snapshot

GROUP, MODEL, SERVICE = "default", "tiny-trainable", "eligibility"


class Works:
    """A control plane in one home, with a snapshot that can be trained, deployed in batch mode in DEV."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.plane = build(Settings(home=home / "home"))
        self.plane.found()
        token = (home / "home" / ADMIN_TOKEN).read_text("utf-8").strip()
        self.admin = self.plane.tokens.sign_in(token)
        self.loops = driving_loops(self.plane, SYSTEM)
        self.executor = self.plane.new_executor("test")
        self._furnish()

    def _furnish(self) -> None:
        plane, admin, lake = self.plane, self.admin, self.home / "lake"
        lake.mkdir()
        (lake / "ages.csv").write_text("age,truth\n20,0.2\n40,0.4\n60,0.6\n", "utf-8")
        plane.groups.set_policy(admin, name=GROUP, wanted=SetPolicy(python_source=True))
        plane.models.register(admin, RegisterModel(name=MODEL, group=GROUP))
        plane.services.define(admin, DefineService(tag=SERVICE, group=GROUP, mode=Mode.BATCH))
        plane.locations.register(
            admin, name="lake-in", group=GROUP, uri=lake.as_uri(), access=LocationAccess.READ
        )
        plane.datasets.register(
            admin,
            RegisterDataset(
                name="ages@1",
                group=GROUP,
                place=Place(location="lake-in", path="ages.csv"),
                format=TableFormat.CSV,
                role=DatasetRole.TRAIN,
                label="truth",
            ),
        )
        plane.runtimes.register(
            admin, RegisterRuntime(name="dev-local", group=GROUP, stage="DEV", modes=(Mode.BATCH,))
        )
        self.dataset = next(d.full_name for d in plane.datasets.page(admin).items)
        self.deploy(self.take(python_model(self.home / "m", name=MODEL, source=TRAINABLE_SOURCE)))

    def take(self, folder: Path) -> Snapshot:
        files = []
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = FileEntry(
                path=path.relative_to(folder).as_posix(),
                sha256=sha256_of(path),
                size=path.stat().st_size,
            )
            group = self.plane.groups.get(self.admin, name=GROUP).name
            self.plane.artifacts.upload(
                self.admin, group=group, sha256=entry.sha256, chunks=[path.read_bytes()]
            )
            files.append(entry)
        wanted = TakeSnapshot(model=MODEL, files=tuple(files), services=(SERVICE,))
        job = self.ended(self.plane.snapshots.order(self.admin, wanted))
        assert job.state is JobState.COMPLETE, job.error
        return self.plane.snapshots.get(self.admin, name=job.snapshot)

    def deploy(self, snapshot: Snapshot) -> None:
        wanted = OrderDeployment(snapshot=snapshot.name, service=SERVICE, stage="DEV")
        [placed] = self.plane.deployments.order(self.admin, wanted)
        self.until(
            lambda: (
                self.plane.deployments.get(self.admin, deployment_id=placed.id).state
                is DeploymentState.RUNNING
            )
        )

    def turn(self) -> None:
        for loop in self.loops[:3]:
            loop.run_once()
        self.executor.run_once()

    def until(self, there: Callable[[], bool]) -> None:
        def tried() -> bool:
            self.turn()
            return there()

        until(tried, bool)

    def job(self, job_id: str) -> Job:
        return self.plane.jobs.get(self.admin, job_id=job_id)

    def ended(self, job: Job) -> Job:
        self.until(lambda: self.job(job.id).state.ended)
        return self.job(job.id)

    def train(self, **parameters: object) -> Job:
        wanted = OrderJob(
            kind=JobKind.TRAIN,
            snapshot=f"{MODEL}@1",
            service=SERVICE,
            stage="DEV",
            dataset=self.dataset,
            training=TrainPlan(parameters=parameters, seed=7),
        )
        return self.plane.jobs.order(self.admin, wanted)

    def started(self, seed: str, parameters: str) -> str:
        """Run a life cycle that trains, to its end or an incident; give the run's id."""
        train = service(
            "train",
            "train",
            snapshot="=snapshot",
            service="=service",
            stage="DEV",
            dataset=self.dataset,
            seed=seed,
            parameters=parameters,
            tag="=true",
        )
        body = f'<startEvent id="start"/>{train}<endEvent id="end"/>'
        xml = drawing(body, "start>train train>end", key="retrain")
        group = self.plane.groups.get(self.admin, name=GROUP).name
        self.plane.definitions.upload(self.admin, group=group, xml=xml)
        wanted = StartRun(definition="retrain", snapshot=f"{MODEL}@1", service=SERVICE)
        run_id = self.plane.runs.start(self.admin, wanted).heading.run_id

        def over() -> bool:
            run = self.plane.runs.get(self.admin, run_id=run_id)
            return run.state is not RunStatus.ACTIVE or bool(run.incidents)

        self.until(over)
        return run_id

    def home_of(self, job: Job) -> JobHome:
        assert job.runtime_id is not None
        return Homes(self.home / "home").job(job.runtime_id, job.id)

    def attempt(self, job: Job) -> int:
        """Which process of a job runs; 0 before the first, and once its runtime has forgotten it."""
        process = self.home_of(job).process
        return int(json.loads(process.read_text("utf-8"))["attempt"]) if process.exists() else 0

    def writes(self, job: Job) -> bool:
        scratch = self.home_of(job).folder / "scratch" / job.id
        return (scratch / "out" / "weights.json").exists()

    def has_come(self, job: Job, attempt: int, at: str) -> bool:
        return self.attempt(job) == attempt and (at == "started" or self.writes(job))

    def taken(self, job: Job) -> Job:
        return self.ended(self.job(str(job.parameters["snapshot_job"])))


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    works = Works(tmp_path_factory.mktemp("works"))
    yield works
    for runtime in works.plane.runtimes.page(works.admin).items:
        works.plane.job_runs._connectors.of(runtime).withdraw(runtime)
    works.plane.close()


def test_a_training_ends_as_a_snapshot_that_says_what_it_comes_from(works: Works) -> None:
    job = works.ended(works.train())
    taking = works.taken(job)

    assert (job.state, job.result) == (JobState.COMPLETE, JobResult.SUCCESS), job.error
    assert job.metrics == {"rows": 3.0, "seed": 7.0}
    assert taking.state is JobState.COMPLETE, taking.error
    parent = works.plane.snapshots.get(works.admin, name=f"{MODEL}@1")
    trained = works.plane.snapshots.get(works.admin, name=taking.snapshot)
    assert trained.trained is not None
    assert (trained.trained.job, trained.trained.seed) == (job.id, 7)
    assert (trained.trained.parent, trained.trained.parent_digest) == (parent.name, parent.digest)
    assert trained.trained.dataset == works.dataset
    assert trained.trained.dataset_sha256 == sha256_of(works.home / "lake" / "ages.csv")
    assert trained.parents == (parent.id,)
    assert (trained.content.manifest.training, trained.content.lock) == (
        works.dataset,
        parent.content.lock,
    )
    weights = b"".join(
        works.plane.artifacts.download(works.admin, snapshot=trained.name, path="weights.json")
    )
    assert json.loads(weights)["age"] == pytest.approx(0.01)
    assert works.plane.snapshots.services(works.admin, name=trained.name) == ()


def test_the_same_data_and_seed_give_the_same_snapshot(works: Works) -> None:
    first = works.taken(works.ended(works.train()))
    second = works.taken(works.ended(works.train()))

    assert first.id != second.id
    assert first.snapshot == second.snapshot


def test_a_training_that_fails_takes_no_snapshot(works: Works) -> None:
    before = works.plane.snapshots.page(works.admin).items

    job = works.ended(works.train(do="raise"))

    assert (job.state, job.error_code) == (JobState.FAILED, "model-failed")
    assert "snapshot_job" not in job.parameters
    assert works.plane.snapshots.page(works.admin).items == before


@pytest.mark.parametrize("at", ["started", "writing"])
def test_a_training_whose_process_is_killed_is_done_again_and_taken_once(
    works: Works, at: str
) -> None:
    job = works.train(do="slow", age=at)
    before = len(works.plane.snapshots.page(works.admin).items)
    for attempt in (1, 2):
        works.until(partial(works.has_come, job, attempt, at))
        os.kill(json.loads(works.home_of(job).process.read_text("utf-8"))["pid"], signal.SIGKILL)

    ended = works.ended(job)
    taking = works.taken(ended)

    assert (ended.state, works.attempt(job)) == (JobState.COMPLETE, 0), ended.error
    assert taking.state is JobState.COMPLETE, taking.error
    assert len(works.plane.snapshots.page(works.admin).items) - before <= 1
    jobs = works.plane.jobs.page(works.admin, limit=200).items
    assert [j.id for j in jobs if job.id in str(j.parameters.get("trained"))] == [taking.id]


def test_a_training_that_is_cancelled_takes_no_snapshot(works: Works) -> None:
    job = works.train(do="hang")
    works.until(lambda: works.writes(job))

    works.plane.jobs.cancel(works.admin, job_id=job.id)
    ended = works.ended(job)

    assert (ended.state, "snapshot_job" in ended.parameters) == (JobState.CANCELLED, False)


def test_a_trained_model_that_the_check_refuses_is_a_business_error(works: Works) -> None:
    run_id = works.started("=7", "={scale: -1}")

    [incident] = works.plane.runs.get(works.admin, run_id=run_id).incidents

    assert incident.code == "trained-snapshot-refused"
    works.plane.runs.cancel(works.admin, run_id=run_id, reason="seen")


def test_a_life_cycle_trains_and_goes_on_with_the_new_snapshot(works: Works) -> None:
    run_id = works.started("=8", "={}")

    run = works.plane.runs.get(works.admin, run_id=run_id)
    assert run.incidents == ()
    given = works.plane.runs.history(works.admin, run_id=run_id)[-1].data["variables"]
    assert isinstance(given, dict)
    trained = given["trained"]
    snapshot = works.plane.snapshots.get(works.admin, name=trained["snapshot"])
    assert (trained["digest"], trained["parent"]) == (snapshot.digest, f"{MODEL}@1")
    assert (trained["dataset"], trained["metrics"]["rows"]) == (works.dataset, 3.0)
    assert [a.service for a in works.plane.snapshots.services(works.admin, name=snapshot.name)] == [
        SERVICE
    ]
