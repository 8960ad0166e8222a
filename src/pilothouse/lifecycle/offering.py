"""Which jobs of a step are for workers outside the platform: they are offered, and no executor claims them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.state import Job, JobKind, JobStatus, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pilothouse.bpmn.state import Changes
    from pilothouse.domain.ids import GroupName
    from pilothouse.ports.unit_of_work import UnitOfWork


def offered(
    work: UnitOfWork,
    changes: Changes,
    *,
    own_topics: Collection[str],
    group: Callable[[], GroupName],
) -> Changes:
    """
    Give a step's changes with those jobs offered that the group gives to its own workers.

    What the platform does itself is never given away, and what nobody does stays the executor's, who says so by
    an incident. Every step decides anew, so a policy that changes counts from the next try of a job on.

    Parameters
    ----------
    own_topics
        The topics that task types of the platform work on.
    group
        Gives the run's group; asked only where there is a job of another topic.
    """

    def foreign(job: Job) -> bool:
        return (job.kind, job.state) == (JobKind.SERVICE, JobStatus.READY) and (
            job.topic not in own_topics
        )

    if not any(foreign(job) for job in (*changes.added.jobs, *changes.changed.jobs)):
        return changes
    given = frozenset(work.groups.get(group()).external_topics)

    def with_offers(rows: Rows) -> Rows:
        jobs = (
            replace(job, state=JobStatus.OFFERED) if foreign(job) and job.topic in given else job
            for job in rows.jobs
        )
        return replace(rows, jobs=tuple(jobs))

    return replace(changes, added=with_offers(changes.added), changed=with_offers(changes.changed))
