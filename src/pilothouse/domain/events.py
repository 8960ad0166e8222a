"""Events that somebody subscribes to, history rows that time can be asked of, and audit rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.ids import GroupName, PersonId


class EventType(StrEnum):
    """What the outbox carries."""

    SNAPSHOT_CREATED = "snapshot-created"
    JOB_FINISHED = "job-finished"
    ALERT_FIRED = "alert-fired"
    MESSAGE_THROWN = "message-thrown"
    SIGNAL_THROWN = "signal-thrown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, kept in the outbox until each of its subscribers has taken it."""

    id: str
    type: EventType
    group: GroupName
    subject: str
    payload: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One stretch of time in which a thing had one value; `until` is None while it still has."""

    noun: str
    subject: str
    value: Mapping[str, object]
    since: datetime
    until: datetime | None
    actor: PersonId
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """An order of a person, or something that changed what runs: who, what, when, why."""

    id: str
    at: datetime
    group: GroupName
    actor: PersonId
    actor_name: str
    token_id: str | None
    action: str
    noun: str
    subject: str
    cause: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message for a life cycle that may come before anybody waits for it; kept until `expires_at`."""

    id: str
    group: GroupName
    name: str
    correlation_key: str
    payload: Mapping[str, object]
    received_at: datetime
    expires_at: datetime
