"""Where a job may read and write, and how its output appears."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.ids import JobId, ServiceTag, StageName
from pilothouse.domain.jobs import FileTarget, JobKind, JobResult, TableFormat
from pilothouse.domain.locations import STAGING, LocationRefusedError
from pilothouse.scoring.batch.errors import OutputExistsError
from pilothouse.scoring.batch.manifests import MANIFEST_SCHEMA, OutputManifest, OutputSource
from pilothouse.scoring.batch.output import Output
from pilothouse.scoring.batch.places import open_source, target_folder

if TYPE_CHECKING:
    from pathlib import Path

JOB = JobId("job_1")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    inside = tmp_path / "root"
    (inside / "in").mkdir(parents=True)
    (inside / "in" / "rows.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "secret.csv").write_text("a\n9\n", encoding="utf-8")
    return inside


def output(root: Path, *, job: JobId = JOB, attempt: int = 1, path: str = "out/day") -> Output:
    target = FileTarget(root=str(root), path=path, format=TableFormat.CSV)
    return Output(target, job_id=job, attempt=attempt)


def manifest(job: JobId = JOB, *, rejected: int = 0) -> OutputManifest:
    return OutputManifest(
        schema=MANIFEST_SCHEMA,
        job_id=job,
        kind=JobKind.SCORE,
        service=ServiceTag("s"),
        stage=StageName("DEV"),
        snapshot="m@1",
        digest="0" * 64,
        source=OutputSource(path="in/rows.csv", format=TableFormat.CSV, sha256="1" * 64),
        files=(),
        columns=(),
        rows_read=3,
        rows_scored=3 - rejected,
        rows_rejected=rejected,
        rows_flagged=0,
        values_coerced=0,
        metrics={},
        started_at=NOON,
        ended_at=NOON,
    )


def test_a_file_below_the_root_is_opened(root: Path) -> None:
    with open_source(str(root), "in/rows.csv") as stream:
        assert stream.read() == b"a\n1\n"


def test_a_link_that_stays_below_the_root_is_followed(root: Path) -> None:
    (root / "latest").symlink_to(root / "in")

    with open_source(str(root), "latest/rows.csv") as stream:
        assert stream.read() == b"a\n1\n"


@pytest.mark.parametrize(
    "path",
    ["../secret.csv", "in/../../secret.csv", "/etc/passwd", "", ".", "in", "absent.csv", "a\x00b"],
)
def test_a_path_that_names_no_file_below_the_root_is_refused(root: Path, path: str) -> None:
    with pytest.raises(LocationRefusedError) as caught:
        open_source(str(root), path)

    assert caught.value.path == path


@pytest.mark.parametrize("link", ["file", "folder", "circle", "pipe"])
def test_no_link_or_pipe_leads_outside_the_root(root: Path, link: str) -> None:
    match link:
        case "file":
            (root / "x").symlink_to(root.parent / "secret.csv")
        case "folder":
            (root / "x").symlink_to(root.parent)
        case "circle":
            (root / "x").symlink_to(root / "x")
        case _:
            os.mkfifo(root / "x")

    with pytest.raises(LocationRefusedError):
        open_source(str(root), "x/secret.csv" if link == "folder" else "x")


@pytest.mark.parametrize(
    "path", ["../out", "out/../../x", STAGING, f"{STAGING}/x", "in/rows.csv/x"]
)
def test_no_output_goes_outside_the_root_or_into_staging(root: Path, path: str) -> None:
    with pytest.raises(LocationRefusedError):
        target_folder(str(root), path)


def test_no_output_goes_through_a_link_that_leaves_the_root(root: Path) -> None:
    (root / "away").symlink_to(root.parent)

    with pytest.raises(LocationRefusedError):
        output(root, path="away/out")

    assert not (root.parent / "out").exists()


def test_a_staging_folder_that_is_a_link_is_refused(root: Path) -> None:
    (root.parent / f"{JOB}-1").mkdir()
    (root / STAGING).symlink_to(root.parent)

    with pytest.raises(LocationRefusedError):
        output(root).sweep()

    assert (root.parent / f"{JOB}-1").exists()


def test_an_output_appears_whole_and_staging_goes(root: Path) -> None:
    made = output(root)
    (made.begin() / "part-00000.csv").write_text("a\n", encoding="utf-8")
    assert not (root / "out" / "day").exists()

    report = made.publish(manifest(rejected=1))

    assert sorted(p.name for p in (root / "out" / "day").iterdir()) == [
        "_manifest.json",
        "part-00000.csv",
    ]
    assert not (root / STAGING).exists()
    assert (report.output, report.result) == ("out/day", JobResult.PARTIAL)


def test_an_output_of_this_job_is_found_again_with_the_same_report(root: Path) -> None:
    made = output(root)
    made.begin()
    report = made.publish(manifest())

    found = output(root, attempt=2).published()

    assert found == report


@pytest.mark.parametrize("other", ["job", "nothing", "words", "file", "link"])
def test_what_somebody_else_put_there_is_left_alone(root: Path, other: str) -> None:
    there = root / "out" / "day"
    there.parent.mkdir()
    match other:
        case "job":
            made = output(root, job=JobId("job_2"))
            made.begin()
            made.publish(manifest(JobId("job_2")))
        case "nothing":
            there.mkdir()
        case "words":
            there.mkdir()
            (there / "_manifest.json").write_text('{"job_id": "job_1"}', encoding="utf-8")
        case "file":
            there.write_text("mine", encoding="utf-8")
        case _:
            there.symlink_to(root / "in")
    before = sorted(str(p) for p in root.rglob("*"))

    with pytest.raises(OutputExistsError) as caught:
        output(root).published()

    assert caught.value.path == "out/day"
    assert sorted(str(p) for p in root.rglob("*")) == before


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_appears_in_the_meantime_is_not_replaced(root: Path, kind: str) -> None:
    made = output(root)
    made.begin()
    if kind == "folder":
        (root / "out" / "day" / "theirs").mkdir(parents=True)
    else:
        (root / "out" / "day").write_text("theirs", encoding="utf-8")

    with pytest.raises(OutputExistsError):
        made.publish(manifest())

    assert (root / "out" / "day").is_file() or (root / "out" / "day" / "theirs").is_dir()


def test_leftovers_of_this_job_alone_are_swept(root: Path) -> None:
    for name in (f"{JOB}-1", f"{JOB}-2", "job_12-1"):
        (root / STAGING / name).mkdir(parents=True)

    output(root, attempt=3).sweep()

    assert [p.name for p in (root / STAGING).iterdir()] == ["job_12-1"]


def test_the_published_manifest_is_canonical_json(root: Path) -> None:
    made = output(root)
    made.begin()
    made.publish(manifest())

    document = json.loads((root / "out" / "day" / "_manifest.json").read_bytes())

    assert document["started_at"] == "2026-01-05T12:00:00.000000Z"
    assert list(document) == sorted(document)
