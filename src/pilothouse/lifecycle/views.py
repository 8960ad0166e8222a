"""Runs as people look at them, gathered from their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.state import BODIES, ScopeKind, TokenStatus
from pilothouse.wire.runs import RunSummary, RunView, ScopeView, TokenView, WorkView

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.bpmn.state import RunState
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.ports.unit_of_work import UnitOfWork


def run_summary(heading: RunHeading, state: RunState) -> RunSummary:
    """Sum a run up."""
    return RunSummary(
        heading=heading,
        state=state.run.state,
        outcome=state.run.outcome,
        ended_at=state.run.ended_at,
        tokens=token_views(state),
        incidents=tuple(state.incidents.values()),
    )


def run_view(work: UnitOfWork, state: RunState) -> RunView:
    """Gather what stands of a run, with its open tasks."""
    run = state.run
    return RunView(
        heading=work.headings.get(run.id),
        business_key=run.business_key,
        state=run.state,
        outcome=run.outcome,
        started_by=run.started_by,
        ended_at=run.ended_at,
        tokens=token_views(state),
        incidents=tuple(state.incidents.values()),
        tasks=tuple(work.tasks.get(row.id) for row in state.tasks.values()),
        work=_work(state),
        variables=_process_variables(state),
        scopes=_scopes(state),
        revision=run.revision,
    )


def token_views(state: RunState) -> tuple[TokenView, ...]:
    """Say where a run stands."""
    # What listens has not come to where it stands; and a repeated activity is shown by its instances, not by
    # the tokens that hold all of them together.
    bodies = {scope.id: scope.token_id for scope in state.scopes.values() if scope.kind in BODIES}
    return tuple(
        TokenView(element=t.element, state=t.state)
        for t in state.tokens.values()
        if t.state is not TokenStatus.LISTENING
        and t.scope_id not in bodies
        and t.id not in bodies.values()
    )


def _work(state: RunState) -> tuple[WorkView, ...]:
    return tuple(
        WorkView(
            id=job.id,
            element=job.element,
            kind=job.kind,
            topic=job.topic,
            due_at=job.due_at,
            failures=job.failures,
            retries_left=job.retries_left,
            last_error=job.last_error,
            state=job.state,
            held_by=job.lease_owner,
            held_until=job.lease_until,
        )
        for job in state.jobs.values()
    )


def _scopes(state: RunState) -> tuple[ScopeView, ...]:
    return tuple(
        ScopeView(
            id=scope.id,
            element=scope.element,
            kind=scope.kind,
            number=scope.number,
            variables={v.name: v.value for v in state.variables.values() if v.scope_id == scope.id},
        )
        for scope in sorted(state.scopes.values(), key=lambda s: s.id)
        if scope.kind is not ScopeKind.PROCESS
    )


def _process_variables(state: RunState) -> Mapping[str, object]:
    roots = {s.id for s in state.scopes.values() if s.kind is ScopeKind.PROCESS}
    return {v.name: v.value for v in state.variables.values() if v.scope_id in roots}
