"""Score and metrics jobs over a dataset, ordered once and looked after until they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.finding import dataset_named
from pilothouse.domain.jobs import Job, JobKind
from pilothouse.domain.locations import Place
from pilothouse.lifecycle.errors import DatasetMissingError
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import (
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
    from pilothouse.domain.access import Principal

TOPICS = {JobKind.SCORE: Topic.SCORE_JOB, JobKind.METRICS: Topic.METRICS_JOB}


def build_score(facilities: Facilities) -> TaskType:
    """Give the task type ``score-job``, whose output goes to the results location."""
    return _type(facilities, JobKind.SCORE)


def build_metrics(facilities: Facilities) -> TaskType:
    """Give the task type ``metrics-job``, which answers with the figures."""
    return _type(facilities, JobKind.METRICS)


def _type(facilities: Facilities, kind: JobKind) -> TaskType:
    topic = TOPICS[kind]
    return TaskType(
        topic=topic,
        parameters=PARAMETERS[topic],
        handle=lambda context: _Batch(facilities, context, kind).outcome(),
    )


class _Batch:
    """One delivery: order the job, or look at the one that was ordered."""

    def __init__(self, facilities: Facilities, context: TaskContext, kind: JobKind) -> None:
        self._facilities, self._context, self._kind = facilities, context, kind

    def outcome(self) -> Outcome:
        jobs = completed(self._facilities, self._context, Job, self._ordered)
        if jobs is None:
            return Later(after_s=pause_s(self._context))
        return Done(variables=_variables(jobs[0]))

    def _ordered(self, who: Principal, turn: int) -> Job:
        return self._facilities.jobs.order(who, self._wanted(turn))

    def _wanted(self, turn: int) -> OrderJob:
        context, facilities = self._context, self._facilities
        service = own_service(facilities, context)
        named = context.text("dataset") or service.test_dataset
        if named is None:
            raise DatasetMissingError(service=service.tag)
        with facilities.open_work.reading(context.who) as work:
            dataset = dataset_named(work, named)
        scoring = self._kind is JobKind.SCORE
        path = f"lifecycles/{context.job.id}" + (f"-{turn}" if turn else "")
        return OrderJob(
            kind=self._kind,
            snapshot=context.needed("snapshot"),
            service=service.tag,
            stage=context.needed("stage"),
            dataset=named,
            target=Place(location=facilities.results_location, path=path) if scoring else None,
            target_format=dataset.format if scoring else None,
        )


def _variables(job: Job) -> dict[str, object]:
    progress = job.progress
    share = progress.rows_rejected / progress.rows_read if progress.rows_read else None
    counted: dict[str, object] = {
        "rows": progress.rows_read,
        "rows_scored": progress.rows_scored,
        "rows_rejected": progress.rows_rejected,
        "rejected_share": share,
    }
    shown = {"id": job.id, "result": job.result.value, "output": job.output, **counted}
    if job.kind is JobKind.SCORE:
        return {"job": shown}
    return {"metrics": {**counted, **job.metrics}, "job": shown}
