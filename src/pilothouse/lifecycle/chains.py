"""Runs that started one another: how many in a row, so that no life cycle starts itself for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pilothouse.lifecycle.errors import RunsNestedError

if TYPE_CHECKING:
    from pilothouse.ports.unit_of_work import UnitOfWork

PARENTS = "parent_runs"
DEEPEST = 10


def chain(work: UnitOfWork, run_id: str) -> list[str]:
    """
    Give the runs that a run was started by, and itself.

    They are read from the first line of the history: the variable itself may be overwritten by any answer.

    Raises
    ------
    RunsNestedError
        When there are too many: a life cycle that starts itself would never end.
    """
    (begun,) = work.runs.history(run_id, limit=1)
    given = begun.data.get("variables")
    above = given.get(PARENTS) if isinstance(given, Mapping) else None
    found = [*(above if isinstance(above, list | tuple) else ()), run_id]
    if len(found) >= DEEPEST:
        raise RunsNestedError(run_id=run_id, deepest=DEEPEST)
    return found
