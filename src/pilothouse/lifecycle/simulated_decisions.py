"""Decisions of a simulated run, taken by the decision files that are given to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.bpmn.happenings import Happening, JobCompleted, JobFailed
from pilothouse.dmn import DEFAULT_STEPS
from pilothouse.domain.errors import PilothouseError
from pilothouse.feel import Budget
from pilothouse.lifecycle.answers import AnswersInvalidError
from pilothouse.lifecycle.decisions import Decided
from pilothouse.lifecycle.tasks.catalogue import Topic
from pilothouse.lifecycle.tasks.evaluate import verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.bpmn.state import Job
    from pilothouse.dmn import Decisions

FIGURES = ("metrics", "service", "snapshot", "stage")
"""What the task type ``evaluate`` gives a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenDecisions:
    """The decision files that a simulation has."""

    files: Sequence[Decisions]

    def answer(self, job: Job, *, now: datetime) -> Happening | None:
        """
        Answer the job of a business rule task, or of the topic ``evaluate``; None where it is another, or no file is given.

        Raises
        ------
        AnswersInvalidError
            When not exactly one file has the decision.
        """
        if not self.files or job.topic not in (Topic.EVALUATE, Topic.EVALUATE_DECISION):
            return None
        name = str(job.inputs.get("decision"))
        file = self._file(job.element, name)
        try:
            given = _variables(job, self._decided(file, name, _context(job), now))
        except PilothouseError as error:
            return JobFailed(
                job_id=job.id, attempt=job.attempt, message=error.message, code=error.code
            )
        return JobCompleted(job_id=job.id, attempt=job.attempt, variables=given)

    def _decided(
        self, file: Decisions, name: str, context: Mapping[str, object], now: datetime
    ) -> Decided:
        budget = Budget(steps=DEFAULT_STEPS, now=now)
        outcome = file.evaluate(name, context, budget=budget).demanded()
        return Decided(
            decision=name,
            value=outcome.plain()["value"],
            rules=(),
            nulls=tuple(null.problem for null in outcome.nulls),
        )

    def _file(self, element: str, name: str) -> Decisions:
        files = [file for file in self.files if name in file.decisions]
        if len(files) != 1:
            problem = f"{len(files)} of the given decision files have the decision {name!r}, not 1"
            raise AnswersInvalidError(place=element, problem=problem)
        return files[0]


def _context(job: Job) -> Mapping[str, object]:
    if job.topic == Topic.EVALUATE:
        return {name: job.inputs.get(name) for name in FIGURES}
    context = job.inputs["context"]
    return context if isinstance(context, Mapping) else {}


def _variables(job: Job, decided: Decided) -> Mapping[str, object]:
    if job.topic != Topic.EVALUATE:
        return {"result": decided.value}
    verdict, reason = verdict_of(decided)
    return {"evaluation": {"id": "simulated", "verdict": verdict.value, "reason": reason}}
