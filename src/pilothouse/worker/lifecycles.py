"""The loops of life cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.worker.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.domain.access import Principal
    from pilothouse.lifecycle.executor import Executor
    from pilothouse.lifecycle.external_jobs import ExternalJobs
    from pilothouse.lifecycle.messages import Messages
    from pilothouse.lifecycle.starting import Starting
    from pilothouse.lifecycle.timed_starts import TimedStarts

EXPIRY_POLL_S = 60.0
RECALL_POLL_S = 60.0


def start_loops(
    *, starting: Starting, timed_starts: TimedStarts, poll_s: float = 0.5
) -> tuple[Loop, ...]:
    """Give the loops that start runs: by events, and by timers."""
    return (
        Loop(name="life-cycle-starts", run_once=starting.run_once, poll_s=poll_s),
        Loop(
            name="life-cycle-timers",
            run_once=timed_starts.run_once,
            next_due=timed_starts.next_due,
            poll_s=poll_s,
        ),
    )


def lifecycle_loops(
    *,
    executors: Sequence[Executor],
    messages: Messages,
    external_jobs: ExternalJobs,
    who: Principal,
    poll_s: float = 0.5,
) -> tuple[Loop, ...]:
    """Give the loops that work on the jobs of runs (one for each executor), and drop stale messages."""
    jobs = tuple(
        Loop(
            name=f"life-cycle-jobs-{number}",
            run_once=executor.run_once,
            next_due=executor.next_due,
            at_end=executor.give_back,
            poll_s=poll_s,
        )
        for number, executor in enumerate(executors, 1)
    )

    def expire() -> bool:
        messages.expire(who)
        return False

    def recall() -> bool:
        external_jobs.recall_orphans(who)
        return False

    return (
        *jobs,
        Loop(name="message-expiry", run_once=expire, poll_s=EXPIRY_POLL_S),
        Loop(name="external-job-recall", run_once=recall, poll_s=RECALL_POLL_S),
    )
