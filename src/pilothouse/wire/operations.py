"""Orders of operators to runs, and what they would come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilothouse.bpmn.errors import Obstacle
from pilothouse.bpmn.history import HistoryEntry
from pilothouse.bpmn.state import RunStatus
from pilothouse.wire.requests import request
from pilothouse.wire.runs import TokenView


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRun:
    """Suspend a run, or resume it; `revision` is that of the run as it was seen, where it must not have moved since."""

    reason: str
    revision: int | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class EditVariables:
    """
    Set variables of a run and remove others.

    Attributes
    ----------
    scope
        The id of an open scope, or the element of one; null for the process.
    revision
        Of the run as it was seen, where it must not have moved since.
    """

    reason: str
    variables: Mapping[str, object] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    scope: str | None = None
    revision: int | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class MoveTokens:
    """Cancel what stands at some elements, and begin before others; each by its id in the drawing."""

    reason: str
    cancel: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()
    revision: int | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateRun:
    """
    Carry a run over to another version of its life cycle.

    Attributes
    ----------
    to
        The version, ``key@version``.
    pairs
        Which old element becomes which new one, where their ids are not the same.
    """

    to: str
    reason: str
    pairs: Mapping[str, str] = field(default_factory=dict)
    revision: int | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateRuns:
    """
    Carry the runs of a version over to another, as many as `limit`, those after the run `after`.

    Attributes
    ----------
    dry
        Only say what would become of each.
    """

    to: str
    reason: str
    pairs: Mapping[str, str] = field(default_factory=dict)
    dry: bool = False
    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPreview:
    """What an order would come to: where the run would stand then, and what its history would say."""

    run_id: str
    state: RunStatus
    revision: int
    tokens: tuple[TokenView, ...]
    history: tuple[HistoryEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationOutcome:
    """What became of one run: carried over, or the code of what kept it, with the reasons."""

    run_id: str
    migrated: bool
    code: str | None = None
    problem: str = ""
    obstacles: tuple[Obstacle, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPage:
    """What became of some runs; `next` is the last run that was looked at, where there may be more after it."""

    items: tuple[MigrationOutcome, ...]
    next: str | None
