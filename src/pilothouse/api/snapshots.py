"""Snapshots and their artefacts."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response, StreamingResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.ids import GroupName
from pilothouse.domain.jobs import Job
from pilothouse.domain.pages import Page
from pilothouse.domain.snapshots import ServiceAssignment, Snapshot
from pilothouse.wire.requests import TakeSnapshot

router = APIRouter(tags=["snapshots"])
QUEUED_CHUNKS = 8
DROPPED_BYTES = 64 * 2**20


@router.head("/artifacts/{sha256}")
def present(plane: Plane, who: Who, sha256: str, group: str) -> Response:
    """Say whether an artefact is there already."""
    there = plane.artifacts.present(who, group=GroupName(group), sha256=sha256)
    return Response(status_code=200 if there else 404)


@router.put("/artifacts/{sha256}", status_code=201)
async def upload(
    request: Request, plane: Plane, who: Who, sha256: str, group: Annotated[str, Query()]
) -> JSONResponse:
    """Upload a file under its SHA-256, streamed; it is kept only if the digest is right."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=QUEUED_CHUNKS)

    def chunks() -> Iterator[bytes]:
        while (chunk := asyncio.run_coroutine_threadsafe(queue.get(), loop).result()) is not None:
            yield chunk

    storing = asyncio.ensure_future(
        run_in_threadpool(
            lambda: plane.artifacts.upload(
                who, group=GroupName(group), sha256=sha256, chunks=chunks()
            )
        )
    )
    try:
        await _passed_on(request, queue, storing)
    finally:
        await _closed(queue, storing)
    return JSONResponse({"sha256": sha256, "size": storing.result()}, status_code=201)


async def _passed_on(
    request: Request, queue: asyncio.Queue[bytes | None], storing: asyncio.Future[int]
) -> None:
    """
    Hand the body over part by part.

    Once the upload is refused the rest is read and dropped, up to a bound: a sender that is cut off while
    it sends would hear of a broken connection, and not of what was wrong.
    """
    dropped = 0
    async for chunk in request.stream():
        if not storing.done():
            putting = asyncio.ensure_future(queue.put(chunk))
            # The store may end, with an error, while the queue is full: then nobody takes from it any more.
            await asyncio.wait((putting, storing), return_when=asyncio.FIRST_COMPLETED)
            putting.cancel()
            continue
        dropped += len(chunk)
        if dropped > DROPPED_BYTES:
            return


async def _closed(queue: asyncio.Queue[bytes | None], storing: asyncio.Future[int]) -> None:
    """Tell the storing thread that nothing more comes, and let it end (its digest check decides)."""
    while not storing.done():
        try:
            queue.put_nowait(None)
            break
        except asyncio.QueueFull:
            await asyncio.sleep(0.005)
    await asyncio.wait([storing])
    storing.exception()  # seen here, for where another error ends the call: nothing was stored


@router.post("/snapshots", status_code=202, response_model=Job)
def take(plane: Plane, who: KeyedWho, wanted: TakeSnapshot) -> JSONResponse:
    """Take a snapshot of uploaded files: the job in the answer checks them, then the snapshot is there."""
    return changed(plane, who, lambda: plane.snapshots.order(who, wanted), 202)


@router.get("/snapshots", response_model=Page[Snapshot])
def page(
    plane: Plane, who: Who, model: str | None = None, after: After = None, limit: Limit = 50
) -> JSONResponse:
    """List snapshots, newest first."""
    return shown(plane.snapshots.page(who, model=model, after=after, limit=limit))


@router.get("/snapshots/{name}", response_model=Snapshot)
def get(plane: Plane, who: Who, name: str) -> JSONResponse:
    """Show a snapshot, by `model@number` or id."""
    return shown(plane.snapshots.get(who, name=name))


@router.get("/snapshots/{name}/services", response_model=list[ServiceAssignment])
def services(plane: Plane, who: Who, name: str) -> JSONResponse:
    """List a snapshot's service tags, ended ones too."""
    return shown(plane.snapshots.services(who, name=name))


@router.post("/snapshots/{name}/services/{tag}", status_code=201, response_model=ServiceAssignment)
def tag(plane: Plane, who: KeyedWho, name: str, tag: str) -> JSONResponse:
    """Tag a snapshot with a service."""
    return changed(plane, who, lambda: plane.snapshots.tag(who, snapshot=name, service=tag), 201)


@router.post("/snapshots/{name}/services/{tag}/end", response_model=ServiceAssignment | None)
def untag(plane: Plane, who: KeyedWho, name: str, tag: str) -> JSONResponse:
    """End a snapshot's service tag."""
    return changed(plane, who, lambda: plane.snapshots.untag(who, snapshot=name, service=tag))


@router.get("/snapshots/{name}/files/{path:path}")
def download(plane: Plane, who: Who, name: str, path: str) -> StreamingResponse:
    """Download one file of a snapshot, verified as it goes; a damaged one never comes whole."""
    chunks = iter(plane.artifacts.download(who, snapshot=name, path=path))
    first = next(
        chunks, b""
    )  # what is missing, or small and damaged, is told before the answer begins
    return StreamingResponse(
        itertools.chain((first,), chunks), media_type="application/octet-stream"
    )
