"""What every route shares: the control plane, the caller, and keyed calls."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from pilothouse.application.tokens import TokenWrongError
from pilothouse.bootstrap import ControlPlane
from pilothouse.domain.access import KeyedCall, Principal
from pilothouse.domain.errors import InvalidError, PilothouseError
from pilothouse.domain.plain import to_plain

MAXIMUM_KEY = 200


class KeyInvalidError(InvalidError):
    """An Idempotency-Key is empty or too long."""

    code = "idempotency-key-invalid"

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key has 1 to 200 printable characters. Send a UUID.")


def control_plane(request: Request) -> ControlPlane:
    """Give the control plane that the server was built with."""
    plane: ControlPlane = request.app.state.control_plane
    return plane


Plane = Annotated[ControlPlane, Depends(control_plane)]


async def caller(
    plane: Plane,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Principal:
    """Tell who is asking, by the bearer token."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenWrongError
    return await run_in_threadpool(plane.tokens.sign_in, token.strip())


Who = Annotated[Principal, Depends(caller)]


async def keyed_caller(
    request: Request,
    who: Who,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Principal:
    """Tell who is asking, and remember the key by which the call may be repeated."""
    if idempotency_key is None:
        return who
    if (
        not idempotency_key
        or len(idempotency_key) > MAXIMUM_KEY
        or not idempotency_key.isprintable()
    ):
        raise KeyInvalidError
    told = (request.method, request.url.path, request.url.query)
    asked = hashlib.sha256(b"\0".join((*(part.encode() for part in told), await request.body())))
    return replace(who, call=KeyedCall(key=idempotency_key, request=asked.hexdigest()))


KeyedWho = Annotated[Principal, Depends(keyed_caller)]
After = Annotated[str | None, Query(description="The cursor that the former page gave as `next`.")]
Limit = Annotated[int, Query(ge=1, le=500)]


def shown(value: object, status: int = 200) -> JSONResponse:
    """Answer with a value's plain form."""
    return JSONResponse(to_plain(value), status_code=status)


def changed(
    plane: ControlPlane, who: Principal, act: Callable[[], object], status: int = 200
) -> JSONResponse:
    """Change something, or answer a repeated keyed call as the first time."""
    former = plane.calls.answer(who)
    if former is not None:
        return shown(former, status)
    try:
        return shown(act(), status)
    except PilothouseError:
        # The same call may have been under way and have come first: then its answer is the answer.
        former = plane.calls.answer(who)
        if former is None:
            raise
        return shown(former, status)
