"""Runs that timers start: claimed when they are due, begun once for each service that the drawing names."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import About, SnapshotChoice
from pilothouse.bpmn.timers import Schedule, rearmed
from pilothouse.domain.access import EVERY_GROUP, KeyedCall
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.plain import digest, rfc3339
from pilothouse.lifecycle.errors import RunStartError
from pilothouse.lifecycle.event_starts import REFUSALS, Started, refused, uses
from pilothouse.lifecycle.moving import persistent
from pilothouse.lifecycle.subjects import Subject, planned

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.application.calls import Calls
    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import SnapshotId
    from pilothouse.domain.lifecycles import Definition, StartEvent
    from pilothouse.domain.services import Service
    from pilothouse.domain.snapshots import Snapshot
    from pilothouse.lifecycle.library import Library
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork

BATCH = 20
LEASE_S = 60.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Firing:
    """One moment of a timer, for one service or for none."""

    event: StartEvent
    about: About | None
    service: str | None

    @property
    def call(self) -> KeyedCall:
        """What makes it begin one run, however often a worker is killed."""
        moment = rfc3339(self.event.due_at) if self.event.due_at else ""
        key = f"timer/{self.event.id}/{moment}/{self.service or ''}"
        return KeyedCall(key=key, request=digest({"element": self.event.element}))


class TimedStarts:
    """
    Starts the runs of life cycles whose timer start event is due.

    A timer is claimed with a lease and goes on once all of its runs have begun; one that was missed fires once.
    """

    def __init__(
        self,
        *,
        open_work: OpenWork,
        calls: Calls,
        moving: Moving,
        library: Library,
        who: Principal,
        owner: str,
    ) -> None:
        self._open_work = open_work
        self._calls = calls
        self._moving = moving
        self._library = library
        self._who = who
        self._owner = owner

    def run_once(self) -> bool:
        """Fire the timers that are due; False when none is."""
        with self._open_work.reading(self._who) as work:
            due = work.start_events.next_due()
            if due is None or due > work.at:
                return False
        with self._open_work(self._who) as work:
            events = work.commit(
                work.start_events.claim(owner=self._owner, lease_s=LEASE_S, limit=BATCH)
            )
        for event in events:
            self._fire(event)
        return bool(events)

    def next_due(self) -> datetime | None:
        """Say when the next timer is due."""
        with self._open_work.reading(self._who) as work:
            return work.start_events.next_due()

    def _fire(self, event: StartEvent) -> None:
        for firing in self._firings(event):
            started = self._start(firing)
            log.info("timer %s: %s", event.element, started.run_id or started.reason)
        with self._open_work(self._who) as work:
            following, missed = _following(event, at=work.at)
            work.start_events.fired(event, following)
            if missed:
                detail = {"start_event": event.element, "moments": missed}
                work.audit.record(
                    "miss-timer",
                    noun="lifecycle",
                    subject=event.definition_id,
                    group=event.group,
                    detail=detail,
                )
            work.commit(None)

    def _firings(self, event: StartEvent) -> tuple[_Firing, ...]:
        with self._open_work.reading(self._who) as work:
            process = self._library.process(work, event.definition_id)
            about = next(s.about for s in process.starts if s.id == event.element)
            if about is None:
                return (_Firing(event=event, about=None, service=None),)
            named = about.services or tuple(s.tag for s in _services(work, event))
        return tuple(_Firing(event=event, about=about, service=tag) for tag in named)

    def _start(self, firing: _Firing) -> Started:
        who = replace(self._who.because(f"timer {firing.event.element}"), call=firing.call)
        try:
            return persistent(
                lambda: self._calls.once(who, Started, lambda: self._started(who, firing))
            )
        except REFUSALS as problem:
            return refused(self._open_work, who, firing.event, problem)

    def _started(self, who: Principal, firing: _Firing) -> Started:
        with self._open_work(who) as work:
            definition = work.definitions.get(firing.event.definition_id)
            heading, begin = planned(
                work,
                definition,
                _subject(work, definition, firing),
                actor=who.person_id,
                event=firing.event.element,
            )
            self._moving.begin(work, heading, begin)
            return work.commit(Started(run_id=heading.run_id))


def _services(work: UnitOfWork, event: StartEvent) -> tuple[Service, ...]:
    """Give the services of the group, or of every group that uses this version."""
    if event.group != EVERY_GROUP:
        return work.services.all(group=event.group)
    return tuple(s for s in work.services.all() if uses(work, s.group, event))


def _subject(work: UnitOfWork, definition: Definition, firing: _Firing) -> Subject:
    if firing.service is None or firing.about is None:
        return Subject()
    service = work.services.get(firing.service)
    if definition.group not in (service.group, EVERY_GROUP):
        problem = f"the service {service.tag} is of the group {service.group}"
        raise RunStartError(definition=definition.full_name, problem=problem)
    return Subject(service=service, snapshot=_snapshot(work, definition, service, firing.about))


def _snapshot(
    work: UnitOfWork, definition: Definition, service: Service, about: About
) -> Snapshot | None:
    match about.snapshot:
        case SnapshotChoice.NONE:
            return None
        case SnapshotChoice.LATEST:
            tags = work.assignments.all(service=service.tag, ended_at=None)
            latest = max(tags, key=lambda tag: (tag.assigned_at, tag.id), default=None)
            found = latest.snapshot_id if latest else None
            cure = f"Tag one: `pilothouse snapshots tag MODEL@N {service.tag}`."
        case SnapshotChoice.CHAMPION:
            found = _champion(work, definition, service, about.stage)
            cure = f"Give the service a route in {about.stage}."
    if found is None:
        raise NotFoundError(noun=f"{about.snapshot} snapshot of", name=service.tag, cure=cure)
    return work.snapshots.get(found)


def _champion(
    work: UnitOfWork, definition: Definition, service: Service, stage: str
) -> SnapshotId | None:
    route = work.routes.find(service=service.tag, stage=stage)
    variants = route.variants if route else ()
    heaviest = max((variant.weight for variant in variants), default=0.0)
    first = [variant for variant in variants if variant.weight == heaviest]
    if len(first) > 1:
        names = " and ".join(variant.snapshot for variant in first)
        problem = (
            f"{names} have the same share of {service.tag} in {stage}: neither is the champion"
        )
        raise RunStartError(definition=definition.full_name, problem=problem)
    return first[0].snapshot_id if first else None


def _following(event: StartEvent, *, at: datetime) -> tuple[StartEvent | None, int]:
    """Give the timer as it goes on, from the moment that was planned, and how many moments were missed."""
    if event.due_at is None:
        return None, 0
    armed = Schedule(due_at=event.due_at, period=event.period, repeats_left=event.repeats_left)
    try:
        following, missed = rearmed(armed, at=at)
    except (ValueError, OverflowError):
        return None, 0  # the series has no further moment on the calendar
    if following is None:
        return None, missed
    going_on = replace(
        event,
        due_at=following.due_at,
        repeats_left=following.repeats_left,
        lease_owner=None,
        lease_until=None,
    )
    return going_on, missed
