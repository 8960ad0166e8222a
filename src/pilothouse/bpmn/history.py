"""What happened in a run: the lines of its append-only history."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the codec reads the annotations
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the codec reads the annotations
from enum import StrEnum


class HistoryEvent(StrEnum):
    """What a line of the history says."""

    RUN_STARTED = "run-started"
    RUN_COMPLETED = "run-completed"
    RUN_FAILED = "run-failed"
    RUN_TERMINATED = "run-terminated"
    ENTERED = "entered"
    PASSED = "passed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    JOINED = "joined"
    JOB_FAILED = "job-failed"
    JOB_POSTPONED = "job-postponed"
    ERROR_CAUGHT = "error-caught"
    ERROR_THROWN = "error-thrown"
    ESCALATION_CAUGHT = "escalation-caught"
    ESCALATION_THROWN = "escalation-thrown"
    MESSAGE_THROWN = "message-thrown"
    SIGNAL_THROWN = "signal-thrown"
    COMPENSATION_THROWN = "compensation-thrown"
    COMPENSATED = "compensated"
    TIMER_FIRED = "timer-fired"
    MESSAGE_RECEIVED = "message-received"
    SIGNAL_RECEIVED = "signal-received"
    CONDITION_MET = "condition-met"
    TASK_CLAIMED = "task-claimed"
    TASK_RELEASED = "task-released"
    TASK_VOTED = "task-voted"
    TASK_REMINDED = "task-reminded"
    TASK_ESCALATED = "task-escalated"
    TASK_COMPLETED = "task-completed"
    INCIDENT_RAISED = "incident-raised"
    INCIDENT_RETRIED = "incident-retried"
    VARIABLES_CHANGED = "variables-changed"
    RUN_SUSPENDED = "run-suspended"
    RUN_RESUMED = "run-resumed"
    RUN_MIGRATED = "run-migrated"
    TOKENS_MOVED = "tokens-moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of a run's append-only history; the key of the row is (run_id, sequence), from 1."""

    run_id: str
    sequence: int
    at: datetime
    event: HistoryEvent
    element: str | None = None
    token_id: str | None = None
    actor: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)
