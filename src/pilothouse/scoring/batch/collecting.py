"""From what a training wrote to a whole model folder in the store."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.domain.plain import canonical, digest, to_plain
from pilothouse.domain.snapshots import MANIFEST_NAME, FileEntry
from pilothouse.domain.training import (
    TRAINED_SCHEMA,
    TrainedFolder,
    TrainingOutputError,
    kept,
    replaced,
)
from pilothouse.scoring.check import LOCK_NAME
from pilothouse.scoring.documents import write_document
from pilothouse.scoring.folder_errors import FolderRefusedError
from pilothouse.scoring.folders import FolderLimits, gather_all
from pilothouse.scoring.packages import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.domain.jobs import JobOrder
    from pilothouse.domain.snapshots import Manifest
    from pilothouse.ports.artifacts import ArtifactStore
    from pilothouse.scoring.packages import Package

LIMITS = FolderLimits(files=1000, total_bytes=4 * 2**30)
"""How much one training may write."""


def collect(
    order: JobOrder,
    package: Package,
    *,
    written: Path,
    copies: Path,
    store: ArtifactStore,
    limits: FolderLimits = LIMITS,
) -> str:
    """
    Put a trained model folder into the store; give the SHA-256 of its `TrainedFolder`.

    The folder is the snapshot's, with each declared file or folder replaced that the training wrote to. It is put
    file by file and named last, so nobody takes a part of it.

    Parameters
    ----------
    order, package
        The job, and the snapshot that was trained.
    written
        The folder that ``train`` wrote to; nothing in it is trusted.
    copies
        An empty folder for copies of it.
    limits
        How much may be written.

    Raises
    ------
    TrainingOutputError
        When nothing is there, too much, a link, or a file that the manifest does not declare.
    """
    fresh = _fresh(written, copies, limits)
    described = package.content.manifest
    gone = {replaced(described, entry.path) for entry in fresh}
    for entry in fresh:
        store.put(_chunks(copies / entry.path), sha256=entry.sha256)
    beside = [_put(store, path, content) for path, content in _beside(package)]
    old = [entry for entry in package.content.files if kept(described, entry.path, gone)]
    manifest = _put(store, MANIFEST_NAME, _manifest(described, order))
    files = {entry.path: entry for entry in (*beside, *old, *fresh, manifest)}
    folder = TrainedFolder(
        schema=TRAINED_SCHEMA,
        job_id=order.job_id,
        digest=order.digest,
        files=tuple(files[path] for path in sorted(files)),
    )
    sha256 = digest(folder)
    store.put(itertools.repeat(canonical(folder), 1), sha256=sha256)
    return sha256


def _fresh(written: Path, copies: Path, limits: FolderLimits) -> tuple[FileEntry, ...]:
    try:
        fresh = gather_all(written, target=copies, limits=limits)
    except FolderRefusedError as refused:
        raise TrainingOutputError(path=refused.path, problem=refused.problem) from None
    if not fresh:
        raise TrainingOutputError(path="", problem="the output folder is empty")
    return fresh


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _beside(package: Package) -> Iterator[tuple[str, bytes]]:
    """Give what a model folder has beside its declared files: golden inputs, and the lock that it was trained by."""
    lines = package.golden.read_text("utf-8").splitlines()
    inputs = (json.dumps(json.loads(line)["input"]) + "\n" for line in lines if line.strip())
    yield package.content.manifest.golden, "".join(inputs).encode()
    if package.lock:
        yield LOCK_NAME, package.lock.encode()


def _manifest(manifest: Manifest, order: JobOrder) -> bytes:
    new = replace(manifest, training=order.dataset, parents=(order.snapshot,))
    stated = {name: value for name, value in to_plain(new).items() if value is not None}
    return write_document(stated).encode()


def _put(store: ArtifactStore, path: str, content: bytes) -> FileEntry:
    entry = FileEntry(path=path, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    store.put(itertools.repeat(content, 1), sha256=entry.sha256)
    return entry
