"""What a training may leave, and how much."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilothouse.artifacts.store import open_store
from pilothouse.domain.ids import JobId, ServiceTag, StageName
from pilothouse.domain.jobs import JobKind, JobOrder
from pilothouse.domain.training import TrainingOutputError, kept, replaced
from pilothouse.scoring.batch.collecting import collect
from pilothouse.scoring.folders import FolderLimits
from tests.models.build import TRAINABLE_SOURCE, python_model
from tests.models.packages import package_of

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.scoring.packages import Package


@pytest.fixture
def package(tmp_path: Path) -> Package:
    folder = python_model(tmp_path / "model", source=TRAINABLE_SOURCE)
    return package_of(folder, tmp_path / "package")


def collected(package: Package, tmp_path: Path, limits: FolderLimits) -> str:
    order = JobOrder(
        schema=1,
        job_id=JobId("job_1"),
        kind=JobKind.TRAIN,
        service=ServiceTag("service"),
        stage=StageName("DEV"),
        snapshot="tiny-python@1",
        digest=package.digest,
        source=None,
        target=None,
        dataset="rows@1",
    )
    return collect(
        order,
        package,
        written=tmp_path / "out",
        copies=tmp_path / "copies",
        store=open_store((tmp_path / "store").as_uri()),
        limits=limits,
    )


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (FolderLimits(files=1), "more than 1 files"),
        (FolderLimits(total_bytes=10), "more than 10 bytes together"),
    ],
)
def test_a_training_that_writes_too_much_leaves_nothing(
    package: Package, tmp_path: Path, limits: FolderLimits, problem: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "weights.json").write_text('{"age": 0.01}', "utf-8")
    (tmp_path / "out" / "more.json").write_text("{}", "utf-8")

    with pytest.raises(TrainingOutputError, match=problem):
        collected(package, tmp_path, limits)

    assert not [p for p in tmp_path.joinpath("store").rglob("*") if p.is_file()]


def test_a_pipe_is_no_model(package: Package, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / "weights.json")

    with pytest.raises(TrainingOutputError, match="link, device or socket"):
        collected(package, tmp_path, FolderLimits())


def test_what_lies_in_a_replaced_folder_and_is_declared_by_itself_stays(package: Package) -> None:
    manifest = replace(package.content.manifest, files={"model": "all", "code": "all/src"})

    assert replaced(manifest, "all/weights.json") == "all"
    assert not kept(manifest, "all/old.json", {"all"})
    assert kept(manifest, "all/src/model.py", {"all"})
    with pytest.raises(TrainingOutputError, match="it is source code"):
        replaced(manifest, "all/src/model.py")


def test_a_file_belongs_to_the_declared_path_around_it(package: Package) -> None:
    manifest = package.content.manifest

    assert replaced(manifest, "weights.json") == "weights.json"
    for path in ("weights.json.bak", "src/other.py", "elsewhere"):
        with pytest.raises(TrainingOutputError):
            replaced(manifest, path)
