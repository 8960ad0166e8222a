"""Publication: an output folder is built aside and appears by one rename, once."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.locations import STAGING, LocationRefusedError
from pilothouse.domain.plain import canonical, from_plain
from pilothouse.scoring.batch.disk import sha256_of, sync_file, sync_folder
from pilothouse.scoring.batch.errors import OutputExistsError
from pilothouse.scoring.batch.manifests import MANIFEST_FILE, OutputFile, OutputManifest
from pilothouse.scoring.batch.places import target_folder

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.domain.ids import JobId
    from pilothouse.domain.jobs import FileTarget, JobReport

MAXIMUM_MANIFEST_BYTES = 16 * 2**20


class Output:
    """
    The output folder of one attempt at a job.

    Parameters
    ----------
    target
        Where it shall appear.
    job_id
        Whose output it is.
    attempt
        Which run of the process this is, from 1.

    Raises
    ------
    LocationRefusedError
        When the path leaves its root.
    """

    def __init__(self, target: FileTarget, *, job_id: JobId, attempt: int) -> None:
        self._target, self._job_id = target, job_id
        self._root, self._folder = target_folder(target.root, target.path)
        self._waiting = self._root / STAGING
        self._staging = self._waiting / f"{job_id}-{attempt}"

    def published(self) -> JobReport | None:
        """
        Give the report of this job if its output is published already, or None if nothing is there.

        Raises
        ------
        OutputExistsError
            When something else is there.
        """
        if not (self._folder.exists() or self._folder.is_symlink()):
            return None
        try:
            content = self._manifest_bytes()
            manifest = from_plain(OutputManifest, json.loads(content))
        except (OSError, ValueError, InvalidError) as problem:
            raise self._exists() from problem
        if manifest.job_id != self._job_id:
            raise self._exists()
        return manifest.report(output=self._target.path, sha256=hashlib.sha256(content).hexdigest())

    def _manifest_bytes(self) -> bytes:
        if self._folder.is_symlink():
            raise OSError("a link is not what a job publishes")
        with (self._folder / MANIFEST_FILE).open("rb") as file:
            return file.read(MAXIMUM_MANIFEST_BYTES)

    def _exists(self) -> OutputExistsError:
        return OutputExistsError(root=self._target.root, path=self._target.path)

    def sweep(self) -> None:
        """Remove what earlier attempts of this job left unfinished."""
        if self._waiting.is_symlink():
            raise LocationRefusedError(
                location=self._target.root, path=STAGING, problem="it is a link"
            )
        for left in self._waiting.glob(f"{self._job_id}-*"):
            shutil.rmtree(left)
        if self._waiting.is_dir() and not any(self._waiting.iterdir()):
            self._remove_waiting()

    def _remove_waiting(self) -> None:
        try:
            self._waiting.rmdir()
        except OSError:  # another job has just begun to write there
            return

    def begin(self) -> Path:
        """Make the staging folder and give it."""
        self._staging.mkdir(parents=True)
        return self._staging

    def file(self, name: str, *, rows: int) -> OutputFile:
        """Describe a finished file of the staging folder, and make it durable."""
        path = self._staging / name
        sync_file(path)
        with path.open("rb") as stream:
            return OutputFile(
                name=name, sha256=sha256_of(stream), size=path.stat().st_size, rows=rows
            )

    def publish(self, manifest: OutputManifest) -> JobReport:
        """
        Let the folder appear with its manifest, in one step.

        Raises
        ------
        OutputExistsError
            When something has appeared there in the meantime.
        """
        content = canonical(manifest) + b"\n"
        described = self._staging / MANIFEST_FILE
        described.write_bytes(content)
        sync_file(described)
        sync_folder(self._staging)
        try:
            self._staging.rename(self._folder)
        except (FileExistsError, NotADirectoryError) as problem:
            raise self._exists() from problem
        except OSError as problem:
            if self._folder.exists():  # ENOTEMPTY has no class of its own
                raise self._exists() from problem
            raise
        sync_folder(self._folder.parent)
        self._remove_waiting()
        return manifest.report(output=self._target.path, sha256=hashlib.sha256(content).hexdigest())
