"""Runs as people look at them: the heading, and what stands now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pilothouse.bpmn.state import Incident, JobKind, JobStatus, RunStatus, ScopeKind, TokenStatus
from pilothouse.domain.lifecycles import RunHeading
from pilothouse.domain.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenView:
    """Where a run is: the element's id, and why it stands there."""

    element: str
    state: TokenStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkView:
    """
    A job or timer of a run: what it is for, when it is tried next, and what went wrong last.

    Attributes
    ----------
    state
        Whether the platform does it, offers it to workers outside, or waits for a person's help.
    held_by
        Who has it now, until `held_until`: a thread of the platform, or ``PERSON:WORKER``.
    """

    id: str
    element: str
    kind: JobKind
    topic: str | None
    due_at: datetime
    failures: int
    retries_left: int
    last_error: str | None
    state: JobStatus
    held_by: str | None
    held_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeView:
    """What is open inside of a run: a sub-process, an instance or a round of something, with its own variables."""

    id: str
    element: str
    kind: ScopeKind
    number: int | None
    variables: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A line in the list of runs."""

    heading: RunHeading
    state: RunStatus
    outcome: str | None
    ended_at: datetime | None
    tokens: tuple[TokenView, ...]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """
    All that stands of a run now; what happened before is in its history.

    Attributes
    ----------
    revision
        Grows with each step: what an order names that must not meet another run than the one that was looked at.
    variables
        Those of the process; `scopes` have their own.
    """

    heading: RunHeading
    business_key: str | None
    state: RunStatus
    outcome: str | None
    started_by: str
    ended_at: datetime | None
    tokens: tuple[TokenView, ...]
    incidents: tuple[Incident, ...]
    tasks: tuple[Task, ...]
    work: tuple[WorkView, ...]
    variables: Mapping[str, object]
    scopes: tuple[ScopeView, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceipt:
    """What became of a message: the run that took it; without one it waits until it expires, unless it came twice."""

    id: str
    run_id: str | None
    seen_before: bool = False


class FindingSeverity(StrEnum):
    """How much a finding matters."""

    REFUSED = "refused"
    """It cannot run, and an upload is refused."""

    ERROR = "error"
    """It can be uploaded, and contradicts itself for some inputs."""

    WARNING = "warning"
    """It can be uploaded, and hardly says what was meant."""

    NOTE = "note"
    """It is worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    Something in a life cycle or decision file: where, what, and what to do about it.

    Attributes
    ----------
    rules
        The places of the rules of a decision table that it is about, from 1.
    example
        Inputs for which it shows, by their labels, as FEEL.
    """

    severity: FindingSeverity = FindingSeverity.REFUSED
    element: str | None
    line: int | None
    problem: str
    cure: str
    rules: tuple[int, ...] = ()
    example: str = ""
