"""People and the roles they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.application.finding import visible
from pilothouse.domain.access import EVERY_GROUP, Action, Grant, LastAdministratorError, Role
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.ids import GroupName, PersonId, StageName
from pilothouse.domain.people import Person

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork


def person_named(work: UnitOfWork, name: str) -> Person:
    """Find a person by name or id."""
    found = work.people.find(id=name) if name.startswith("per_") else work.people.find(name=name)
    if found is None:
        raise NotFoundError(
            noun="person", name=name, cure="List them with `pilothouse people list`."
        )
    return found


class People:
    """Enter people, and give and end their roles."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def create(
        self, who: Principal, *, name: str, title: str = "", machine: bool = False
    ) -> Person:
        """Enter somebody who may hold roles and tokens."""
        who.require(Action.ADMINISTER, group=EVERY_GROUP)
        with self._open_work(who) as work:
            person = work.people.add(
                Person(
                    id=PersonId(work.new_id("per")),
                    name=name,
                    title=title or name,
                    machine=machine,
                    created_at=work.at,
                )
            )
            work.audit.record(
                "create", noun="person", subject=person.id, group=EVERY_GROUP, detail={"name": name}
            )
            return work.commit(person)

    def page(self, who: Principal, *, after: str | None = None, limit: int = 50) -> Page[Person]:
        """List people."""
        with self._open_work.reading(who) as work:
            return work.people.page(after=after, limit=limit)

    def grants(self, who: Principal, *, person: str) -> tuple[Grant, ...]:
        """List the roles that somebody holds now, in the groups that the caller sees."""
        with self._open_work.reading(who) as work:
            found = person_named(work, person)
            held = work.grants.all(person_id=found.id, ended_at=None)
        own = found.id == who.person_id
        return tuple(g for g in held if own or visible(who, g.group))

    def grant(
        self, who: Principal, *, person: str, group: str, role: Role, stage: str | None = None
    ) -> Grant:
        """Give somebody a role in a group (``*`` for every group), in one stage or in all."""
        who.require(Action.ADMINISTER, group=GroupName(group))
        with self._open_work(who) as work:
            found = person_named(work, person)
            if group != EVERY_GROUP:
                work.groups.get(group)
            if stage is not None:
                work.stages.get(stage)
            same = work.grants.find(
                person_id=found.id, group=group, role=role, stage=stage, ended_at=None
            )
            if same is not None:
                return work.commit(same)
            grant = work.grants.add(
                Grant(
                    id=work.new_id("grt"),
                    person_id=found.id,
                    group=GroupName(group),
                    role=role,
                    stage=StageName(stage) if stage else None,
                    granted_at=work.at,
                    granted_by=who.person_id,
                )
            )
            work.audit.record(
                "grant",
                noun="person",
                subject=found.id,
                group=grant.group,
                detail={"role": role, "stage": stage},
            )
            return work.commit(grant)

    def end_grant(self, who: Principal, *, grant_id: str) -> Grant:
        """Take a role away; ending an ended one changes nothing."""
        with self._open_work(who) as work:
            grant = work.grants.find(id=grant_id)
            if grant is None or not visible(who, grant.group):
                raise NotFoundError(
                    noun="grant",
                    name=grant_id,
                    cure="List them with `pilothouse people roles NAME`.",
                )
            who.require(Action.ADMINISTER, group=grant.group)
            if grant.ended_at is not None:
                return work.commit(grant)
            _keep_an_administrator(work, grant)
            ended = work.grants.save(replace(grant, ended_at=work.at))
            work.audit.record(
                "end-grant",
                noun="person",
                subject=grant.person_id,
                group=grant.group,
                detail={"role": grant.role, "stage": grant.stage},
            )
            return work.commit(ended)


def _keep_an_administrator(work: UnitOfWork, grant: Grant) -> None:
    """Refuse to end the last role that administers every group in every stage, the platform's own aside."""
    everywhere = {"role": Role.ADMINISTRATOR, "group": EVERY_GROUP, "stage": None, "ended_at": None}
    others = [
        g
        for g in work.grants.all(**everywhere)
        if g.id != grant.id and not work.people.get(g.person_id).machine
    ]
    last = grant.role is Role.ADMINISTRATOR and grant.group == EVERY_GROUP and grant.stage is None
    if last and not others:
        raise LastAdministratorError(person=grant.person_id)
