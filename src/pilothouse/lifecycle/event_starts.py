"""Runs that events start: which life cycles an event means, and what their runs are about."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.application.finding import service_tagged, snapshot_named
from pilothouse.bpmn.definition import Condition
from pilothouse.bpmn.errors import ExpressionFailedError, VariableInvalidError
from pilothouse.bpmn.expressions import holds
from pilothouse.domain.access import Action, KeyedCall
from pilothouse.domain.errors import (
    AlreadyExistsError,
    NotFoundError,
    PilothouseError,
)
from pilothouse.domain.events import EventType
from pilothouse.domain.ids import GroupName
from pilothouse.domain.lifecycles import DefinitionKind, StartKind
from pilothouse.domain.plain import digest
from pilothouse.lifecycle.chains import PARENTS, chain
from pilothouse.lifecycle.errors import RunsNestedError, RunStartError, VariableReservedError
from pilothouse.lifecycle.lookup import latest_active
from pilothouse.lifecycle.moving import persistent
from pilothouse.lifecycle.subjects import RESERVED, Subject, planned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.application.calls import Calls
    from pilothouse.domain.access import Principal
    from pilothouse.domain.lifecycles import Definition, RunHeading, StartEvent
    from pilothouse.lifecycle.library import Library
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.requests import EvaluateConditions

RUN = "run "
"""How the cause of what a run has done begins, before its id."""
REFUSALS = (
    AlreadyExistsError,
    NotFoundError,
    RunStartError,
    RunsNestedError,
    VariableReservedError,
    VariableInvalidError,
    ExpressionFailedError,
)
"""Why an event starts no run, however often it comes."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """
    What starts runs: a message, a signal, or variables that conditions are evaluated over.

    ``cause`` names what made it happen; where that is a run, it is the parent of those that start.
    """

    group: GroupName
    name: str
    variables: Mapping[str, object]
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What an event began: the run, or the reason why there is none."""

    run_id: str | None
    reason: str = ""


class EventStarts:
    """Starts the life cycles whose start events fit what happens."""

    def __init__(
        self, *, open_work: OpenWork, calls: Calls, moving: Moving, library: Library
    ) -> None:
        self._open_work = open_work
        self._calls = calls
        self._moving = moving
        self._library = library

    def by_message(self, work: UnitOfWork, occasion: Occasion) -> str | None:
        """
        Begin a run of each life cycle of the group that starts by a message, in the sender's unit; give the first.

        Raises
        ------
        NotFoundError, RunStartError, VariableReservedError
            When what the message says its run is about cannot be found, or is another group's.
        AlreadyExistsError
            When a run about the same is under way.
        RunsNestedError
            When the run that sent it is the last of too many.
        """
        begun = [
            self._begin(work, event, occasion)
            for event in armed_for(work, StartKind.MESSAGE, occasion.group, occasion.name)
        ]
        return begun[0].run_id if begun else None

    def by_signal(
        self, who: Principal, occasion: Occasion, *, event_id: str | None = None
    ) -> tuple[str, ...]:
        """
        Begin a run of each life cycle of the group that starts by a signal, each in a unit of its own.

        With the id of an event each is begun once, however often the event comes. A start that is refused is in
        the audit. Snapshots start the life cycle of their service, whoever else sends a signal of that name.
        """
        if occasion.name == EventType.SNAPSHOT_CREATED:
            return ()
        with self._open_work.reading(who) as work:
            events = armed_for(work, StartKind.SIGNAL, occasion.group, occasion.name)
        begun = (self._start(who, e, occasion, event_id=event_id) for e in events)
        return tuple(started.run_id for started in begun if started.run_id is not None)

    def check(self, who: Principal, occasion: Occasion) -> None:
        """
        Refuse a signal that could start nothing, before anybody is told of it.

        Raises
        ------
        NotFoundError, RunStartError, VariableReservedError
            As by `by_message`; nothing where no life cycle starts by it.
        """
        with self._open_work.reading(who) as work:
            for event in armed_for(work, StartKind.SIGNAL, occasion.group, occasion.name):
                definition = work.definitions.get(event.definition_id)
                _given(occasion, subject_given(work, definition, occasion))

    def by_conditions(self, who: Principal, wanted: EvaluateConditions) -> tuple[str, ...]:
        """
        Begin a run by each conditional start event whose condition holds of these variables; give the runs.

        Raises
        ------
        ExpressionFailedError
            When a condition gives neither true, false nor null.
        NotFoundError, RunStartError, VariableReservedError, AlreadyExistsError
            As by `by_message`; no run has begun then.
        """
        group = GroupName(wanted.group)
        who.require(Action.START_RUN, group=group)
        occasion = Occasion(group=group, name="", variables=wanted.variables)
        return persistent(lambda: self._evaluated(who, occasion))

    def _evaluated(self, who: Principal, occasion: Occasion) -> tuple[str, ...]:
        with self._open_work(who) as work:
            work.groups.get(occasion.group)
            begun = [
                self._begin(work, event, occasion).run_id
                for event in armed_for(work, StartKind.CONDITION, occasion.group)
                if self._holds(work, event, occasion)
            ]
            return work.commit(tuple(begun))

    def _holds(self, work: UnitOfWork, event: StartEvent, occasion: Occasion) -> bool:
        process = self._library.process(work, event.definition_id)
        trigger = next(s.trigger for s in process.starts if s.id == event.element)
        return isinstance(trigger, Condition) and holds(trigger.value, occasion.variables)

    def _start(
        self, who: Principal, event: StartEvent, occasion: Occasion, *, event_id: str | None
    ) -> Started:
        acting = who
        if event_id is not None:
            key = f"start/{event_id}/{event.definition_id}/{event.name}"
            acting = replace(who, call=KeyedCall(key=key, request=digest(occasion.variables)))
        try:
            return persistent(
                lambda: self._calls.once(
                    acting, Started, lambda: self._started(acting, event, occasion)
                )
            )
        except REFUSALS as problem:
            return refused(self._open_work, who, event, problem)

    def _started(self, who: Principal, event: StartEvent, occasion: Occasion) -> Started:
        with self._open_work(who) as work:
            heading = self._begin(work, event, occasion)
            return work.commit(Started(run_id=heading.run_id))

    def _begin(self, work: UnitOfWork, event: StartEvent, occasion: Occasion) -> RunHeading:
        definition = work.definitions.get(event.definition_id)
        subject = subject_given(work, definition, occasion)
        variables = _given(occasion, subject)
        if occasion.cause.startswith(RUN):
            variables[PARENTS] = chain(work, occasion.cause.removeprefix(RUN))
        heading, begin = planned(
            work,
            definition,
            subject,
            actor=work.who.person_id,
            event=self._element(work, event),
            variables=variables,
        )
        self._moving.begin(work, heading, begin)
        return heading

    def _element(self, work: UnitOfWork, event: StartEvent) -> str:
        """Give the start event; what was armed by a migration knows only the name of its signal."""
        process = self._library.process(work, event.definition_id)
        return event.element or process.start_signals[event.name]


def armed_for(
    work: UnitOfWork, kind: StartKind, group: GroupName, name: str | None = None
) -> tuple[StartEvent, ...]:
    """Give the start events of the versions that a group uses: its own, or else everybody's of the key."""
    found = work.start_events.waiting(kind, group=group, name=name)
    return tuple(event for event in found if uses(work, group, event))


def uses(work: UnitOfWork, group: GroupName, event: StartEvent) -> bool:
    """Whether a group uses the version that a start event is of."""
    used = latest_active(work, key=event.key, kind=DefinitionKind.BPMN, group=group)
    return used is not None and used.id == event.definition_id


def subject_given(work: UnitOfWork, definition: Definition, occasion: Occasion) -> Subject:
    """
    Find the snapshot and the service that variables name, among what the sender sees and the group has.

    A run may read the group of its snapshot, so one of another group has to be tagged with the service.
    """
    named = occasion.variables.get("snapshot_id") or occasion.variables.get("snapshot")
    tag = occasion.variables.get("service")
    subject = Subject(
        snapshot=snapshot_named(work, named) if isinstance(named, str) and named else None,
        service=service_tagged(work, tag) if isinstance(tag, str) and tag else None,
        of_group=occasion.group,
    )
    if subject.group != occasion.group:
        problem = f"what it would be about is of the group {subject.group}, not {occasion.group}"
        raise RunStartError(definition=definition.full_name, problem=problem)
    if not _is_ours(work, subject, occasion.group):
        problem = "its snapshot is another group's and is not tagged with its service"
        raise RunStartError(definition=definition.full_name, problem=problem)
    return subject


def _is_ours(work: UnitOfWork, subject: Subject, group: GroupName) -> bool:
    snapshot, service = subject.snapshot, subject.service
    if snapshot is None or snapshot.group == group or service is None:
        return True
    tags = work.assignments.all(snapshot_id=snapshot.id, service=service.tag)
    return any(tag.ended_at is None for tag in tags)


def _given(occasion: Occasion, subject: Subject) -> dict[str, object]:
    """Give the variables that a run begins with, without those that say what it is about."""
    own = {**subject.variables, "group": occasion.group}
    addresses = {"snapshot", "snapshot_id"} if subject.snapshot is not None else set()
    names = RESERVED.intersection(occasion.variables) - addresses
    wrong = tuple(sorted(n for n in names if occasion.variables[n] != own.get(n)))
    if wrong:
        raise VariableReservedError(names=wrong)
    return {n: v for n, v in occasion.variables.items() if n not in RESERVED and n != PARENTS}


def refused(
    open_work: OpenWork, who: Principal, event: StartEvent, problem: PilothouseError
) -> Started:
    """Say in the audit why an event starts no run."""
    detail = {"start_event": event.element or event.name, "reason": problem.message}
    with open_work(replace(who, call=None)) as work:
        definition = work.definitions.get(event.definition_id)
        detail["name"] = definition.full_name
        work.audit.record(
            "start-failed",
            noun="lifecycle",
            subject=definition.id,
            group=definition.group,
            detail=detail,
        )
        work.commit(None)
    log.error("%s is not started: %s", detail["name"], problem.message)
    return Started(run_id=None, reason=problem.message)
