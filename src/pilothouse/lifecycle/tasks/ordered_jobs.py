"""Jobs that a task orders and waits for: ordered once, and anew by the retry when one has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pilothouse.domain.jobs import Job, JobState
from pilothouse.lifecycle.errors import JobUnsuccessfulError
from pilothouse.lifecycle.tasks.contract import reported_before

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.domain.access import Principal
    from pilothouse.lifecycle.tasks.contract import Facilities, TaskContext

Ordered = TypeVar("Ordered", bound="Job | tuple[Job, ...]")


def completed(
    facilities: Facilities,
    context: TaskContext,
    kind: type[Ordered],
    order: Callable[[Principal, int], Ordered],
    *,
    part: str = "",
) -> tuple[Job, ...] | None:
    """
    Give the jobs when all are complete, and None while one is under way.

    Parameters
    ----------
    kind
        What `order` gives.
    order
        Orders as somebody, for the first time (0) or after so many failures.
    part
        What the keys of these orders begin with; another one for each part of a task.

    Raises
    ------
    JobUnsuccessfulError
        Once, when one has failed or was cancelled; the next delivery orders new ones.
    """

    def at_turn(turn: int) -> Callable[[Principal], Ordered]:
        return lambda who: order(who, turn)

    turn = 0
    while True:
        former = context.once(f"{part}order-{turn}", kind, at_turn(turn))
        ordered = (former,) if isinstance(former, Job) else former
        jobs = tuple(facilities.jobs.get(context.who, job_id=job.id) for job in ordered)
        if not all(job.state.ended for job in jobs):
            return None
        lost = [job for job in jobs if job.state is not JobState.COMPLETE]
        if not lost:
            return jobs
        if not reported_before(facilities, context, f"{part}reported-{turn}"):
            first = lost[0]
            raise JobUnsuccessfulError(job=first.id, state=first.state.value, error=first.error)
        turn += 1  # this delivery is the retry: it orders new ones
