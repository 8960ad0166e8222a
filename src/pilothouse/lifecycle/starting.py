"""Events of the outbox: those that begin life cycles, and what runs threw."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.domain.access import KeyedCall
from pilothouse.domain.errors import AlreadyExistsError
from pilothouse.domain.events import Event, EventType
from pilothouse.domain.lifecycles import DefinitionKind
from pilothouse.domain.plain import digest
from pilothouse.lifecycle.event_starts import EventStarts, Started
from pilothouse.lifecycle.lookup import latest_active
from pilothouse.lifecycle.messages import Messages
from pilothouse.lifecycle.moving import persistent
from pilothouse.lifecycle.subjects import Subject, planned

if TYPE_CHECKING:
    from pilothouse.application.calls import Calls
    from pilothouse.domain.access import Principal
    from pilothouse.domain.lifecycles import Definition
    from pilothouse.domain.services import Service
    from pilothouse.lifecycle.library import Library
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork

SUBSCRIBER = "lifecycles"
SUBSCRIBED = tuple(EventType)
"""What the outbox must keep for `SUBSCRIBER`."""
BATCH = 20
LEASE_S = 60.0
log = logging.getLogger(__name__)


class Starting:
    """
    Starts the life cycles that events are for, and delivers what runs threw.

    A snapshot that is tagged starts the life cycle that its service names; every other event of the platform
    is a signal of its own name.

    An event is delivered at least once; that its run begins once is the doing of a keyed call, whose answer is
    written in the transaction that begins the run.
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
        self._messages = Messages(
            open_work=open_work,
            moving=moving,
            starts=EventStarts(open_work=open_work, calls=calls, moving=moving, library=library),
        )
        self._library = library
        self._who = who
        self._owner = owner

    def run_once(self) -> bool:
        """Take the events that wait; False when none did."""
        with self._open_work.reading(self._who) as work:
            if not sum(work.outbox.waiting().values()):
                return False
        with self._open_work(self._who) as work:
            events = work.commit(
                work.outbox.claim(SUBSCRIBER, owner=self._owner, lease_s=LEASE_S, limit=BATCH)
            )
        for event in events:
            self._take(event)
        return bool(events)

    def _take(self, event: Event) -> None:
        if event.type is EventType.SNAPSHOT_CREATED:
            started = self.start(event)
            log.info("event %s: %s", event.id, started.run_id or started.reason)
        elif event.type in (EventType.MESSAGE_THROWN, EventType.SIGNAL_THROWN):
            self._messages.deliver(self._who.because(f"run {event.subject}"), event)
        else:
            self._messages.announce(self._who.because(f"event {event.id}"), event)
        with self._open_work(self._who) as work:
            work.outbox.delivered(SUBSCRIBER, event.id)
            work.commit(None)

    def start(self, event: Event) -> Started:
        """Begin the run that an event asks for, once however often the event comes."""
        call = KeyedCall(key=f"start/{event.id}", request=digest(event.payload))
        keyed = replace(self._who.because(f"event {event.id}"), call=call)
        try:
            return persistent(
                lambda: self._calls.once(keyed, Started, lambda: self._started(keyed, event))
            )
        except AlreadyExistsError as problem:
            return Started(run_id=None, reason=problem.message)

    def _started(self, who: Principal, event: Event) -> Started:
        with self._open_work(who) as work:
            snapshot = work.snapshots.get(str(event.payload["snapshot_id"]))
            service = work.services.get(str(event.payload["service"]))
            if service.lifecycle is None:
                return work.commit(Started(run_id=None, reason="the service has no life cycle"))
            definition = self._startable(work, service, event)
            if definition is None:
                return work.commit(_no_definition(work, service, event))
            signals = self._library.process(work, definition.id).start_signals
            heading, begin = planned(
                work,
                definition,
                Subject(snapshot=snapshot, service=service),
                actor=snapshot.taken_by,
                event=signals[event.type.value],
            )
            self._moving.begin(work, heading, begin)
            return work.commit(Started(run_id=heading.run_id))

    @staticmethod
    def _startable(work: UnitOfWork, service: Service, event: Event) -> Definition | None:
        found = latest_active(
            work,
            key=service.lifecycle or "",
            kind=DefinitionKind.BPMN,
            group=service.group,
        )
        return found if found and event.type.value in found.start_signals else None


def _no_definition(work: UnitOfWork, service: Service, event: Event) -> Started:
    """Say it where people look: nothing will start by itself any more for this snapshot."""
    snapshot = event.payload.get("snapshot")
    reason = (
        f"No active life cycle {service.lifecycle!r} that starts by {event.type.value} is there for the service "
        f"{service.tag}. Upload one, then start it: `pilothouse runs start {service.lifecycle} --snapshot "
        f"{snapshot} --service {service.tag}`."
    )
    work.audit.record(
        "start-failed",
        noun="service",
        subject=service.tag,
        group=service.group,
        detail={"snapshot": snapshot, "reason": reason},
    )
    log.error("%s", reason)
    return Started(run_id=None, reason=reason)
