"""Packages, fetched from a real store."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilothouse.artifacts.store import open_store
from pilothouse.domain.artifacts import ArtifactCorruptError, ArtifactMissingError
from pilothouse.scoring.isolation import ModelProcess
from pilothouse.scoring.model_errors import PackageInvalidError
from pilothouse.scoring.packages import Packages
from tests.models.build import python_model
from tests.models.packages import GRANTED, checked, store_snapshot

if TYPE_CHECKING:
    from pilothouse.ports.artifacts import ArtifactStore
    from pilothouse.scoring.environments import Environments


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return open_store((tmp_path / "artifacts").as_uri())


@pytest.fixture
def digest(tmp_path: Path, store: ArtifactStore, environments: Environments) -> str:
    folder = python_model(tmp_path / "model")
    report = checked(folder, environments=environments, scratch=tmp_path / "check")
    return store_snapshot(folder, report, store)


def test_a_snapshot_is_fetched_and_scores(
    digest: str, store: ArtifactStore, environments: Environments, tmp_path: Path
) -> None:
    package = Packages(store, tmp_path / "packages").fetch(digest)

    with ModelProcess.start(
        package, environments.ensure(package.lock), scratch=tmp_path / "scratch", policy=GRANTED
    ) as model:
        answer = model.score({"age": [34], "income": [21000.5]}, 1)
    assert package.content.digest == digest
    assert f'"score": {answer["score"][0]!r}' in package.golden.read_text().splitlines()[0]


def test_a_package_on_the_disk_needs_no_store(
    digest: str, store: ArtifactStore, tmp_path: Path
) -> None:
    first = Packages(store, tmp_path / "packages").fetch(digest)
    for entry in list(store.stored()):
        store.remove(entry.sha256)

    assert Packages(store, tmp_path / "packages").fetch(digest) == first


@pytest.mark.parametrize(
    "part", ["files/src/tiny_model.py", "content.json", "golden.jsonl", "files/new.py"]
)
def test_a_package_that_was_altered_on_the_disk_is_fetched_anew(
    part: str, digest: str, store: ArtifactStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    packages = Packages(store, tmp_path / "packages")
    first = packages.fetch(digest)
    altered = first.folder.parent / part
    altered.unlink(missing_ok=True)
    altered.write_text("evil = True\n")

    with caplog.at_level(logging.WARNING):
        again = packages.fetch(digest)

    assert again == first
    assert not altered.exists() or "evil" not in altered.read_text()
    assert [r.args[0] for r in caplog.records if isinstance(r.args, tuple)] == [digest]


def test_what_the_store_lacks_leaves_no_package(
    digest: str, store: ArtifactStore, tmp_path: Path
) -> None:
    packages = Packages(store, tmp_path / "packages")
    source = Path(tmp_path / "model" / "src" / "tiny_model.py").read_bytes()
    store.remove(hashlib.sha256(source).hexdigest())

    with pytest.raises(ArtifactMissingError):
        packages.fetch(digest)

    assert [p.name for p in (tmp_path / "packages").iterdir() if p.is_dir()] == []


def test_bytes_that_the_store_changed_are_never_used(
    digest: str, store: ArtifactStore, tmp_path: Path
) -> None:
    for path in (tmp_path / "artifacts").rglob("*"):
        if path.is_file() and b"A model in plain Python" in path.read_bytes():
            path.chmod(0o644)
            path.write_bytes(b"evil")

    with pytest.raises(ArtifactCorruptError):
        Packages(store, tmp_path / "packages").fetch(digest)


def test_an_artifact_that_is_no_snapshot_is_refused(store: ArtifactStore, tmp_path: Path) -> None:
    packages = Packages(store, tmp_path / "packages")
    for body in (b"hello", b"{}", b"[" * 10_000):
        sha256 = hashlib.sha256(body).hexdigest()
        store.put([body], sha256=sha256)
        with pytest.raises(PackageInvalidError) as caught:
            packages.fetch(sha256)
        assert caught.value.digest == sha256
    with pytest.raises(PackageInvalidError):
        packages.fetch("../../etc/passwd")
