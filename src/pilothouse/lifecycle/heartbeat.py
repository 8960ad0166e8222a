"""Heartbeats: a lease that is lengthened while a handler works."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Self

from pilothouse.domain.errors import PilothouseError
from pilothouse.lifecycle.errors import LeaseLostError

if TYPE_CHECKING:
    from types import TracebackType

    from pilothouse.bpmn.state import Job
    from pilothouse.domain.access import Principal
    from pilothouse.ports.unit_of_work import OpenWork

log = logging.getLogger(__name__)


class Heartbeat:
    """
    Holds a claimed job while it is worked on: ``with Heartbeat(...) as beat``.

    A third of the lease passes between two beats. A beat that fails is tried again; once the lease has gone to
    somebody else there are no more, and `confirm` says so.
    """

    def __init__(self, *, open_work: OpenWork, who: Principal, job: Job, lease_s: float) -> None:
        self._open_work, self._who, self._job, self._lease_s = open_work, who, job, lease_s
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{job.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def confirm(self) -> None:
        """
        Make sure that the job is still held, and lengthen its lease.

        Raises
        ------
        LeaseLostError
            When somebody else has it now.
        """
        if self._lost.is_set() or not self._extended():
            self._lost.set()
            raise LeaseLostError(job_id=self._job.id, attempt=self._job.attempt)

    def _beat(self) -> None:
        while not self._ended.wait(self._lease_s / 3):
            try:
                if not self._extended():
                    self._lost.set()
                    return
            except PilothouseError:
                log.exception("the lease of job %s could not be lengthened", self._job.id)

    def _extended(self) -> bool:
        with self._open_work(self._who) as work:
            return work.commit(
                work.runs.extend(self._job.id, attempt=self._job.attempt, lease_s=self._lease_s)
            )
