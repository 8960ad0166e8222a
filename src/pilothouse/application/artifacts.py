"""Artefacts: upload for a snapshot to come, download of a snapshot's files, and the sweep of what nothing names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.application.finding import snapshot_named
from pilothouse.application.sweep import sweep
from pilothouse.domain.access import EVERY_GROUP, Action
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.jobs import JobKind, JobState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pilothouse.application.sweep import SweepableStore, Swept
    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import GroupName
    from pilothouse.ports.unit_of_work import OpenWork

GRACE = timedelta(hours=24)
"""How long an upload that nothing names is kept: longer than any snapshot takes from upload to commit."""


class Artifacts:
    """Store and give out files by digest."""

    def __init__(self, *, open_work: OpenWork, store: SweepableStore, limit_bytes: int) -> None:
        self._open_work = open_work
        self._store = store
        self._limit_bytes = limit_bytes

    def upload(
        self, who: Principal, *, group: GroupName, sha256: str, chunks: Iterable[bytes]
    ) -> int:
        """Store a stream under its digest for a group's snapshot to come; give its size in bytes."""
        who.require(Action.TAKE_SNAPSHOT, group=group)
        return self._store.put(chunks, sha256=sha256, limit=self._limit_bytes)

    def present(self, who: Principal, *, group: GroupName, sha256: str) -> bool:
        """Say whether an upload is needed at all."""
        who.require(Action.TAKE_SNAPSHOT, group=group)
        return self._store.size(sha256) is not None

    def download(self, who: Principal, *, snapshot: str, path: str) -> Iterator[bytes]:
        """Read one file of a snapshot, verified as it goes."""
        with self._open_work.reading(who) as work:
            found = snapshot_named(work, snapshot)
        for entry in found.content.files:
            if entry.path == path:
                return self._store.get(entry.sha256)
        raise NotFoundError(
            noun="file",
            name=f"{path} in {snapshot}",
            cure=f"See `pilothouse snapshots show {snapshot}`.",
        )

    def sweep(self, who: Principal) -> Swept:
        """
        Remove what no snapshot names and no upload in progress needs, once it is a day old.

        The names are read again for each candidate, right before it is removed.
        """
        who.require(Action.ADMINISTER, group=EVERY_GROUP)
        with self._open_work.reading(who) as work:
            oldest = work.at - GRACE
        return sweep(self._store, lambda: self._named(who), older_than=oldest)

    def _named(self, who: Principal) -> frozenset[str]:
        with self._open_work.reading(who) as work:
            named: set[str] = set()
            for snapshot in work.snapshots.all():
                content = snapshot.content
                named.update((snapshot.digest, content.lock, content.golden))
                named.update(entry.sha256 for entry in content.files)
            unended = tuple(s for s in JobState if not s.ended)
            for job in work.jobs.all(kind=JobKind.SNAPSHOT, state=unended):
                files = job.parameters.get("files")
                if isinstance(files, (list, tuple)):
                    named.update(str(f["sha256"]) for f in files)
            return frozenset(named)
