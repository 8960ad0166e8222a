"""Train: a training job is ordered once, waited for, and what came of it is taken as a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.training import SNAPSHOT_JOB
from pilothouse.domain.jobs import Job, JobKind, JobState
from pilothouse.domain.training import TIMEOUT_S, TrainPlan
from pilothouse.lifecycle.errors import JobUnsuccessfulError
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, REFUSED, Topic
from pilothouse.lifecycle.tasks.contract import (
    BusinessError,
    Done,
    Facilities,
    Later,
    Outcome,
    TaskContext,
    TaskType,
    own_service,
    pause_s,
)
from pilothouse.lifecycle.tasks.ordered_jobs import completed
from pilothouse.wire.requests import OrderJob

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.access import Principal


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``train``, which answers with the new snapshot."""
    return TaskType(
        topic=Topic.TRAIN,
        parameters=PARAMETERS[Topic.TRAIN],
        handle=lambda context: _outcome(facilities, context),
    )


def _outcome(facilities: Facilities, context: TaskContext) -> Outcome:
    def ordered(who: Principal, turn: int) -> Job:
        del turn
        return facilities.jobs.order(who, _wanted(facilities, context))

    jobs = completed(facilities, context, Job, ordered)
    if jobs is None:
        return Later(after_s=pause_s(context))
    taking = facilities.jobs.get(context.who, job_id=str(jobs[0].parameters[SNAPSHOT_JOB]))
    match taking.state:
        case JobState.COMPLETE:
            return Done(variables={"trained": _trained(facilities, context, jobs[0], taking)})
        case JobState.FAILED:
            return BusinessError(
                code=REFUSED,
                message=taking.error,
                variables={"refused": {"job": jobs[0].id, "code": taking.error_code}},
            )
        case JobState.CANCELLED:
            raise JobUnsuccessfulError(job=taking.id, state=taking.state.value, error="")
        case JobState.CREATED | JobState.WAITING | JobState.RUNNING:
            return Later(after_s=pause_s(context))


def _wanted(facilities: Facilities, context: TaskContext) -> OrderJob:
    given = context.job.inputs.get("parameters")
    parameters: Mapping[str, object] = given if isinstance(given, dict) else {}
    return OrderJob(
        kind=JobKind.TRAIN,
        snapshot=context.needed("snapshot"),
        service=own_service(facilities, context).tag,
        stage=context.needed("stage"),
        dataset=context.needed("dataset"),
        training=TrainPlan(
            parameters=parameters,
            seed=int(context.number("seed", otherwise=0)),
            timeout_s=context.number("timeout", otherwise=TIMEOUT_S),
            tag=context.flag("tag", otherwise=False),
        ),
    )


def _trained(
    facilities: Facilities, context: TaskContext, job: Job, taking: Job
) -> dict[str, object]:
    with facilities.open_work.reading(context.who) as work:
        snapshot = work.snapshots.get(str(taking.snapshot_id))
    return {
        "job": job.id,
        "snapshot": snapshot.name,
        "digest": snapshot.digest,
        "parent": job.snapshot,
        "dataset": job.dataset,
        "metrics": dict(job.metrics),
    }
