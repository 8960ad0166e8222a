"""Runs: start, look at, cancel, and help on when they are stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.finding import service_tagged, snapshot_named
from pilothouse.bpmn.happenings import Cancelled, IncidentRetried
from pilothouse.domain.access import Action
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.lifecycles import DefinitionKind, DefinitionState
from pilothouse.domain.pages import Page
from pilothouse.lifecycle.definitions import definition_named
from pilothouse.lifecycle.errors import RunStartError
from pilothouse.lifecycle.lookup import latest_active
from pilothouse.lifecycle.moving import persistent
from pilothouse.lifecycle.orders import Orders, RunOrder, audited, seen_run
from pilothouse.lifecycle.subjects import Subject, check_not_reserved, group_of, planned
from pilothouse.lifecycle.views import run_summary, run_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.bpmn.history import HistoryEntry
    from pilothouse.bpmn.state import Incident
    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import Definition
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.requests import RetryIncident, StartRun
    from pilothouse.wire.runs import RunSummary, RunView


class Runs:
    """Start and look after runs."""

    def __init__(self, *, open_work: OpenWork, moving: Moving) -> None:
        self._open_work = open_work
        self._moving = moving
        self._orders = Orders(open_work=open_work, moving=moving)

    def start(self, who: Principal, wanted: StartRun) -> RunView:
        """
        Start a life cycle by hand, for a snapshot and a service where they are named.

        Raises
        ------
        RunStartError
            When the definition is no process, retired, or another group's.
        AlreadyExistsError
            When a run of it is under way for the same snapshot and service.
        VariableReservedError
            When a variable is given that the platform sets.
        """
        check_not_reserved(wanted.variables)
        return persistent(lambda: self._started(who, wanted))

    def _started(self, who: Principal, wanted: StartRun) -> RunView:
        with self._open_work(who) as work:
            subject = Subject(
                snapshot=snapshot_named(work, wanted.snapshot) if wanted.snapshot else None,
                service=service_tagged(work, wanted.service) if wanted.service else None,
            )
            definition = _startable(work, wanted.definition, group=subject.group)
            who.require(Action.START_RUN, group=group_of(definition, subject))
            heading, begin = planned(
                work, definition, subject, actor=who.person_id, variables=wanted.variables
            )
            state = self._moving.begin(work, heading, begin)
            audited(work, "start", heading, definition=definition.full_name)
            return work.commit(run_view(work, state))

    def get(self, who: Principal, *, run_id: str) -> RunView:
        """Give a run with its tokens, incidents, open tasks and variables."""
        with self._open_work.reading(who) as work:
            seen_run(work, run_id)
            return run_view(work, work.runs.load(run_id))

    def page(
        self,
        who: Principal,
        *,
        service: str | None = None,
        snapshot: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[RunSummary]:
        """List runs, newest first."""
        equals = {k: v for k, v in (("service", service), ("snapshot", snapshot)) if v is not None}
        with self._open_work.reading(who) as work:
            page = work.headings.page(
                groups=who.readable, after=after, limit=limit, newest_first=True, **equals
            )
            found = tuple(run_summary(h, work.runs.load(h.run_id)) for h in page.items)
        return Page(items=found, next=page.next)

    def history(
        self, who: Principal, *, run_id: str, after: int = 0, limit: int = 500
    ) -> Sequence[HistoryEntry]:
        """Give what happened in a run after a sequence number, oldest first."""
        with self._open_work.reading(who) as work:
            seen_run(work, run_id)
            return work.runs.history(run_id, after=after, limit=limit)

    def incidents(self, who: Principal) -> tuple[Incident, ...]:
        """Give all that waits for help, oldest first."""
        with self._open_work.reading(who) as work:
            return work.runs.incidents(groups=who.readable)

    def cancel(self, who: Principal, *, run_id: str, reason: str) -> RunView:
        """
        End a run where it stands; what it has deployed stays as it is.

        Raises
        ------
        AlreadyOverError
            When it has ended.
        """
        cancelled = Cancelled(actor=who.person_id, reason=reason)
        order = RunOrder(
            run_id=run_id, happening=cancelled, action="cancel", detail={"reason": reason}
        )
        return self._orders.give(who, order)

    def retry(self, who: Principal, *, incident_id: str, wanted: RetryIncident) -> RunView:
        """
        Try again what an incident holds up, with process variables changed where given.

        Raises
        ------
        VariableReservedError
            When a variable is given that the platform sets.
        """
        check_not_reserved(wanted.variables)
        with self._open_work.reading(who) as work:
            found = [i for i in work.runs.incidents(groups=who.readable) if i.id == incident_id]
        if not found:
            cure = "List what waits for help with `pilothouse incidents list`."
            raise NotFoundError(noun="incident", name=incident_id, cure=cure)
        retried = IncidentRetried(
            incident_id=incident_id,
            actor=who.person_id,
            retries=wanted.retries,
            variables=wanted.variables,
        )
        order = RunOrder(
            run_id=found[0].run_id,
            happening=retried,
            action="retry",
            detail={"incident": found[0].code, "variables": sorted(wanted.variables)},
        )
        return self._orders.give(who, order)


def _startable(work: UnitOfWork, name: str, *, group: GroupName | None) -> Definition:
    """Find what a name means: of a bare key what the run's group uses now, whoever else uploads under that key."""
    own = group and latest_active(work, key=name, kind=DefinitionKind.BPMN, group=group)
    found = own or definition_named(work, name)
    if found.kind is not DefinitionKind.BPMN:
        raise RunStartError(
            definition=found.full_name, problem="it is a decision table, not a process"
        )
    if found.state is not DefinitionState.ACTIVE:
        raise RunStartError(definition=found.full_name, problem="this version is retired")
    return found
