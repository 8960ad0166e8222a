"""Orders of people to a run: found, allowed, taken under its lock, and audited, in one unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.application.finding import sees
from pilothouse.domain.access import Action
from pilothouse.domain.errors import NotFoundError
from pilothouse.lifecycle.errors import RunMovedOnError
from pilothouse.lifecycle.moving import persistent
from pilothouse.lifecycle.views import run_view, token_views
from pilothouse.wire.operations import RunPreview

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.bpmn.happenings import Happening
    from pilothouse.bpmn.state import Changes, RunState
    from pilothouse.domain.access import Principal
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.runs import RunView

CURE = "List them with `pilothouse runs list`."


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """
    What a person wants to happen to a run.

    Attributes
    ----------
    action
        The word for it in the audit, with `detail` beside it.
    revision
        Of the run as the person saw it, where it must not have moved since.
    """

    run_id: str
    happening: Happening
    action: str
    detail: Mapping[str, object] = field(default_factory=dict)
    revision: int | None = None


class Orders:
    """Give orders to runs."""

    def __init__(self, *, open_work: OpenWork, moving: Moving) -> None:
        self._open_work, self._moving = open_work, moving

    def give(self, who: Principal, order: RunOrder) -> RunView:
        """
        Let a run take an order.

        Raises
        ------
        ActionDeniedError
            When the caller may not operate runs of its group.
        RunMovedOnError
            When it has moved since the caller saw it.
        """

        def act() -> RunView:
            with self._open_work(who) as work:
                heading = operated_run(work, order.run_id)
                state = loaded(work, order.run_id, revision=order.revision)
                moved = self._moving.take(work, state, order.happening)
                audited(work, order.action, heading, **order.detail)
                return work.commit(run_view(work, moved))

        return persistent(act)

    def preview(self, who: Principal, order: RunOrder) -> RunPreview:
        """Say what an order would do; nothing is changed, and the same is refused."""
        with self._open_work.reading(who) as work:
            operated_run(work, order.run_id)
            state = loaded(work, order.run_id, revision=order.revision)
            return previewed(state, self._moving.stepped(work, state, order.happening))


def seen_run(work: UnitOfWork, run_id: str) -> RunHeading:
    """
    Give the heading of a run that the caller may know of.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    found = work.headings.find(run_id=run_id)
    if found is None or not sees(work.who, found.group):
        raise NotFoundError(noun="run", name=run_id, cure=CURE)
    return found


def operated_run(work: UnitOfWork, run_id: str) -> RunHeading:
    """
    Give the heading of a run that the caller may operate.

    Raises
    ------
    NotFoundError, ActionDeniedError
        When there is none, or the caller may not.
    """
    heading = seen_run(work, run_id)
    work.who.require(Action.OPERATE_RUN, group=heading.group)
    return heading


def loaded(work: UnitOfWork, run_id: str, *, revision: int | None) -> RunState:
    """
    Load a run as the caller has seen it.

    Raises
    ------
    RunMovedOnError
        When it is at another revision now.
    """
    state = work.runs.load(run_id)
    if revision is not None and state.run.revision != revision:
        raise RunMovedOnError(run_id=run_id, seen=revision, now=state.run.revision)
    return state


def previewed(state: RunState, changes: Changes) -> RunPreview:
    """Say what a step would come to."""
    after = state.after(changes)
    return RunPreview(
        run_id=after.run.id,
        state=after.run.state,
        revision=state.run.revision,
        tokens=token_views(after),
        history=changes.history,
    )


def audited(work: UnitOfWork, action: str, heading: RunHeading, **detail: object) -> None:
    """Write who did what to a run, and what it is about."""
    facts = {"snapshot": heading.snapshot, "digest": heading.digest, "service": heading.service}
    work.audit.record(
        action, noun="run", subject=heading.run_id, group=heading.group, detail={**facts, **detail}
    )
