"""Jobs: what may be ordered, and that each runs once whatever is lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.application.jobs import BlindDataError, JobInvalidError, JobNotPlacedError
from pilothouse.domain.access import ActionDeniedError, Role
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.errors import AlreadyExistsError, NotFoundError
from pilothouse.domain.jobs import JobEndedError, JobKind, JobReport, JobState, TableFormat
from pilothouse.domain.locations import LocationAccess, LocationRefusedError, Place
from pilothouse.domain.runtimes import Mode
from pilothouse.domain.snapshots import PathInvalidError
from pilothouse.wire.requests import OrderJob, RegisterDataset

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.datasets import Dataset
    from pilothouse.domain.jobs import Job
    from tests.unit.application.company import Company


@pytest.fixture
def placed(company: Company) -> str:
    """The name of a snapshot that is deployed in batch mode in DEV, beside the location `inbox`."""
    company.location("inbox")
    company.service("cc-batch", mode=Mode.BATCH)
    name = company.snapshot(services=("cc-batch",)).name
    company.reach(name, "DEV", service="cc-batch")
    return name


def wanted(snapshot: str, **changes: Any) -> OrderJob:  # noqa: ANN401 any field of the order
    fields: dict[str, Any] = {
        "kind": JobKind.SCORE,
        "snapshot": snapshot,
        "service": "cc-batch",
        "stage": "DEV",
        "source": Place(location="inbox", path="in.parquet"),
        "source_format": TableFormat.PARQUET,
        "target": Place(location="inbox", path="out"),
    }
    return OrderJob(**(fields | changes))


def ordered(company: Company, snapshot: str, **changes: Any) -> Job:  # noqa: ANN401
    return company.jobs.order(company.admin, wanted(snapshot, **changes))


def now(company: Company, job: Job) -> Job:
    return company.jobs.get(company.admin, job_id=job.id)


def advance(company: Company, job: Job) -> Job:
    company.job_runs.advance(SYSTEM, job.id)
    return now(company, job)


def dataset(
    company: Company,
    name: str,
    *,
    file: str = "in.parquet",
    role: DatasetRole = DatasetRole.BLIND,
    who: Principal | None = None,
    content: bytes = b"rows",
) -> Dataset:
    (company.folder / "places" / "inbox" / file).write_bytes(content)
    return company.datasets.register(
        who or company.admin,
        RegisterDataset(
            name=name,
            group="risk",
            place=Place(location="inbox", path=file),
            format=TableFormat.PARQUET,
            role=role,
            label="truth",
        ),
    )


def test_a_job_runs_where_its_snapshot_is_deployed_in_batch(company: Company, placed: str) -> None:
    job = ordered(company, placed)

    assert job.runtime_id == company.runtimes.get(company.admin, name="risk-dev").id
    assert (job.state, job.target_format) == (JobState.CREATED, TableFormat.PARQUET)


def test_a_job_of_a_snapshot_that_is_not_deployed_is_refused(company: Company, placed: str) -> None:
    with pytest.raises(JobNotPlacedError) as refused:
        ordered(company, placed, stage="SIT")

    assert refused.value.stage == "SIT"
    assert "--mode batch" in refused.value.message


def test_a_snapshot_that_runs_online_only_takes_no_job(company: Company, placed: str) -> None:
    company.snapshots.tag(company.admin, snapshot=placed, service="cc-fraud")
    company.reach(placed, "DEV", service="cc-fraud", mode=Mode.ONLINE)

    with pytest.raises(JobNotPlacedError):
        ordered(company, placed, service="cc-fraud")


@pytest.mark.parametrize(
    "changes",
    [
        {"source": None},
        {"dataset": "truth@1"},
        {"source_format": None},
        {"target": None},
        {"kind": JobKind.METRICS},
        {"kind": JobKind.SNAPSHOT},
        {"kind": JobKind.LOAD_TEST},
    ],
    ids=[
        "no-input",
        "two-inputs",
        "no-format",
        "no-target",
        "metrics-target",
        "snapshot",
        "load-test",
    ],
)
def test_an_order_that_says_too_little_or_too_much_is_refused(
    company: Company, placed: str, changes: dict[str, object]
) -> None:
    with pytest.raises(JobInvalidError) as refused:
        ordered(company, placed, **changes)

    assert refused.value.problem


@pytest.mark.parametrize(
    ("access", "part"), [(LocationAccess.WRITE, "source"), (LocationAccess.READ, "target")]
)
def test_a_location_is_used_only_for_what_it_is_registered_for(
    company: Company, placed: str, access: LocationAccess, part: str
) -> None:
    company.location("narrow", access)

    with pytest.raises(LocationRefusedError) as refused:
        ordered(company, placed, **{part: Place(location="narrow", path="x")})

    assert refused.value.location == "narrow"


@pytest.mark.parametrize("path", ["../etc/passwd", "/etc/passwd", "a/../../b", "", "a\\b", "a\nb"])
def test_a_path_that_leaves_its_location_is_refused(path: str) -> None:
    with pytest.raises(PathInvalidError) as refused:
        Place(location="inbox", path=path)

    assert refused.value.path == path


def test_a_location_that_nobody_registered_is_not_found(company: Company, placed: str) -> None:
    with pytest.raises(NotFoundError) as missing:
        ordered(company, placed, source=Place(location="elsewhere", path="x"))

    assert missing.value.noun == "location"


@pytest.mark.parametrize("above", [False, True])
def test_a_location_that_holds_the_control_plane_s_home_is_refused(
    company: Company, above: bool
) -> None:
    company.home.mkdir()
    root = company.home.parent if above else company.home

    with pytest.raises(LocationRefusedError) as refused:
        company.locations.register(
            company.admin, name="all", group="risk", uri=root.as_uri(), access=LocationAccess.READ
        )

    assert "home" in refused.value.problem


def test_a_link_to_the_control_plane_s_home_is_refused_too(company: Company) -> None:
    company.home.mkdir()
    link = company.folder / "innocent"
    link.symlink_to(company.home)

    with pytest.raises(LocationRefusedError):
        company.locations.register(
            company.admin, name="all", group="risk", uri=link.as_uri(), access=LocationAccess.READ
        )


def test_a_folder_that_is_not_there_cannot_be_registered(company: Company) -> None:
    uri = (company.folder / "nowhere").as_uri()

    with pytest.raises(LocationRefusedError) as refused:
        company.locations.register(
            company.admin, name="gone", group="risk", uri=uri, access=LocationAccess.READ
        )

    assert refused.value.problem == "there is no such folder"


def test_writing_needs_the_right_in_the_location_s_group(company: Company, placed: str) -> None:
    company.group("cards")
    company.location("cards-out", group="cards")
    ada = company.hire("ada", Role.MODEL_OWNER)
    company.people.grant(company.admin, person="ada", group="cards", role=Role.AUDITOR)
    issued = company.tokens.issue(company.admin, name="again", group="risk", person="ada")
    ada = company.tokens.sign_in(issued.text)
    target = Place(location="cards-out", path="x")

    with pytest.raises(ActionDeniedError) as denied:
        company.jobs.order(ada, wanted(placed, target=target))

    assert denied.value.group == "cards"


def test_blind_data_is_not_scored(company: Company, placed: str) -> None:
    blind = dataset(company, "truth@1")

    with pytest.raises(BlindDataError) as refused:
        ordered(company, placed, source=None, source_format=None, dataset="truth@1",
                target_format=TableFormat.CSV)  # fmt: skip

    assert refused.value.dataset == blind.full_name


def test_blind_data_is_measured(company: Company, placed: str) -> None:
    dataset(company, "truth@1")

    job = ordered(
        company, placed, kind=JobKind.METRICS, source=None, source_format=None, target=None,
        dataset="truth@1",
    )  # fmt: skip

    assert (job.dataset, job.label) == ("truth@1", "truth")


@pytest.mark.parametrize("path", ["in.parquet", "./in.parquet", "././in.parquet"])
def test_blind_data_is_not_scored_by_its_path_either(
    company: Company, placed: str, path: str
) -> None:
    dataset(company, "truth@1")

    with pytest.raises(BlindDataError):
        ordered(company, placed, source=Place(location="inbox", path=path))


def test_blind_data_is_not_scored_through_another_location(company: Company, placed: str) -> None:
    dataset(company, "truth@1")
    company.locations.register(
        company.admin,
        name="above",
        group="risk",
        uri=(company.folder / "places").as_uri(),
        access=LocationAccess.READ,
    )

    with pytest.raises(BlindDataError):
        ordered(company, placed, source=Place(location="above", path="inbox/in.parquet"))


@pytest.mark.parametrize("file", ["in.parquet", "copy.parquet"])
def test_blind_data_is_not_registered_again_as_readable(
    company: Company, placed: str, file: str
) -> None:
    dataset(company, "truth@1")

    with pytest.raises(BlindDataError):
        dataset(company, "mine@1", file=file, role=DatasetRole.TEST)


def test_a_dataset_s_version_is_registered_once(company: Company, placed: str) -> None:
    dataset(company, "train@1", role=DatasetRole.TRAIN)

    with pytest.raises(AlreadyExistsError):
        dataset(company, "train@1", role=DatasetRole.TRAIN)


def test_a_dataset_outside_its_location_is_refused(company: Company, placed: str) -> None:
    (company.folder / "secret.parquet").write_bytes(b"x")
    link = company.folder / "places" / "inbox" / "link.parquet"
    link.symlink_to(company.folder / "secret.parquet")

    with pytest.raises(LocationRefusedError) as refused:
        company.datasets.register(
            company.admin,
            RegisterDataset(
                name="stolen@1",
                group="risk",
                place=Place(location="inbox", path="link.parquet"),
                format=TableFormat.PARQUET,
                role=DatasetRole.TEST,
            ),
        )

    assert refused.value.path == "link.parquet"


def test_a_job_is_started_watched_written_down_and_cleared(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    assert advance(company, job).state is JobState.RUNNING
    company.connector.finish(job.id, rows=7)

    done = advance(company, job)

    assert (done.state, done.progress.rows_scored, done.cleared) == (JobState.COMPLETE, 7, True)
    assert company.connector.jobs == {}
    assert company.job_runs.unended(SYSTEM) == ()


def test_a_lost_answer_to_the_start_starts_nothing_twice(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    company.connector.lost.append("run_job")
    assert advance(company, job).state is JobState.CREATED

    running = advance(company, job)

    assert running.state is JobState.RUNNING
    assert company.connector.starts == [job.id]


def test_a_job_that_its_runtime_has_lost_is_ordered_again(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    advance(company, job)
    company.connector.jobs.clear()

    again = advance(company, job)

    assert again.state is JobState.RUNNING
    assert company.connector.starts == [job.id, job.id]


def test_a_job_waits_while_its_runtime_is_down(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    company.connector.down.add("risk-dev")

    waiting = advance(company, job)

    assert waiting.state is JobState.CREATED
    company.connector.down.clear()
    assert advance(company, job).state is JobState.RUNNING


def test_one_job_at_a_time_runs_on_a_runtime(company: Company, placed: str) -> None:
    first, second = ordered(company, placed), ordered(company, placed)
    advance(company, first)

    assert advance(company, second).state is JobState.CREATED
    company.connector.finish(first.id)
    advance(company, first)
    assert advance(company, second).state is JobState.RUNNING


def test_a_crash_before_the_clearing_is_made_good(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    advance(company, job)
    company.connector.finish(job.id)
    with company.work(SYSTEM) as work:
        saved = work.jobs.get(job.id).reported(company.connector.jobs[job.id], at=work.at)
        work.commit(work.jobs.save(saved))

    done = advance(company, job)

    assert done.cleared
    assert company.connector.jobs == {}


def test_a_job_is_cancelled_before_it_starts(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    company.jobs.cancel(company.admin, job_id=job.id)

    done = advance(company, job)

    assert (done.state, done.cleared) == (JobState.CANCELLED, True)
    assert company.connector.starts == []


def test_a_cancel_stops_a_job_whose_start_was_never_noted(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    company.connector.jobs[job.id] = JobReport(job_id=job.id, state=JobState.RUNNING)
    company.jobs.cancel(company.admin, job_id=job.id)

    done = advance(company, job)

    assert done.state is JobState.CANCELLED
    assert company.connector.jobs == {}


def test_a_cancel_that_comes_after_the_end_is_too_late(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    advance(company, job)
    company.connector.finish(job.id)
    company.jobs.cancel(company.admin, job_id=job.id)

    assert advance(company, job).state is JobState.COMPLETE


def test_an_ended_job_cannot_be_cancelled(company: Company, placed: str) -> None:
    job = ordered(company, placed)
    advance(company, job)
    company.connector.finish(job.id)
    advance(company, job)

    with pytest.raises(JobEndedError) as refused:
        company.jobs.cancel(company.admin, job_id=job.id)

    assert refused.value.state is JobState.COMPLETE


def test_an_operator_of_dev_cannot_cancel_a_job_in_sit(company: Company, placed: str) -> None:
    company.reach(placed, "SIT", service="cc-batch")
    job = ordered(company, placed, stage="SIT")
    opal = company.hire("opal", Role.OPERATOR, stage="DEV")

    with pytest.raises(ActionDeniedError) as denied:
        company.jobs.cancel(opal, job_id=job.id)

    assert denied.value.stage == "SIT"
