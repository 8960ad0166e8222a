"""``python -m pilothouse.scoring log --home DIR``: the writer of an entry's log, until its entry ends."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import select
import sys
from time import monotonic
from typing import TYPE_CHECKING

from pilothouse.domain.desired import Desired
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.plain import from_plain
from pilothouse.observability.clock import SystemClock
from pilothouse.scoring.log import status
from pilothouse.scoring.log.privacy import Hasher, hash_key
from pilothouse.scoring.log.records import microseconds
from pilothouse.scoring.log.settings import LOG_FOLDER, LogSettingsError
from pilothouse.scoring.log.tables import LogTables
from pilothouse.scoring.log.windows import WindowStore
from pilothouse.scoring.log.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pilothouse.domain.prediction_logs import LogPolicy
    from pilothouse.scoring.log.settings import LogSettings

log = logging.getLogger(__name__)

NICENESS = 5
LONGEST_PAUSE_S = 30.0
LOCK_POLL_S = 0.2


class DesiredLogs:
    """
    What is wanted of each service's log, from the desired state on the disk.

    Parameters
    ----------
    path
        The file, read again whenever it was replaced.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, (0, 0)
        self._logs: Mapping[str, LogPolicy] = {}

    def __call__(self) -> Mapping[str, LogPolicy]:
        """Give it by service; what was read last where the file cannot be read."""
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_ino)
            if seen != self._seen:
                desired = from_plain(Desired, json.loads(self._path.read_bytes()))
                self._logs, self._seen = (
                    {entry.service: entry.policy for entry in desired.logs},
                    seen,
                )
        except FileNotFoundError:
            pass  # an entry that was never told anything
        except (OSError, ValueError, PilothouseError) as problem:
            log.error("%s cannot be read: %s", self._path, problem)  # noqa: TRY400 the entry itself refuses it too
        return self._logs


class Process:
    """
    The writer with its rhythm.

    Parameters
    ----------
    folder
        Where segments and status are.
    settings
        What the log was started with.
    writer
        What carries.
    """

    def __init__(self, folder: Path, settings: LogSettings, writer: Writer) -> None:
        self._folder, self._settings, self._writer = folder, settings, writer
        self._clock = SystemClock()
        self._problem, self._failures, self._pause_s = "", 0, settings.write_s
        self._tidied_at = monotonic()

    def run(self) -> None:
        """Carry until standard input ends, and then what is left."""
        ended = False
        while True:
            busy = self._turn()
            if ended and (self._problem or not busy):
                return
            ended = ended or entry_ended(0.0 if busy else self._pause_s)

    def _turn(self) -> bool:
        """Carry once, say how it went, and give whether there may be more."""
        busy = False
        try:
            busy = self._writer.write()
            self._tidy()
        # A worker loop: whatever the tables or the disk say is told, counted and tried again.
        except Exception as problem:  # noqa: BLE001
            self._failed(problem)
        else:
            self._problem, self._pause_s = "", self._settings.write_s
        self._tell()
        return busy

    def _failed(self, problem: Exception) -> None:
        self._failures += 1
        self._problem = _words(problem)
        self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2)
        log.error(
            "nothing can be written, tried again in %.1f s: %s",
            self._pause_s,
            self._problem,
            exc_info=None if isinstance(problem, PilothouseError) else problem,
        )

    def _tidy(self) -> None:
        if monotonic() - self._tidied_at >= self._settings.tidy_s:
            self._tidied_at = monotonic()
            self._writer.tidy(keep_removed_hours=self._settings.keep_removed_hours)

    def _tell(self) -> None:
        waiting, written = self._writer.waiting(), self._writer.written
        found = status.WriterStatus(
            pid=os.getpid(),
            at_us=microseconds(self._clock.now()),
            problem=self._problem,
            failures=self._failures,
            rows=dict(written.rows),
            sampled_out=written.sampled_out,
            windows=written.windows,
            torn=written.torn,
            set_aside=written.set_aside,
            lag_bytes=waiting.size,
            lag_s=self._writer.behind_s(waiting),
        )
        try:
            status.keep(self._folder, found)
        except OSError as problem:
            log.error("the writer cannot say how it stands: %s", problem)  # noqa: TRY400


def run(home: Path, settings: LogSettings | None, *, stage: str) -> None:
    """
    Write the log of an entry until the entry ends.

    Parameters
    ----------
    home
        The entry's home.
    settings
        What its log was started with.
    stage
        Its stage.

    Raises
    ------
    LogSettingsError
        When the entry has no log.
    SecretReferenceError, SecretMissingError, SecretExposedError
        When the key for sensitive values cannot be read.
    """
    if settings is None:
        raise LogSettingsError(problem="this entry keeps no log")
    os.umask(0o077)
    os.nice(NICENESS)
    folder = home / LOG_FOLDER
    folder.mkdir(exist_ok=True)
    held = _only_writer(folder)
    if held is None:
        return
    writer = Writer(
        folder,
        tables=LogTables(settings.tables, stage=stage),
        windows=WindowStore(settings.tables, stage=stage),
        logs=DesiredLogs(home / "desired.json"),
        hasher=_hasher(folder, settings),
        clock=SystemClock(),
    )
    Process(folder, settings, writer).run()


def _hasher(folder: Path, settings: LogSettings) -> Hasher:
    try:
        return Hasher(hash_key(settings.hash_key, os.environ))
    except PilothouseError as problem:
        at = microseconds(SystemClock().now())
        status.keep(folder, status.WriterStatus(pid=os.getpid(), at_us=at, problem=_words(problem)))
        raise


def _words(problem: Exception) -> str:
    words = problem.message if isinstance(problem, PilothouseError) else repr(problem)
    return words[:600]


def _only_writer(folder: Path) -> int | None:
    """Wait for the lock that a writer before this one may still hold; None where the entry ends first."""
    lock = os.open(folder / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if entry_ended(LOCK_POLL_S):
                return None
        else:
            return lock


def entry_ended(timeout_s: float) -> bool:
    """Say whether the entry at the other end of standard input is gone, waiting for it as long as that."""
    readable, _, _ = select.select([sys.stdin], [], [], timeout_s)
    return bool(readable) and not os.read(sys.stdin.fileno(), 64)
