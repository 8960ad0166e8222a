"""Errors as gRPC tells them: a status code, the message, and our own code in the trailing metadata."""

from __future__ import annotations

import math

from grpc import StatusCode

from pilothouse.domain.errors import (
    DeniedError,
    InvalidError,
    NotFoundError,
    NotSignedInError,
    NotSupportedError,
    PilothouseError,
    RefusedError,
    UnavailableError,
)
from pilothouse.oip.errors import ProtocolError
from pilothouse.scoring.lanes import DeadlineExceededError, QueueFullError

CODE = "pilothouse-code"
PUSHBACK = "grpc-retry-pushback-ms"


def status_of(problem: PilothouseError | ProtocolError) -> StatusCode:
    """Give the status that an error stands for."""
    match problem:
        case ProtocolError() | InvalidError():
            return StatusCode.INVALID_ARGUMENT
        case QueueFullError():
            return StatusCode.RESOURCE_EXHAUSTED
        case DeadlineExceededError():
            return StatusCode.DEADLINE_EXCEEDED
        case UnavailableError():
            return StatusCode.UNAVAILABLE
        case _:
            return _status_of_branch(problem)


def _status_of_branch(problem: PilothouseError) -> StatusCode:
    match problem:
        case NotSignedInError():
            return StatusCode.UNAUTHENTICATED
        case DeniedError():
            return StatusCode.PERMISSION_DENIED
        case NotFoundError():
            return StatusCode.NOT_FOUND
        case RefusedError():
            return StatusCode.FAILED_PRECONDITION
        case NotSupportedError():
            return StatusCode.UNIMPLEMENTED
        case _:
            return StatusCode.INTERNAL


def trailing(problem: PilothouseError | ProtocolError) -> tuple[tuple[str, str], ...]:
    """Give the metadata that follow an error: its code, and when to try again."""
    told = ((CODE, problem.code),)
    if isinstance(problem, UnavailableError):
        return (*told, (PUSHBACK, str(math.ceil(problem.retry_after_s * 1000))))
    return told
