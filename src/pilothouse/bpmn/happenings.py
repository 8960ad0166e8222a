"""What can happen to a run: the only ways in which it moves."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the codec reads the annotations
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the codec reads the annotations


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """
    The order to begin a run.

    ``event`` is the id of the start event; None means the only none start event of the definition.
    ``variables`` must be JSON-able and become the variables of the process scope.
    """

    run_id: str
    definition_id: str
    actor: str
    business_key: str | None = None
    event: str | None = None
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCompleted:
    """A worker did the job; ``attempt`` is the one it was claimed with."""

    job_id: str
    attempt: int
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    """
    A worker could not do the job, for a technical reason: it costs one retry.

    Without ``retry_at`` the next try is after the task's own back-off.
    """

    job_id: str
    attempt: int
    message: str
    code: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBusinessError:
    """The job has an outcome that the drawing may provide for: the nearest error boundary event catches it by code."""

    job_id: str
    attempt: int
    code: str
    message: str
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPostponed:
    """The job is under way elsewhere: ask again at ``due_at``. It costs no retry."""

    job_id: str
    attempt: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerDue:
    """The moment of a timer job has come."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskClaimed:
    """A person takes a task for herself."""

    task_id: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReleased:
    """A task is given back to its candidates."""

    task_id: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted:
    """
    A person completes a task, or gives one of the votes that it waits for; ``variables`` are the answers to its form.

    ``roles`` are those among the candidates' that the person holds, ``digest`` what the answer is about.
    """

    task_id: str
    actor: str
    variables: Mapping[str, object] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageArrived:
    """A message for one subscription; the caller has found it by name and key and drops duplicates by ``message_id``."""

    subscription_id: str
    message_id: str
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalArrived:
    """A signal for one subscription; the caller fans it out to all subscriptions of its name."""

    subscription_id: str
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRetried:
    """A person has seen to the cause: try again, with so many retries, and with these process variables changed."""

    incident_id: str
    actor: str
    retries: int = 3
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """A person ends the run."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """A person holds the run where it stands."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A person lets a suspended run go on."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VariablesEdited:
    """
    A person sets variables in one scope, and removes others from it.

    ``scope`` is the id of an open scope, or of the only open sub-process of that element; None means the process.
    """

    actor: str
    reason: str
    given: Mapping[str, object] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    scope: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensMoved:
    """A person cancels what stands at some elements, and begins before others; ids of the drawing."""

    actor: str
    reason: str
    cancelled: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()


Happening = (
    JobCompleted
    | JobFailed
    | JobBusinessError
    | JobPostponed
    | TimerDue
    | TaskClaimed
    | TaskReleased
    | TaskCompleted
    | MessageArrived
    | SignalArrived
    | IncidentRetried
    | Cancelled
    | Suspended
    | Resumed
    | VariablesEdited
    | TokensMoved
)
