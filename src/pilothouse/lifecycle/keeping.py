"""
The runs that one worker left last, so that it need not read all their rows to go on with them.

What is kept is never trusted: whoever loads a run under its lock compares the run's row and the leases of its jobs,
and reads what does not stand as it was kept. Reading everything took a third of a step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.state import RunState, RunStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pilothouse.bpmn.state import Job


class Kept:
    """
    States of runs, those written last.

    Parameters
    ----------
    most
        How many are kept: a small number of batches, which are in memory as a whole anyway.
    """

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._states: dict[str, RunState] = {}

    def of(self, run_ids: Collection[str]) -> Mapping[str, RunState]:
        """Give what is kept of some runs."""
        return {run_id: self._states[run_id] for run_id in run_ids if run_id in self._states}

    def keep(self, states: Iterable[RunState], *, claimed: Sequence[Job]) -> None:
        """Keep what a unit that is committed has written, and which jobs it has claimed."""
        for state in states:
            self._states.pop(state.run.id, None)
            if state.run.state is RunStatus.ACTIVE:
                self._states[state.run.id] = state
        for job in claimed:
            self._claimed(job)
        for run_id in list(self._states)[: max(len(self._states) - self._most, 0)]:
            del self._states[run_id]

    def _claimed(self, job: Job) -> None:
        state = self._states.get(job.run_id)
        if state is not None and state.jobs.get(job.id) is not job:
            self._states[job.run_id] = replace(state, jobs={**state.jobs, job.id: job})
