"""Load test: ask every endpoint of a snapshot at a steady rate, and judge how fast and how well it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pilothouse.application.evaluations import Judgement
from pilothouse.application.load_tests import OrderLoadTest
from pilothouse.domain.evaluations import Verdict
from pilothouse.domain.jobs import Job
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
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
from pilothouse.lifecycle.tasks.evaluate import kept
from pilothouse.lifecycle.tasks.ordered_jobs import completed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.domain.access import Principal

FAILED = "load-test-failed"
CONCURRENCY = 16.0
KEPT_UP = 0.95
"""The share of the rate that must have been answered for the other figures to say anything of that rate."""
Figures = Mapping[str, float | None]


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``load-test``."""

    def handle(context: TaskContext) -> Outcome:
        return _Loading(facilities, context).outcome()

    return TaskType(topic=Topic.LOAD_TEST, parameters=PARAMETERS[Topic.LOAD_TEST], handle=handle)


class _Loading:
    """One delivery: order the jobs, or look at those that were ordered."""

    def __init__(self, facilities: Facilities, context: TaskContext) -> None:
        self._facilities, self._context = facilities, context
        self._service = own_service(facilities, context)

    def outcome(self) -> Outcome:
        jobs = completed(self._facilities, self._context, tuple[Job, ...], self._ordered)
        return Later(after_s=pause_s(self._context)) if jobs is None else self._judged(jobs)

    def _ordered(self, who: Principal, turn: int) -> tuple[Job, ...]:
        return self._facilities.load_tests.order(who, self._wanted())

    def _wanted(self) -> OrderLoadTest:
        context = self._context
        return OrderLoadTest(
            snapshot=context.needed("snapshot"),
            service=self._service.tag,
            stage=context.needed("stage"),
            rate_per_s=context.number("rate", otherwise=0.0),
            duration_s=context.number("duration", otherwise=0.0),
            concurrency=int(context.number("concurrency", otherwise=CONCURRENCY)),
        )

    def _judged(self, jobs: Sequence[Job]) -> Outcome:
        limits = {name: self._limit(name) for name in ("p50_ms", "p99_ms")}
        limits["error_share"] = self._limit("error_share") or 0.0
        rate = self._context.number("rate", otherwise=0.0)
        figures = worst([job.metrics for job in jobs])
        verdict, reason = judged(figures, limits=limits, rate_per_s=rate)
        judgement = Judgement(
            kind=Topic.LOAD_TEST.value,
            snapshot=self._context.needed("snapshot"),
            service=self._service.tag,
            stage=self._context.needed("stage"),
            verdict=verdict,
            reason=reason,
            evidence={
                "wanted_rate_per_s": rate,
                "limits": limits,
                "jobs": {job.id: dict(job.metrics) for job in jobs},
            },
            run_id=self._context.heading.run_id,
        )
        load = {**kept(self._facilities, self._context, judgement), **figures}
        if verdict is Verdict.FAIL:
            return BusinessError(code=FAILED, message=reason, variables={"load": load})
        return Done(variables={"load": load})

    def _limit(self, name: str) -> float | None:
        given = self._context.job.inputs.get(name)
        return None if given is None else self._context.number(name, otherwise=0.0)


def worst(measured: Sequence[Figures]) -> dict[str, float | None]:
    """
    Give the worst of every figure over several endpoints: the lowest rate, the highest of the others.

    Examples
    --------
    >>> worst([{"rate_per_s": 9.0, "p99_ms": 4.0}, {"rate_per_s": 10.0, "p99_ms": None}])
    {'rate_per_s': 9.0, 'p99_ms': 4.0}
    """
    found: dict[str, float | None] = {}
    for name in dict.fromkeys(name for figures in measured for name in figures):
        values = [v for figures in measured if (v := figures.get(name)) is not None]
        pick = min if name == "rate_per_s" else max
        found[name] = pick(values) if values else None
    return found


def judged(figures: Figures, *, limits: Figures, rate_per_s: float) -> tuple[Verdict, str]:
    """
    Judge figures: FAIL above a limit, INCONCLUSIVE where the rate was not reached, PASS otherwise.

    Examples
    --------
    >>> judged({"p99_ms": 40.0, "rate_per_s": 10.0}, limits={"p99_ms": 25.0}, rate_per_s=10)[1]
    'p99_ms is 40, above 25'
    >>> judged({"p99_ms": 4.0, "rate_per_s": 5.0}, limits={"p99_ms": 25.0}, rate_per_s=10)[0]
    <Verdict.INCONCLUSIVE: 'INCONCLUSIVE'>
    """
    problems = [
        f"{name} is {'not known' if value is None else f'{value:.4g}'}, above {limit:g}"
        for name, limit in limits.items()
        if limit is not None and ((value := figures.get(name)) is None or value > limit)
    ]
    if problems:
        return Verdict.FAIL, "; ".join(problems)
    reached = figures.get("rate_per_s") or 0.0
    if reached < KEPT_UP * rate_per_s:
        return (
            Verdict.INCONCLUSIVE,
            f"only {reached:.4g} of {rate_per_s:g} requests a second came back",
        )
    return Verdict.PASS, f"all limits are met at {reached:.4g} requests a second"
