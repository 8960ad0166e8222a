"""Snapshots: upload a model folder and have it taken."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING

import yaml

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.jobs import Job, JobState
from pilothouse.domain.snapshots import (
    MANIFEST_NAME,
    FileEntry,
    ServiceAssignment,
    Snapshot,
    SnapshotRefusedError,
    check_path,
)
from pilothouse.sdk.nouns import Jobs, Noun
from pilothouse.sdk.transport import part
from pilothouse.wire.requests import TakeSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pilothouse.sdk.transport import Transport

CHUNK_BYTES = 1 << 20
LOCK_NAME = "requirements.lock"


class FolderInvalidError(InvalidError):
    """A folder is not a model folder."""

    code = "folder-invalid"

    def __init__(self, *, folder: str, problem: str) -> None:
        self.folder, self.problem = folder, problem
        super().__init__(
            f"{folder} is not a model folder: {problem}. Run `pilothouse check {folder}`."
        )


class Snapshots(Noun):
    """Snapshots."""

    def __init__(self, transport: Transport, jobs: Jobs) -> None:
        super().__init__(transport)
        self._jobs = jobs

    def take(
        self,
        folder: Path,
        *,
        group: str,
        services: tuple[str, ...] = (),
        progress: Callable[[str], None] = lambda _: None,
    ) -> Snapshot:
        """
        Upload what a model folder's manifest names, have it checked, and give the snapshot.

        Raises
        ------
        FolderInvalidError
            When the folder cannot even be read.
        SnapshotRefusedError
            When the check refuses it.
        """
        model, paths = named_files(folder)
        entries = tuple(self._uploaded(folder, path, group, progress) for path in paths)
        wanted = TakeSnapshot(model=model, files=entries, services=services)
        job = self._transport.post(Job, "/snapshots", wanted)
        progress(f"checking ({job.id})")
        done = self._jobs.wait(job.id, timeout_s=1800.0)
        if done.state is not JobState.COMPLETE:
            raise SnapshotRefusedError(
                cause=done.error_code or done.state.value, problem=done.error
            )
        return self.get(done.snapshot)

    def _uploaded(
        self, folder: Path, path: str, group: str, progress: Callable[[str], None]
    ) -> FileEntry:
        source = folder / path
        entry = FileEntry(path=path, sha256=_sha256(source), size=source.stat().st_size)
        address = f"/artifacts/{entry.sha256}"
        if not self._transport.present(address, group=group):
            progress(f"uploading {path} ({entry.size:,} bytes)")
            self._transport.upload(address, _chunks(source), group=group)
        return entry

    def get(self, name: str) -> Snapshot:
        """Show a snapshot, ``model@number``."""
        return self._transport.get(Snapshot, f"/snapshots/{part(name)}")

    def list(self, *, model: str | None = None) -> Iterable[Snapshot]:
        """List snapshots, newest first."""
        return self._transport.every(Snapshot, "/snapshots", model=model)

    def services(self, name: str) -> tuple[ServiceAssignment, ...]:
        """List a snapshot's tags."""
        return self._transport.get(
            tuple[ServiceAssignment, ...], f"/snapshots/{part(name)}/services"
        )

    def tag(self, name: str, service: str) -> ServiceAssignment:
        """Tag a snapshot with a service."""
        return self._transport.post(
            ServiceAssignment, f"/snapshots/{part(name)}/services/{part(service)}"
        )

    def untag(self, name: str, service: str) -> ServiceAssignment | None:
        """End a tag."""
        kind = ServiceAssignment | None
        return self._transport.post(kind, f"/snapshots/{part(name)}/services/{part(service)}/end")  # type: ignore[arg-type]


def named_files(folder: Path) -> tuple[str, tuple[str, ...]]:
    """
    Give the model's name and the relative paths of all files that the folder's manifest names.

    The server checks the manifest to the letter; here it is read only far enough to know what to upload.
    """
    manifest = folder / MANIFEST_NAME
    try:
        document = yaml.safe_load(manifest.read_text(encoding="utf-8"))
        roots = [*document["files"].values(), document["golden"]]
        name = str(document["name"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as problem:
        raise FolderInvalidError(
            folder=str(folder), problem=f"{MANIFEST_NAME} cannot be read ({problem})"
        ) from problem
    if (folder / LOCK_NAME).is_file():
        roots.append(LOCK_NAME)
    found: set[str] = set()
    for root in (MANIFEST_NAME, *roots):
        found.update(_below(folder, check_path(str(root))))
    return name, tuple(sorted(found))


def _below(folder: Path, root: str) -> Iterator[str]:
    start = folder / root
    way = [folder.joinpath(*start.relative_to(folder).parts[:depth]) for depth in _depths(root)]
    inside = start.rglob("*") if start.is_dir() and not start.is_symlink() else iter(())
    for path in itertools.chain(way, inside):
        if path.is_symlink() or not path.exists():
            raise FolderInvalidError(
                folder=str(folder),
                problem=f"{path.relative_to(folder)} is a link or is missing",
            )
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix()


def _depths(root: str) -> range:
    """Count the steps from the folder down to a path in it."""
    return range(1, root.count("/") + 2)


def _chunks(source: Path) -> Iterator[bytes]:
    with source.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            yield chunk


def _sha256(source: Path) -> str:
    with source.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
