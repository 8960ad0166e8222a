"""
Several runs moved in one unit of work: loaded by one query a table, stepped one by one, written by one statement a table.

Only what needs no other lock than those on the runs is taken together. A step that begins to listen for messages
waits for their publishers, so it is left to a unit of its own, as is every step that is refused.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.bpmn.state import TABLES, Changes, Job, Rows, RunState
from pilothouse.domain.errors import PilothouseError
from pilothouse.lifecycle.moving import listening

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pilothouse.bpmn.happenings import Happening
    from pilothouse.lifecycle.batch import Report
    from pilothouse.lifecycle.holding import GoingOn
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import UnitOfWork

    Table = Mapping[str, Any]

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Moved:
    """A run on its way through the steps of one unit."""

    before: RunState
    now: RunState
    steps: list[Changes]
    happenings: list[Happening]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """
    What came of several reports.

    Attributes
    ----------
    alone
        The reports that must be taken alone instead.
    states
        The runs that were moved, as they stand once the unit is committed.
    claimed
        The jobs to go on with.
    """

    alone: tuple[Report, ...] = ()
    states: tuple[RunState, ...] = ()
    claimed: tuple[Job, ...] = ()


def take_together(
    moving: Moving,
    work: UnitOfWork,
    reports: Sequence[Report],
    *,
    known: Mapping[str, RunState],
    going_on: GoingOn,
) -> Taken:
    """
    Let things happen to several runs in one unit, and claim what is next.

    Parameters
    ----------
    known
        What the runs' states may still be.
    going_on
        Claims the next jobs.
    """
    states = work.runs.load_all({report.job.run_id for report in reports}, known=known)
    moved = {
        run_id: _Moved(before=s, now=s, steps=[], happenings=[]) for run_id, s in states.items()
    }
    alone = [r for r in reports if not _taken(moving, work, moved, r, going_on)]
    stepped = [run for run in moved.values() if run.steps]
    work.runs.write_all(
        [_put_together(run) for run in stepped],
        steps={run.now.run.id: len(run.steps) for run in stepped},
    )
    for run in stepped:
        for changes, happening in zip(run.steps, run.happenings, strict=True):
            moving.tell(work, changes, happening)
    after = tuple(run.now for run in stepped)
    claimed = going_on.all({job for state in after for job in state.jobs})
    return Taken(alone=tuple(alone), states=after, claimed=claimed)


def _taken(
    moving: Moving,
    work: UnitOfWork,
    moved: Mapping[str, _Moved],
    report: Report,
    going_on: GoingOn,
) -> bool:
    run = moved.get(report.job.run_id)
    if run is None:
        return False
    try:
        changes = moving.stepped(work, run.now, report.happening)
    except PilothouseError as error:
        log.info("the report on job %s is taken alone: %s", report.job.id, error)
        return False
    if any(listening(changes)):
        return False
    changes = going_on.taken(changes)
    run.steps.append(changes)
    run.happenings.append(report.happening)
    run.now = run.now.after(changes)
    return True


def _put_together(run: _Moved) -> Changes:
    """Give what the steps of one run came to in the end, with the history of each."""
    if len(run.steps) == 1:
        return run.steps[0]
    return Changes(
        run=run.now.run,
        added=_rows(run, _added),
        changed=_rows(run, _changed),
        removed=_rows(run, lambda old, new: _added(new, old)),
        history=tuple(line for step in run.steps for line in step.history),
    )


def _rows(run: _Moved, differing: Callable[[Table, Table], tuple[Any, ...]]) -> Rows:
    tables = {name: (getattr(run.before, name), getattr(run.now, name)) for name in TABLES}
    return Rows(**{name: differing(old, new) for name, (old, new) in tables.items()})


def _added(old: Table, new: Table) -> tuple[Any, ...]:
    return tuple(row for key, row in new.items() if key not in old)


def _changed(old: Table, new: Table) -> tuple[Any, ...]:
    return tuple(row for key, row in new.items() if key in old and old[key] is not row)
