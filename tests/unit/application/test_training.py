"""Trainings: what may be ordered, and how what came of one becomes a snapshot, once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.application.deployments import RuntimeUnsuitableError
from pilothouse.application.founding import SYSTEM
from pilothouse.application.jobs import BlindDataError, JobInvalidError
from pilothouse.domain.access import ActionDeniedError, Role
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.jobs import JobKind, JobReport, JobResult, JobState, TableFormat
from pilothouse.domain.locations import Place
from pilothouse.domain.plain import canonical, to_plain
from pilothouse.domain.runtimes import Ability, Capabilities, Mode
from pilothouse.domain.snapshots import FileEntry
from pilothouse.domain.training import NotTrainableError, TrainedFolder, TrainPlan
from pilothouse.wire.requests import OrderJob, RegisterDataset
from tests.unit.application.company import sha256

if TYPE_CHECKING:
    from pilothouse.domain.jobs import Job
    from tests.unit.application.company import Company

POINTS = {"score": "m:score", "train": "m:train"}


@pytest.fixture
def placed(company: Company) -> str:
    """The name of a snapshot that can be trained, deployed in batch mode in DEV, with datasets of two roles."""
    inbox = company.location("inbox")
    (inbox / "rows.csv").write_bytes(b"a,truth\n1,2\n")
    for name, role in (("rows@1", DatasetRole.TRAIN), ("unseen@1", DatasetRole.BLIND)):
        company.datasets.register(
            company.admin,
            RegisterDataset(
                name=name,
                group="risk",
                place=Place(location="inbox", path="rows.csv"),
                format=TableFormat.CSV,
                role=role,
            ),
        )
    company.service("cc-batch", mode=Mode.BATCH)
    name = company.snapshot(services=("cc-batch",), entry_points=POINTS).name
    company.reach(name, "DEV", service="cc-batch")
    return name


def ordered(company: Company, snapshot: str, **changes: Any) -> Job:  # noqa: ANN401 any field of the order
    fields: dict[str, Any] = {
        "kind": JobKind.TRAIN,
        "snapshot": snapshot,
        "service": "cc-batch",
        "stage": "DEV",
        "dataset": "rows@1",
        "training": TrainPlan(parameters={"depth": 3}, seed=7),
    }
    who = changes.pop("who", company.admin)
    return company.jobs.order(who, OrderJob(**(fields | changes)))


def uploaded(company: Company, job: Job, *, job_id: str | None = None) -> str:
    """Leave a trained folder in the store, as a runtime does; give the SHA-256 of its list."""
    snapshot = company.snapshots.get(company.admin, name=job.snapshot)
    manifest = canonical({"name": "fraud-gbm", "parents": [snapshot.name]})
    files = {"pilothouse.yaml": manifest, "model.bin": b"better weights"}
    for blob in files.values():
        company.store.put([blob], sha256=sha256(blob))
    folder = TrainedFolder(
        schema=1,
        job_id=replace(job, id=job_id or job.id).id,  # type: ignore[arg-type]
        digest=snapshot.digest,
        files=tuple(
            FileEntry(path=path, sha256=sha256(blob), size=len(blob))
            for path, blob in files.items()
        ),
    )
    content = canonical(folder)
    company.store.put([content], sha256=sha256(content))
    return sha256(content)


def ended(company: Company, job: Job, manifest_sha256: str | None) -> Job:
    company.job_runs.advance(SYSTEM, job.id)
    company.connector.jobs[job.id] = JobReport(
        job_id=job.id,
        state=JobState.COMPLETE,
        result=JobResult.SUCCESS,
        metrics={"loss": 0.1},
        manifest_sha256=manifest_sha256,
    )
    company.job_runs.advance(SYSTEM, job.id)
    return company.jobs.get(company.admin, job_id=job.id)


def test_a_runtime_is_told_the_data_the_plan_and_the_dataset(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    company.job_runs.advance(SYSTEM, job.id)

    assert job.parameters == to_plain(TrainPlan(parameters={"depth": 3}, seed=7))
    assert company.connector.starts == [job.id]


def test_what_came_of_a_training_is_ordered_as_a_snapshot_and_taken(
    company: Company, placed: str
) -> None:
    job = ordered(company, placed)

    done = ended(company, job, uploaded(company, job))
    taking = company.snapshots.take(SYSTEM, company.jobs.get(
        company.admin, job_id=str(done.parameters["snapshot_job"])
    ).id)  # fmt: skip

    trained = company.snapshots.get(company.admin, name=taking.snapshot)
    parent = company.snapshots.get(company.admin, name=placed)
    assert done.state is JobState.COMPLETE
    assert trained.number == parent.number + 1
    assert trained.parents == (parent.id,)
    assert trained.trained is not None
    assert (trained.trained.job, trained.trained.parent_digest) == (job.id, parent.digest)
    assert (trained.trained.parameters, trained.trained.seed) == ({"depth": 3}, 7)
    assert trained.trained.dataset_sha256 == sha256(b"a,truth\n1,2\n")
    assert trained.taken_by == job.ordered_by


def test_a_training_orders_its_snapshot_once(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    ended(company, job, uploaded(company, job))

    company.job_runs.advance(SYSTEM, job.id)

    assert len(company.snapshots.waiting(SYSTEM)) == 1


def test_the_new_snapshot_is_tagged_where_that_is_asked(company: Company, placed: str) -> None:
    job = ordered(company, placed, training=TrainPlan(tag=True))

    done = ended(company, job, uploaded(company, job))
    taking = company.jobs.get(company.admin, job_id=str(done.parameters["snapshot_job"]))

    assert taking.parameters["services"] == ["cc-batch"]


@pytest.mark.parametrize("left", ["nothing", "unknown", "another"])
def test_a_runtime_that_left_nothing_usable_has_failed(
    company: Company, placed: str, left: str
) -> None:
    job = ordered(company, placed)
    found = {
        "nothing": None,
        "unknown": "0" * 64,
        "another": uploaded(company, job, job_id="job_other"),
    }

    done = ended(company, job, found[left])

    assert (done.state, done.error_code) == (JobState.FAILED, "training-output")
    assert company.snapshots.waiting(SYSTEM) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"training": None},
        {"kind": JobKind.METRICS},
        {"dataset": None},
        {"target": Place(location="inbox", path="out"), "target_format": TableFormat.CSV},
        {"training": TrainPlan(timeout_s=0)},
        {"training": TrainPlan(timeout_s=float("inf"))},
        {
            "dataset": None,
            "source": Place(location="inbox", path="rows.csv"),
            "source_format": TableFormat.CSV,
        },
    ],
)
def test_a_training_that_says_too_little_or_too_much_is_refused(
    company: Company, placed: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(JobInvalidError):
        ordered(company, placed, **changes)


def test_blind_data_trains_nothing(company: Company, placed: str) -> None:
    with pytest.raises(BlindDataError):
        ordered(company, placed, dataset="unseen@1")


def test_a_snapshot_without_train_is_refused_at_once(company: Company, placed: str) -> None:
    other = company.snapshot(seed=2, services=("cc-batch",)).name

    with pytest.raises(NotTrainableError) as refused:
        ordered(company, other)

    assert refused.value.snapshot == other


def test_training_asks_for_the_right_to_run_jobs(company: Company, placed: str) -> None:
    reader = company.hire("rea", Role.AUDITOR)

    with pytest.raises(ActionDeniedError):
        ordered(company, placed, who=reader)


def test_a_runtime_that_trains_nothing_says_so(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    company.connector.can["risk-dev"] = Capabilities(
        abilities=frozenset(Ability) - {Ability.TRAIN_JOB},
        inabilities={Ability.TRAIN_JOB: "it has no disk"},
        formats=frozenset({"sklearn"}),
    )

    company.job_runs.advance(SYSTEM, job.id)

    failed = company.jobs.get(company.admin, job_id=job.id)
    assert (failed.state, failed.error_code) == (JobState.FAILED, RuntimeUnsuitableError.code)
    assert "it has no disk" in failed.error


def test_a_tag_that_the_snapshot_has_lost_asks_for_the_right_to_tag(
    company: Company, placed: str
) -> None:
    validator = company.hire("val", Role.VALIDATOR)
    plan = TrainPlan(tag=True)
    assert ordered(company, placed, training=plan, who=validator).state is JobState.CREATED
    company.snapshots.untag(company.admin, snapshot=placed, service="cc-batch")

    with pytest.raises(ActionDeniedError):
        ordered(company, placed, training=plan, who=validator)
