"""Life cycles: definitions, runs, incidents, messages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query
from fastapi.responses import JSONResponse, Response

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.bpmn.history import HistoryEntry
from pilothouse.bpmn.state import Incident
from pilothouse.domain.access import EVERY_GROUP
from pilothouse.domain.lifecycles import Definition, DefinitionKind
from pilothouse.domain.pages import Page
from pilothouse.wire.requests import (
    CancelRun,
    EvaluateConditions,
    PublishMessage,
    RetryIncident,
    SendSignal,
    StartRun,
)
from pilothouse.wire.runs import Finding, MessageReceipt, RunSummary, RunView

router = APIRouter(tags=["lifecycles"])
Xml = Annotated[bytes, Body(media_type="application/xml")]


@router.post("/lifecycles", status_code=201, response_model=Definition)
def upload(plane: Plane, who: KeyedWho, xml: Xml, group: str) -> JSONResponse:
    """Upload a BPMN or DMN file; what cannot run is refused with all its reasons."""
    return changed(plane, who, lambda: plane.definitions.upload(who, group=group, xml=xml), 201)


@router.post("/lifecycles/lint", response_model=list[Finding])
def lint(plane: Plane, who: Who, xml: Xml, group: str = EVERY_GROUP) -> JSONResponse:
    """Say what an upload to a group would refuse, and what its decision tables leave open or contradict."""
    return shown(plane.definitions.lint(who, xml=xml, group=group))


@router.post("/lifecycles/evaluate-conditions", status_code=201, response_model=list[str])
def evaluate_conditions(plane: Plane, who: KeyedWho, wanted: EvaluateConditions) -> JSONResponse:
    """Start each life cycle of a group whose conditional start event holds; the answer names the runs."""
    return changed(plane, who, lambda: plane.event_starts.by_conditions(who, wanted), 201)


@router.get("/lifecycles", response_model=Page[Definition])
def page(
    plane: Plane,
    who: Who,
    kind: DefinitionKind | None = None,
    after: After = None,
    limit: Limit = 50,
) -> JSONResponse:
    """List definitions."""
    return shown(plane.definitions.page(who, kind=kind, after=after, limit=limit))


@router.get("/lifecycles/{name}", response_model=Definition)
def get(plane: Plane, who: Who, name: str) -> JSONResponse:
    """Show a definition, by `key@version`, id, or key for the latest."""
    return shown(plane.definitions.get(who, name=name))


@router.get("/lifecycles/{name}/xml")
def xml(plane: Plane, who: Who, name: str) -> Response:
    """Download a definition as it was uploaded."""
    return Response(plane.definitions.get(who, name=name).source, media_type="application/xml")


@router.post("/lifecycles/{name}/activate", response_model=Definition)
def activate(plane: Plane, who: KeyedWho, name: str) -> JSONResponse:
    """Let new runs start from this very version; later ones of its key are retired."""
    return changed(plane, who, lambda: plane.definitions.activate(who, name=name))


@router.post("/lifecycles/{name}/retire", response_model=Definition)
def retire(plane: Plane, who: KeyedWho, name: str) -> JSONResponse:
    """Let no new run start from a version."""
    return changed(plane, who, lambda: plane.definitions.retire(who, name=name))


@router.post("/runs", status_code=201, response_model=RunView)
def start(plane: Plane, who: KeyedWho, wanted: StartRun) -> JSONResponse:
    """Start a life cycle by hand."""
    return changed(plane, who, lambda: plane.runs.start(who, wanted), 201)


@router.get("/runs", response_model=Page[RunSummary])
def runs(
    plane: Plane,
    who: Who,
    service: str | None = None,
    snapshot: str | None = None,
    after: After = None,
    limit: Limit = 50,
) -> JSONResponse:
    """List runs, newest first."""
    return shown(plane.runs.page(who, service=service, snapshot=snapshot, after=after, limit=limit))


@router.get("/runs/{run_id}", response_model=RunView)
def run(plane: Plane, who: Who, run_id: str) -> JSONResponse:
    """Show where a run stands and what it waits for."""
    return shown(plane.runs.get(who, run_id=run_id))


@router.get("/runs/{run_id}/history", response_model=list[HistoryEntry])
def history(
    plane: Plane,
    who: Who,
    run_id: str,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Limit = 500,
) -> JSONResponse:
    """Give what happened in a run, oldest first."""
    return shown(plane.runs.history(who, run_id=run_id, after=after, limit=limit))


@router.post("/runs/{run_id}/cancel", response_model=RunView)
def cancel(plane: Plane, who: KeyedWho, run_id: str, wanted: CancelRun) -> JSONResponse:
    """End a run where it stands."""
    return changed(plane, who, lambda: plane.runs.cancel(who, run_id=run_id, reason=wanted.reason))


@router.get("/incidents", response_model=list[Incident])
def incidents(plane: Plane, who: Who) -> JSONResponse:
    """List what waits for help."""
    return shown(plane.runs.incidents(who))


@router.post("/incidents/{incident_id}/retry", response_model=RunView)
def retry(plane: Plane, who: KeyedWho, incident_id: str, wanted: RetryIncident) -> JSONResponse:
    """Try again what an incident holds up."""
    return changed(
        plane, who, lambda: plane.runs.retry(who, incident_id=incident_id, wanted=wanted)
    )


@router.post("/messages", status_code=202, response_model=MessageReceipt)
def publish(plane: Plane, who: KeyedWho, wanted: PublishMessage) -> JSONResponse:
    """Send a message to the run that waits for it, or that it starts, or that will wait in time."""
    return changed(plane, who, lambda: plane.messages.publish(who, wanted), 202)


@router.post("/signals", status_code=202, response_model=list[str])
def signal(plane: Plane, who: Who, wanted: SendSignal) -> JSONResponse:
    """Tell every run that waits for a signal, and start what starts by it; the answer names them. It is not keyed."""
    return shown(
        plane.messages.signal(who, group=wanted.group, name=wanted.name, variables=wanted.payload),
        202,
    )
