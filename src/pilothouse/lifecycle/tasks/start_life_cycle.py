"""Start life cycle: begin a run of another definition once, and wait for its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pilothouse.bpmn.state import UNDER_WAY, RunStatus
from pilothouse.lifecycle.chains import PARENTS, chain
from pilothouse.lifecycle.subjects import RESERVED
from pilothouse.lifecycle.tasks.catalogue import CANCELLED, PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import (
    BusinessError,
    Done,
    Facilities,
    Later,
    Outcome,
    TaskContext,
    TaskType,
    pause_s,
)
from pilothouse.wire.requests import StartRun
from pilothouse.wire.runs import RunView

if TYPE_CHECKING:
    from pilothouse.bpmn.state import Run
    from pilothouse.domain.access import Principal

LONGEST_PAUSE_S = 60.0


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``start-life-cycle``."""

    def handle(context: TaskContext) -> Outcome:
        return _Starting(facilities, context).outcome()

    return TaskType(
        topic=Topic.START_LIFE_CYCLE,
        parameters=PARAMETERS[Topic.START_LIFE_CYCLE],
        handle=handle,
    )


class _Starting:
    """One delivery: make sure that the run has begun, then look whether it has ended."""

    def __init__(self, facilities: Facilities, context: TaskContext) -> None:
        self._facilities, self._context = facilities, context

    def outcome(self) -> Outcome:
        started = self._context.once("start", RunView, self._started)
        run_id = started.heading.run_id
        if not self._context.flag("wait", otherwise=True):
            return Done(variables={"life_cycle": {"id": run_id, "outcome": None, "variables": {}}})
        with self._facilities.open_work.reading(self._context.who) as work:
            run = work.runs.load(run_id).run
            last = work.runs.history(run_id, after=run.history_length - 1)
        if run.state in UNDER_WAY:
            return Later(after_s=pause_s(self._context, longest_s=LONGEST_PAUSE_S))
        shown = {
            "id": run_id,
            "outcome": run.outcome,
            "variables": _given_back(last[-1].data.get("variables")) if last else {},
        }
        return _ended(run, shown)

    def _started(self, who: Principal) -> RunView:
        heading = self._context.heading
        return self._facilities.runs.start(
            who,
            StartRun(
                definition=self._context.needed("definition"),
                snapshot=self._context.text("snapshot") or heading.snapshot,
                service=self._context.text("service") or heading.service,
                variables=self._variables(),
            ),
        )

    def _variables(self) -> dict[str, object]:
        """Give what it begins with: what both runs are about is not given twice where all is passed on."""
        own = self._facilities.runs.get(self._context.who, run_id=self._context.heading.run_id)
        given = self._context.job.inputs.get("variables")
        kept = {
            name: value
            for name, value in (given.items() if isinstance(given, Mapping) else ())
            if name not in RESERVED or own.variables.get(name) != value
        }
        return {**kept, PARENTS: self._chain()}

    def _chain(self) -> list[str]:
        with self._facilities.open_work.reading(self._context.who) as work:
            return chain(work, self._context.heading.run_id)


def _given_back(variables: object) -> dict[str, object]:
    """Leave out what says what the run was about: it is that of the run itself, and not its result."""
    found = variables if isinstance(variables, Mapping) else {}
    return {n: value for n, value in found.items() if n not in RESERVED and n != PARENTS}


def _ended(run: Run, shown: Mapping[str, object]) -> Outcome:
    match run.state:
        case RunStatus.FAILED:
            message = f"The life cycle that was started, {run.id}, failed: {run.outcome}."
            code = run.outcome or RunStatus.FAILED.value
            return BusinessError(code=code, message=message, variables={"life_cycle": shown})
        case RunStatus.TERMINATED:
            message = f"The life cycle that was started, {run.id}, was cancelled."
            return BusinessError(code=CANCELLED, message=message, variables={"life_cycle": shown})
        case _:
            return Done(variables={"life_cycle": shown})
