"""The loops that drive runtimes: reconciliation, jobs, snapshots."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from pilothouse.domain.errors import ConflictError
from pilothouse.worker.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilothouse.bootstrap import ControlPlane
    from pilothouse.domain.access import Principal

T = TypeVar("T")
SWEEP_POLL_S = 3600.0
log = logging.getLogger(__name__)


def driving_loops(plane: ControlPlane, who: Principal) -> tuple[Loop, ...]:
    """Give the loops that only one control plane at a time needs to run."""
    poll_s = plane.settings.poll_s

    def leading(act: Callable[[], None]) -> Callable[[], bool]:
        def run_once() -> bool:
            if plane.leadership.leads(who):
                act()
            return False

        return run_once

    def sweep() -> None:
        swept = plane.artifacts.sweep(who)
        for artifact in swept.removed:
            log.info("swept artefact %s, which nothing names", artifact.sha256)

    acts: tuple[tuple[str, Callable[[], None], float], ...] = (
        ("reconciliation", lambda: _reconcile(plane, who), poll_s),
        ("jobs", lambda: _advance_jobs(plane, who), poll_s),
        ("snapshots", lambda: _take_snapshots(plane, who), poll_s),
        ("artifact-sweep", sweep, SWEEP_POLL_S),
    )
    return tuple(Loop(name=name, run_once=leading(act), poll_s=pause) for name, act, pause in acts)


def _reconcile(plane: ControlPlane, who: Principal) -> None:
    runtimes = plane.reconciliation.runtimes(who)
    each(runtimes, lambda runtime: plane.reconciliation.reconcile(who, runtime))


def _advance_jobs(plane: ControlPlane, who: Principal) -> None:
    each(plane.job_runs.unended(who), lambda job: plane.job_runs.advance(who, job))


def _take_snapshots(plane: ControlPlane, who: Principal) -> None:
    each(plane.snapshots.waiting(who), lambda job: plane.snapshots.take(who, job))


def each(things: Sequence[T], act: Callable[[T], object]) -> None:
    """
    Act on every thing, though some fail; then raise what failed, together.

    What somebody else changed in the meantime is no failure: the next round sees it as it is now.
    """
    problems: list[Exception] = []
    for thing in things:
        try:
            act(thing)
        except ConflictError as late:
            log.info("%s changed meanwhile: %s", thing, late)
        # One thing's trouble must not keep the others waiting; it is raised below, for the loop's health.
        except Exception as problem:  # noqa: BLE001
            problems.append(problem)
    if problems:
        raise ExceptionGroup(
            f"{len(problems)} of {len(things)} could not be looked after", problems
        )
