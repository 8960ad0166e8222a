"""Messages and signals from outside, on their way to the runs that wait for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.errors import AlreadyOverError, ExpressionFailedError
from pilothouse.bpmn.happenings import SignalArrived
from pilothouse.domain.access import Action, KeyedCall
from pilothouse.domain.events import EventType, Message
from pilothouse.domain.ids import GroupName
from pilothouse.domain.plain import digest
from pilothouse.lifecycle.event_starts import REFUSALS, Occasion
from pilothouse.lifecycle.moving import persistent
from pilothouse.wire.requests import PublishMessage
from pilothouse.wire.runs import MessageReceipt

if TYPE_CHECKING:
    from pilothouse.bpmn.state import Subscription
    from pilothouse.domain.access import Principal
    from pilothouse.domain.errors import PilothouseError
    from pilothouse.domain.events import Event
    from pilothouse.lifecycle.event_starts import EventStarts
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork

log = logging.getLogger(__name__)


class Messages:
    """Publish messages and signals."""

    def __init__(self, *, open_work: OpenWork, moving: Moving, starts: EventStarts) -> None:
        self._open_work = open_work
        self._moving = moving
        self._starts = starts

    def publish(self, who: Principal, wanted: PublishMessage) -> MessageReceipt:
        """
        Give a message to the run that has waited longest for its name and key.

        Where none waits it begins a run of each life cycle of the group that starts by it, or else is kept for a
        run to come. A message of an id that was seen before changes nothing.

        Raises
        ------
        NotFoundError, RunStartError, VariableReservedError, AlreadyExistsError
            When it would begin a run that cannot begin; the message is not kept then.
        ExpressionFailedError
            When the waiting event cannot map what the message brings; the message is not kept then.
        """
        who.require(Action.OPERATE_RUN, group=GroupName(wanted.group))
        return persistent(lambda: self._published(who, wanted, ordered=True))

    def _published(
        self, who: Principal, wanted: PublishMessage, *, ordered: bool
    ) -> MessageReceipt:
        """Publish; what somebody has `ordered` is in the audit, what a run has thrown in its history alone."""
        with self._open_work(who) as work:
            work.groups.get(wanted.group)
            message = Message(
                id=wanted.id,
                group=GroupName(wanted.group),
                name=wanted.name,
                correlation_key=wanted.correlation_key,
                payload=wanted.payload,
                received_at=work.at,
                expires_at=work.at + timedelta(seconds=wanted.time_to_live_s),
            )
            new = work.messages.add(message)
            run_id = None
            if new:
                run_id = self._moving.deliver(
                    work,
                    group=wanted.group,
                    name=wanted.name,
                    correlation_key=wanted.correlation_key,
                )
            if new and run_id is None:
                run_id = self._begun(work, message)
            if new and ordered:
                facts = {"correlation_key": wanted.correlation_key, "run": run_id}
                work.audit.record(
                    "publish",
                    noun="message",
                    subject=wanted.id,
                    group=message.group,
                    detail={**facts, **_said(wanted.name, wanted.payload)},
                )
            return work.commit(MessageReceipt(id=wanted.id, run_id=run_id, seen_before=not new))

    def _begun(self, work: UnitOfWork, message: Message) -> str | None:
        occasion = Occasion(
            group=message.group,
            name=message.name,
            variables=message.payload,
            cause=work.who.cause,
        )
        run_id = self._starts.by_message(work, occasion)
        if run_id is not None:
            work.messages.spend(message)
        return run_id

    def signal(
        self,
        who: Principal,
        *,
        group: str,
        name: str,
        variables: Mapping[str, object] | None = None,
    ) -> tuple[str, ...]:
        """
        Give a signal to every run of a group that waits for it now, each in a unit of its own; give the runs.

        Those that it starts are among them: of each life cycle of the group that has a start event for it.

        Raises
        ------
        NotFoundError, RunStartError, VariableReservedError
            When it would start a run about what cannot be found, or is another group's; nobody is told then.
        """
        who.require(Action.OPERATE_RUN, group=GroupName(group))
        occasion = Occasion(group=GroupName(group), name=name, variables=variables or {})
        self._starts.check(who, occasion)
        with self._open_work.reading(who) as work:
            waiting = work.runs.waiting_for_signal(group=group, name=name)
        given = variables or {}
        said = _said(name, given)
        told = [
            s.run_id
            for s in waiting
            if persistent(lambda s=s: self._told(who, s, given, said))  # type: ignore[misc]
        ]
        return tuple(dict.fromkeys((*told, *self._starts.by_signal(who, occasion))))

    def deliver(self, who: Principal, event: Event) -> None:
        """
        Deliver what a run threw, once however often the event comes.

        A message goes the way of every message. A signal reaches what waited for it when it was thrown: of the
        run that threw it, only what waited before that step; then it starts the life cycles that start by it.
        """
        name, variables = str(event.payload["name"]), event.payload["variables"]
        given = variables if isinstance(variables, Mapping) else {}
        if event.type is EventType.SIGNAL_THROWN:
            self._signal_thrown(who, event, name, given)
            occasion = Occasion(group=event.group, name=name, variables=given, cause=who.cause)
            self._starts.by_signal(who, occasion, event_id=event.id)
            return
        wanted = PublishMessage(
            id=event.id,
            group=event.group,
            name=name,
            correlation_key=str(event.payload["correlation_key"]),
            payload=given,
            time_to_live_s=float(str(event.payload["time_to_live_s"])),
        )
        try:
            persistent(lambda: self._published(who, wanted, ordered=False))
        except REFUSALS as error:
            # It would fail again however often it came, and hold up all events behind it.
            self._drop(who, event, "message", error)

    def announce(self, who: Principal, event: Event) -> None:
        """Let an event of the platform be heard as a signal of its name, once however often the event comes."""
        cause = event.payload.get("cause")
        given = {name: value for name, value in event.payload.items() if name != "cause"}
        self._signal_thrown(who, event, event.type, given)
        occasion = Occasion(
            group=event.group, name=event.type, variables=given, cause=str(cause or "")
        )
        self._starts.by_signal(who, occasion, event_id=event.id)

    def _signal_thrown(
        self, who: Principal, event: Event, name: str, given: Mapping[str, object]
    ) -> None:
        with self._open_work.reading(who) as work:
            waiting = work.runs.waiting_for_signal(group=event.group, name=name)
        for subscription in waiting:
            if subscription.created_at > event.at or (
                subscription.created_at == event.at and subscription.run_id == event.subject
            ):
                continue
            call = KeyedCall(key=f"signal/{event.id}/{subscription.id}", request=digest(given))
            keyed = replace(who, call=call)
            try:
                persistent(lambda s=subscription, k=keyed: self._told_once(k, s, given))  # type: ignore[misc]
            except ExpressionFailedError as error:
                self._drop(who, event, "signal", error, run=subscription.run_id)

    def _told_once(
        self, who: Principal, subscription: Subscription, given: Mapping[str, object]
    ) -> bool:
        with self._open_work.reading(who) as work:
            if work.calls.answer(who) is not None:
                return False
        return self._told(who, subscription, given)

    def _drop(
        self, who: Principal, event: Event, noun: str, error: PilothouseError, **detail: str
    ) -> None:
        facts = {"thrown_by": event.subject, "error": error.message, **detail}
        with self._open_work(who) as work:
            work.audit.record("drop", noun=noun, subject=event.id, group=event.group, detail=facts)
            work.commit(None)
        log.error("the %s %s cannot be taken: %s", noun, event.id, error)

    def _told(
        self,
        who: Principal,
        subscription: Subscription,
        given: Mapping[str, object],
        ordered: Mapping[str, object] | None = None,
    ) -> bool:
        """Tell a run; what somebody has `ordered` is in the audit."""
        arrived = SignalArrived(subscription_id=subscription.id, variables=given)
        with self._open_work(who) as work:
            try:
                self._moving.take(work, work.runs.load(subscription.run_id), arrived)
            except AlreadyOverError:
                return False  # it stopped waiting meanwhile, as it may
            if ordered is not None:
                _audit_signal(work, subscription, ordered)
            return work.commit(True)

    def expire(self, who: Principal) -> int:
        """Remove messages that are past their time; give how many of them nobody had taken."""
        with self._open_work(who) as work:
            return work.commit(work.messages.expire())


def _said(name: str, variables: Mapping[str, object]) -> dict[str, object]:
    """Say what was sent: of variables their names and digest, since their values are the run's."""
    return {"name": name, "variables": sorted(variables), "sha256": digest(variables)}


def _audit_signal(
    work: UnitOfWork, subscription: Subscription, ordered: Mapping[str, object]
) -> None:
    heading = work.headings.get(subscription.run_id)
    facts = {"element": subscription.element, "snapshot": heading.snapshot}
    work.audit.record(
        "signal",
        noun="run",
        subject=heading.run_id,
        group=heading.group,
        detail={**facts, "digest": heading.digest, **ordered},
    )
