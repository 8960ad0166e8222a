"""Migrations: runs carried over to another version of their life cycle, one by one, each in a unit of its own."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.application.finding import sees
from pilothouse.bpmn.errors import MigrationRefusedError
from pilothouse.bpmn.migrating import Migrated, migrate
from pilothouse.bpmn.pairing import Proposal, propose
from pilothouse.domain.access import EVERY_GROUP
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.lifecycles import DefinitionKind, DefinitionState
from pilothouse.lifecycle.definitions import definition_named
from pilothouse.lifecycle.errors import MigrationTargetError
from pilothouse.lifecycle.moving import persistent
from pilothouse.lifecycle.orders import audited, loaded, operated_run, previewed
from pilothouse.lifecycle.views import run_view
from pilothouse.wire.operations import MigrateRun, MigrationOutcome, MigrationPage

if TYPE_CHECKING:
    from pilothouse.bpmn.state import Changes, RunState
    from pilothouse.domain.access import Principal
    from pilothouse.domain.lifecycles import Definition, RunHeading
    from pilothouse.lifecycle.library import Library
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.operations import MigrateRuns, RunPreview
    from pilothouse.wire.runs import RunView

MOST = 500
log = logging.getLogger(__name__)


class Migrations:
    """Carry runs over to other versions of their life cycle."""

    def __init__(self, *, open_work: OpenWork, moving: Moving, library: Library) -> None:
        self._open_work, self._moving, self._library = open_work, moving, library

    def propose(self, who: Principal, *, old: str, new: str) -> Proposal:
        """
        Say how the elements of two versions belong together.

        Raises
        ------
        MigrationTargetError
            When they are not active processes of one key.
        """
        with self._open_work.reading(who) as work:
            source, target = definition_named(work, old), definition_named(work, new)
            _check_target(source, target)
            processes = (self._library.process(work, d.id) for d in (source, target))
            return propose(*processes)

    def migrate(self, who: Principal, *, run_id: str, wanted: MigrateRun) -> RunView:
        """
        Carry one run over.

        Raises
        ------
        MigrationTargetError
            When the version is not an active one of the run's key, for its group.
        MigrationRefusedError
            When something that stands in the run has no place there; all reasons are given.
        """

        def act() -> RunView:
            with self._open_work(who) as work:
                return work.commit(run_view(work, self._carried(work, run_id, wanted)))

        return persistent(act)

    def preview(self, who: Principal, *, run_id: str, wanted: MigrateRun) -> RunPreview:
        """Say what a migration would do to a run; what it would refuse is refused, and nothing is changed."""
        with self._open_work.reading(who) as work:
            state, _, changes = self._stepped(work, run_id, wanted)
            return previewed(state, changes)

    def migrate_all(self, who: Principal, *, name: str, wanted: MigrateRuns) -> MigrationPage:
        """
        Carry over the runs of a version that have not ended, a page of them; one that cannot keeps none of the others.

        What is done is done: called again, after whatever, it goes on with those that are still of the old version.

        Raises
        ------
        MigrationTargetError
            When the new version is not an active one of the same key.
        """
        limit = min(max(wanted.limit, 1), MOST)
        with self._open_work.reading(who) as work:
            old = definition_named(work, name)
            _check_target(old, definition_named(work, wanted.to))
            ids = work.runs.under_way(old.id, after=wanted.after, limit=limit)
            headings = {h.run_id: h for h in (work.headings.all(run_id=ids) if ids else ())}
        # Those that the caller sees and may not operate get the refusal as their outcome.
        seen = [i for i in ids if sees(who, headings[i].group)]
        outcomes = tuple(self._outcome(who, run_id, wanted) for run_id in seen)
        return MigrationPage(items=outcomes, next=ids[-1] if len(ids) == limit else None)

    def _outcome(self, who: Principal, run_id: str, wanted: MigrateRuns) -> MigrationOutcome:
        one = MigrateRun(to=wanted.to, reason=wanted.reason, pairs=wanted.pairs)
        try:
            if wanted.dry:
                self.preview(who, run_id=run_id, wanted=one)
            else:
                self.migrate(replace(who, call=None), run_id=run_id, wanted=one)
        except MigrationRefusedError as error:
            return MigrationOutcome(
                run_id=run_id,
                migrated=False,
                code=error.code,
                problem=error.message,
                obstacles=error.obstacles,
            )
        except PilothouseError as error:
            log.warning("run %s is not carried over to %s: %s", run_id, wanted.to, error)
            return MigrationOutcome(
                run_id=run_id, migrated=False, code=error.code, problem=error.message
            )
        return MigrationOutcome(run_id=run_id, migrated=not wanted.dry)

    def _carried(self, work: UnitOfWork, run_id: str, wanted: MigrateRun) -> RunState:
        state, heading, changes = self._stepped(work, run_id, wanted)
        moved = self._moving.carry(work, state, heading, changes)
        detail = {"reason": wanted.reason, "pairs": dict(wanted.pairs)}
        audited(work, "migrate", heading, to=heading.definition, **detail)
        return moved

    def _stepped(
        self, work: UnitOfWork, run_id: str, wanted: MigrateRun
    ) -> tuple[RunState, RunHeading, Changes]:
        heading = operated_run(work, run_id)
        state = loaded(work, run_id, revision=wanted.revision)
        old = work.definitions.get(state.run.definition_id)
        new = definition_named(work, wanted.to)
        _check_target(old, new, group=heading.group)
        order = Migrated(
            actor=work.who.person_id,
            definition_id=new.id,
            name=new.full_name,
            reason=wanted.reason,
            pairs=wanted.pairs,
        )
        versions = (self._library.process(work, old.id), self._library.process(work, new.id))
        changes = migrate(versions, state, order, at=work.at, ids=work.new_id)
        renamed = replace(heading, definition_id=new.id, definition=new.full_name)
        return state, renamed, changes


def _check_target(old: Definition, new: Definition, *, group: str | None = None) -> None:
    """Refuse a version that the runs of another one cannot follow."""
    if new.kind is not DefinitionKind.BPMN or new.key != old.key:
        problem = f"its runs would be of another life cycle than {old.key}"
    elif new.id == old.id:
        problem = "they follow it already"
    elif new.state is not DefinitionState.ACTIVE:
        problem = "it is retired"
    elif group is not None and new.group not in (group, EVERY_GROUP):
        problem = f"it belongs to the group {new.group}, the run to {group}"
    else:
        return
    raise MigrationTargetError(definition=new.full_name, problem=problem)
