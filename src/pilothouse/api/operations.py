"""What operators do to runs: suspend, resume, change variables, move tokens, carry over to another version."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import KeyedWho, Plane, Who, changed, shown
from pilothouse.bpmn.pairing import Proposal
from pilothouse.wire.operations import (
    EditVariables,
    HoldRun,
    MigrateRun,
    MigrateRuns,
    MigrationPage,
    MoveTokens,
    RunPreview,
)
from pilothouse.wire.runs import RunView

router = APIRouter(tags=["lifecycles"])


@router.post("/runs/{run_id}/suspend", response_model=RunView)
def suspend(plane: Plane, who: KeyedWho, run_id: str, wanted: HoldRun) -> JSONResponse:
    """Hold a run where it stands."""
    return changed(plane, who, lambda: plane.operations.suspend(who, run_id=run_id, wanted=wanted))


@router.post("/runs/{run_id}/resume", response_model=RunView)
def resume(plane: Plane, who: KeyedWho, run_id: str, wanted: HoldRun) -> JSONResponse:
    """Let a suspended run go on."""
    return changed(plane, who, lambda: plane.operations.resume(who, run_id=run_id, wanted=wanted))


@router.post("/runs/{run_id}/variables", response_model=RunView)
def edit(plane: Plane, who: KeyedWho, run_id: str, wanted: EditVariables) -> JSONResponse:
    """Set variables of a run and remove others, in the process or in an open scope."""
    return changed(plane, who, lambda: plane.operations.edit(who, run_id=run_id, wanted=wanted))


@router.post("/runs/{run_id}/move", response_model=RunView)
def move(plane: Plane, who: KeyedWho, run_id: str, wanted: MoveTokens) -> JSONResponse:
    """Cancel what stands at some elements, and begin before others."""
    return changed(plane, who, lambda: plane.operations.move(who, run_id=run_id, wanted=wanted))


@router.post("/runs/{run_id}/move/preview", response_model=RunPreview)
def preview_move(plane: Plane, who: Who, run_id: str, wanted: MoveTokens) -> JSONResponse:
    """Say what a move would do; nothing is changed."""
    return shown(plane.operations.preview_move(who, run_id=run_id, wanted=wanted))


@router.post("/runs/{run_id}/migrate", response_model=RunView)
def migrate(plane: Plane, who: KeyedWho, run_id: str, wanted: MigrateRun) -> JSONResponse:
    """Carry a run over to another version of its life cycle."""
    return changed(plane, who, lambda: plane.migrations.migrate(who, run_id=run_id, wanted=wanted))


@router.post("/runs/{run_id}/migrate/preview", response_model=RunPreview)
def preview_migration(plane: Plane, who: Who, run_id: str, wanted: MigrateRun) -> JSONResponse:
    """Say what a migration would do to a run; nothing is changed."""
    return shown(plane.migrations.preview(who, run_id=run_id, wanted=wanted))


@router.get("/lifecycles/{name}/migration", response_model=Proposal)
def propose(plane: Plane, who: Who, name: str, to: str) -> JSONResponse:
    """Say how the elements of two versions belong together."""
    return shown(plane.migrations.propose(who, old=name, new=to))


@router.post("/lifecycles/{name}/migrate", response_model=MigrationPage)
def migrate_all(plane: Plane, who: Who, name: str, wanted: MigrateRuns) -> JSONResponse:
    """Carry over the runs of a version, a page of them; called again, it goes on with those that are left."""
    return shown(plane.migrations.migrate_all(who, name=name, wanted=wanted))
