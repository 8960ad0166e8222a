"""Ticket: open one in a company's own system, comment on it, and wait until people there have moved it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from pilothouse.domain.outgoing import HostUnreachableError
from pilothouse.lifecycle.errors import TaskInputError
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, REJECTED, System, Topic
from pilothouse.lifecycle.tasks.contract import (
    BusinessError,
    Done,
    Facilities,
    Later,
    Outcome,
    TaskContext,
    TaskType,
    pause_s,
)
from pilothouse.lifecycle.tasks.reaching import Reach
from pilothouse.lifecycle.tasks.ticket_systems import NewTicket, Ticket, ticket_system

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.access import Principal

LONGEST_PAUSE_S = 300.0
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\Z")
"""What ids and projects look like; they become parts of addresses and queries."""
log = logging.getLogger(__name__)


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``ticket``."""

    def handle(context: TaskContext) -> Outcome:
        return _Ticketing(facilities, context).outcome()

    return TaskType(topic=Topic.TICKET, parameters=PARAMETERS[Topic.TICKET], handle=handle)


class _Ticketing:
    """One delivery: make sure of the ticket, then of the comment, then look how the ticket stands."""

    def __init__(self, facilities: Facilities, context: TaskContext) -> None:
        self._context, self._reach = context, Reach(facilities, context)
        self._mark = f"pilothouse-{context.job.id}"
        self._system = ticket_system(
            System(context.needed("system")),
            self._reach,
            url=context.needed("url"),
            project=self._name("project"),
        )

    def outcome(self) -> Outcome:
        identity = self._name("ticket") or self._made()
        if self._context.text("comment"):
            # Its mark tells other words from these: corrected ones are another comment.
            mark = f"pilothouse-{self._reach.key('comment')}".replace("/", "-")
            self._context.once("comment", str, lambda who: self._comment(who, identity, mark))
        if self._context.text("until") is None:
            return _done(self._system.current(identity))
        try:
            return self._judged(self._system.current(identity))
        except HostUnreachableError as problem:
            # A wait of days ends for no hour in which the other system is away.
            log.warning("job %s waits for ticket %s: %s", self._context.job.id, identity, problem)
            return self._later()

    def _judged(self, ticket: Ticket) -> Outcome:
        if ticket.state in self._states("until"):
            return _done(ticket)
        if ticket.state in self._states("unless"):
            message = f"Ticket {ticket.name} is {ticket.state} ({ticket.url})."
            return BusinessError(
                code=REJECTED, message=message, variables={"ticket": _shown(ticket)}
            )
        return self._later()

    def _later(self) -> Later:
        return Later(after_s=pause_s(self._context, longest_s=LONGEST_PAUSE_S))

    def _made(self) -> str:
        """Give the id of the job's ticket, which is found by its mark where an earlier delivery has made it."""
        return self._context.once("create", Ticket, self._create).id

    def _create(self, who: Principal) -> Ticket:
        ticket = self._system.found(self._mark)
        if ticket is None:
            ticket = self._system.create(self._wanted(), mark=self._mark)
        return self._reach.kept(who, "open-ticket", ticket, ticket=ticket.name, url=ticket.url)

    def _wanted(self) -> NewTicket:
        context = self._context
        subject, fields = context.text("subject"), context.job.inputs.get("fields")
        if subject is None:
            problem = "is missing, and no ticket is named that is there already"
            raise TaskInputError(topic=Topic.TICKET, parameter="subject", problem=problem)
        return NewTicket(
            subject=subject,
            text=context.text("text") or "",
            kind=context.text("kind"),
            fields=fields if isinstance(fields, dict) else {},
        )

    def _name(self, parameter: str) -> str | None:
        given = self._context.text(parameter)
        if given is not None and not NAME.match(given):
            problem = f"is {given!r}; it is made of letters, digits, '.', '_' and '-'"
            raise TaskInputError(topic=Topic.TICKET, parameter=parameter, problem=problem)
        return given

    def _comment(self, who: Principal, identity: str, mark: str) -> str:
        if not self._system.has_comment(identity, mark=mark):
            self._system.add_comment(identity, self._context.needed("comment"), mark=mark)
        return self._reach.kept(who, "comment-ticket", identity, ticket=identity)

    def _states(self, name: str) -> frozenset[str]:
        """Read states apart by commas."""
        given = (self._context.text(name) or "").split(",")
        return frozenset(state.strip() for state in given if state.strip())


def _done(ticket: Ticket) -> Done:
    return Done(variables={"ticket": _shown(ticket)})


def _shown(ticket: Ticket) -> Mapping[str, object]:
    return {"id": ticket.id, "name": ticket.name, "url": ticket.url, "state": ticket.state}
