"""Services, and the question of where their versions run, now or at any past moment."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from pilothouse.application.finding import dataset_named, model_named, sees, service_tagged
from pilothouse.domain.access import Action
from pilothouse.domain.deployments import Deployment
from pilothouse.domain.ids import GroupName, ServiceTag
from pilothouse.domain.plain import from_plain, to_plain
from pilothouse.domain.prediction_logs import SensitiveLogging
from pilothouse.domain.routes import Route
from pilothouse.domain.runtimes import Runtime
from pilothouse.domain.services import Service
from pilothouse.domain.snapshots import ServiceAssignment
from pilothouse.domain.whereabouts import Whereabouts, whereabouts

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.domain.access import Principal
    from pilothouse.domain.events import Change
    from pilothouse.domain.pages import Page
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.requests import DefineService, SetLog


class Services:
    """Define services and say where they run."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def define(self, who: Principal, wanted: DefineService) -> Service:
        """Define a business use by its tag."""
        who.require(Action.MANAGE_SERVICE, group=GroupName(wanted.group))
        with self._open_work(who) as work:
            work.groups.get(wanted.group)
            if wanted.test_dataset is not None:
                dataset_named(work, wanted.test_dataset)
            service = work.services.add(
                Service(
                    tag=ServiceTag(wanted.tag),
                    group=GroupName(wanted.group),
                    title=wanted.title or wanted.tag,
                    mode=wanted.mode,
                    lifecycle=wanted.lifecycle,
                    test_dataset=wanted.test_dataset,
                    owner=who.person_id,
                    created_at=work.at,
                )
            )
            work.audit.record(
                "define",
                noun="service",
                subject=service.tag,
                group=service.group,
                detail={"mode": wanted.mode, "lifecycle": wanted.lifecycle},
            )
            return work.commit(service)

    def set_log(self, who: Principal, *, tag: str, wanted: SetLog) -> Service:
        """
        Change what the prediction log keeps of a service; what is None stays.

        Raises
        ------
        ActionDeniedError
            When the caller does not manage the service; for hashes of sensitive values, the group.
        DocumentError
            When a share or a number of days is out of range.
        """
        with self._open_work(who) as work:
            service = service_tagged(work, tag)
            reveals = wanted.sensitive is SensitiveLogging.HASH
            who.require(
                Action.ADMINISTER if reveals else Action.MANAGE_SERVICE, group=service.group
            )
            changes: dict[str, Any] = {
                field.name: value
                for field in fields(wanted)
                if (value := getattr(wanted, field.name)) is not None
            }
            changed = work.services.save(replace(service, log=replace(service.log, **changes)))
            work.audit.record(
                "set-log",
                noun="service",
                subject=tag,
                group=service.group,
                detail=to_plain(changed.log),
            )
            return work.commit(changed)

    def get(self, who: Principal, *, tag: str) -> Service:
        """Give one service."""
        with self._open_work.reading(who) as work:
            return service_tagged(work, tag)

    def page(self, who: Principal, *, after: str | None = None, limit: int = 50) -> Page[Service]:
        """List the services that the caller sees."""
        with self._open_work.reading(who) as work:
            return work.services.page(groups=who.readable, after=after, limit=limit)

    def where(
        self, who: Principal, *, tag: str, at: datetime | None = None
    ) -> tuple[Whereabouts, ...]:
        """Say where every version of a service runs, in which mode and with what share, at a moment (now)."""
        with self._open_work.reading(who) as work:
            service = service_tagged(work, tag)
            moment = work.at if at is None else at
            return _where(work, service.tag, moment)

    def where_model(self, who: Principal, *, model: str) -> tuple[Whereabouts, ...]:
        """Say where every snapshot of a model runs now, over all services that it is tagged with."""
        with self._open_work.reading(who) as work:
            found = model_named(work, model)
            snapshots = {s.id: s.name for s in work.snapshots.all(model_id=found.id)}
            tagged = work.assignments.all(snapshot_id=frozenset(snapshots))
            tags = sorted({a.service for a in tagged if sees(who, a.group)})
            rows = (row for tag in tags for row in _where(work, tag, work.at))
            return tuple(row for row in rows if row.snapshot in set(snapshots.values()))


def _values(work: UnitOfWork, noun: str, at: datetime, key: str | None) -> tuple[Change, ...]:
    return work.history.at(noun, at=at, key=key)


def _where(work: UnitOfWork, tag: ServiceTag, at: datetime) -> tuple[Whereabouts, ...]:
    assignments = tuple(
        from_plain(ServiceAssignment, c.value) for c in _values(work, "assignment", at, tag)
    )
    routes = tuple(from_plain(Route, c.value) for c in _values(work, "route", at, tag))
    runtimes = tuple(from_plain(Runtime, c.value) for c in _values(work, "runtime", at, None))
    named = work.snapshots.all(id=frozenset(a.snapshot_id for a in assignments))
    rows = whereabouts(
        service=tag,
        assignments=assignments,
        deployments=(from_plain(Deployment, c.value) for c in _values(work, "deployment", at, tag)),
        routes={r.stage: r for r in routes},
        runtimes={r.id: r for r in runtimes},
        names={s.id: (s.name, s.digest) for s in named},
    )
    position = {s.name: s.position for s in work.stages.all()}
    return tuple(
        sorted(rows, key=lambda r: (position.get(r.stage, -1) if r.stage else -1, r.snapshot))
    )
