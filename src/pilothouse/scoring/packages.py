"""Packages: snapshots on this machine's disk, fetched by digest and verified whenever they are opened."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.domain.artifacts import ArtifactCorruptError
from pilothouse.domain.errors import InvalidError
from pilothouse.domain.plain import from_plain
from pilothouse.domain.snapshots import SHA256, SnapshotContent
from pilothouse.scoring.model_errors import PackageInvalidError
from pilothouse.scoring.once import build_once

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.ports.artifacts import ArtifactStore

CONTENT, LOCK, GOLDEN, FILES = "content.json", "requirements.lock", "golden.jsonl", "files"
CONTENT_LIMIT = 64 * 2**20
CHUNK = 1 << 20
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """
    One snapshot's files on this machine.

    Attributes
    ----------
    digest
        The snapshot's digest.
    content
        What the digest covers: manifest, files, lock, golden records.
    folder
        The folder that holds the snapshot's files under their relative paths.
    lock
        The text of the requirements lock; empty where the model needs nothing.
    golden
        The file of golden records, JSON lines ``{"input": {...}, "output": {...}}``.
    """

    digest: str
    content: SnapshotContent
    folder: Path
    lock: str
    golden: Path


class Packages:
    """
    The snapshots that this machine holds.

    Safe for several threads and processes with one folder. A package whose files were changed on the disk is
    never used: it is fetched anew, and a warning says so.

    Parameters
    ----------
    store
        Where artefacts come from.
    folder
        Where packages are kept, one folder per digest.
    """

    def __init__(self, store: ArtifactStore, folder: Path) -> None:
        self._store, self._folder = store, folder

    def fetch(self, digest: str) -> Package:
        """
        Give a snapshot's package, from the disk or else from the store; every byte is verified either way.

        Raises
        ------
        ArtifactMissingError
            When the store lacks the snapshot or one of its files.
        ArtifactCorruptError
            When the store gives other bytes than were put in.
        PackageInvalidError
            When the artefact of this digest does not describe a snapshot.
        """
        if not SHA256.match(digest):
            raise PackageInvalidError(digest=digest[:80], problem="not a SHA-256")
        folder = build_once(
            self._folder.resolve() / digest,
            build=lambda partial, _: self._download(digest, partial),
            whole=lambda there: _whole(digest, there),
        )
        content = _content(digest, (folder / CONTENT).read_bytes())
        return Package(
            digest=digest,
            content=content,
            folder=folder / FILES,
            lock=(folder / LOCK).read_text("utf-8"),
            golden=folder / GOLDEN,
        )

    def _download(self, digest: str, partial: Path) -> None:
        size = self._store.size(digest)
        if size is not None and size > CONTENT_LIMIT:
            raise PackageInvalidError(digest=digest, problem=f"{size} bytes long")
        self._save(digest, partial / CONTENT)
        content = _content(digest, (partial / CONTENT).read_bytes())
        (partial / FILES).mkdir()
        for path, sha256 in _parts(content):
            self._save(sha256, partial / path)

    def _save(self, sha256: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        found = hashlib.sha256()
        with path.open("xb") as target:
            for chunk in self._store.get(sha256):
                found.update(chunk)
                target.write(chunk)
        if found.hexdigest() != sha256:
            raise ArtifactCorruptError(sha256=sha256, found=found.hexdigest())
        path.chmod(0o444)


def _content(digest: str, text: bytes) -> SnapshotContent:
    try:
        content = from_plain(SnapshotContent, json.loads(text))
    except (InvalidError, ValueError, RecursionError) as problem:
        raise PackageInvalidError(digest=digest, problem=str(problem)) from None
    if content.digest != digest:
        raise PackageInvalidError(digest=digest, problem="not in canonical form")
    return content


def _parts(content: SnapshotContent) -> list[tuple[str, str]]:
    files = [(f"{FILES}/{f.path}", f.sha256) for f in content.files]
    return [(LOCK, content.lock), (GOLDEN, content.golden), *files]


def _whole(digest: str, folder: Path) -> bool:
    """Say whether a package on the disk is, to the byte, what its digest promises, and nothing more."""
    try:
        altered = _altered(digest, folder)
    except (OSError, PackageInvalidError) as problem:
        altered = str(problem)
    if altered:
        log.warning("package %s was altered on this disk (%s); it is fetched anew", digest, altered)
    return not altered


def _altered(digest: str, folder: Path) -> str:
    if sha256_of(folder / CONTENT) != digest:
        return CONTENT
    parts = dict(_parts(_content(digest, (folder / CONTENT).read_bytes())))
    there = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }
    others = there ^ {CONTENT, *parts}
    if others:
        return min(others)
    return next((path for path, sha256 in parts.items() if sha256_of(folder / path) != sha256), "")


def sha256_of(path: Path) -> str:
    """Give the SHA-256 of a file, in lower-case hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
