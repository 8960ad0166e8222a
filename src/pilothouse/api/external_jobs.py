"""External jobs: what workers outside the platform fetch and report."""

from __future__ import annotations

import asyncio
import time

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from pilothouse.api.calls import KeyedWho, Plane, Who, changed, shown
from pilothouse.wire.external_jobs import (
    CompleteJob,
    ExtendJob,
    ExternalJob,
    FailJob,
    FetchJobs,
    JobLock,
    JobReceipt,
    PostponeJob,
    ThrowError,
)

router = APIRouter(prefix="/external-jobs", tags=["external-jobs"])
LOOK_S = 0.25
"""How often a fetch that waits looks for jobs: a read of a small index."""


@router.post("/fetch", response_model=list[ExternalJob])
async def fetch(request: Request, plane: Plane, who: KeyedWho, wanted: FetchJobs) -> JSONResponse:
    """Lock jobs of some topics for a worker; where there is none, wait for one so long as the worker asks for."""
    end = time.monotonic() + wanted.wait_s
    # No thread is held while nothing is there: a hundred workers may wait at once.
    while True:
        answer = await run_in_threadpool(_fetched, plane, who, wanted)
        left_s = end - time.monotonic()
        if answer.body != b"[]" or left_s <= 0 or request.app.state.stopping.is_set():
            return answer
        await asyncio.sleep(min(LOOK_S, left_s))
        if await request.is_disconnected():
            return answer  # a lock for nobody would keep others from the job


def _fetched(plane: Plane, who: KeyedWho, wanted: FetchJobs) -> JSONResponse:
    return changed(plane, who, lambda: plane.external_jobs.fetch(who, wanted))


@router.post("/{job_id}/extend", response_model=JobLock)
def extend(plane: Plane, who: Who, job_id: str, wanted: ExtendJob) -> JSONResponse:
    """Keep a job for longer, as the heartbeat of a worker does."""
    return shown(plane.external_jobs.extend(who, job_id=job_id, wanted=wanted))


@router.post("/{job_id}/complete", response_model=JobReceipt)
def complete(plane: Plane, who: KeyedWho, job_id: str, wanted: CompleteJob) -> JSONResponse:
    """Say that a job is done."""
    return changed(
        plane, who, lambda: plane.external_jobs.report(who, job_id=job_id, wanted=wanted)
    )


@router.post("/{job_id}/fail", response_model=JobReceipt)
def fail(plane: Plane, who: KeyedWho, job_id: str, wanted: FailJob) -> JSONResponse:
    """Say that a job could not be done; it is tried again, or waits for a person."""
    return changed(
        plane, who, lambda: plane.external_jobs.report(who, job_id=job_id, wanted=wanted)
    )


@router.post("/{job_id}/error", response_model=JobReceipt)
def error(plane: Plane, who: KeyedWho, job_id: str, wanted: ThrowError) -> JSONResponse:
    """Let a job end by an error that the life cycle may catch."""
    return changed(
        plane, who, lambda: plane.external_jobs.report(who, job_id=job_id, wanted=wanted)
    )


@router.post("/{job_id}/postpone", response_model=JobReceipt)
def postpone(plane: Plane, who: KeyedWho, job_id: str, wanted: PostponeJob) -> JSONResponse:
    """Give a job back, to be fetched again later."""
    return changed(
        plane, who, lambda: plane.external_jobs.report(who, job_id=job_id, wanted=wanted)
    )
