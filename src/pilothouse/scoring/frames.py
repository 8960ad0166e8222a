"""
Frames: what a model's process and its parent say to one another.

A frame is a 4-byte big-endian length and so many bytes of JSON. Numbers travel as the shortest text that
reads back as the same binary64, so nothing is lost on the way. A NaN of the model travels as null (arrays
have no other null), an infinity as ``Infinity``, and the output contract judges both.

Standard library only: the child process reads this module too.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pilothouse.domain.policies import ModelPolicy  # noqa: TC001  the codec reads the annotations
from pilothouse.domain.snapshots import Manifest  # noqa: TC001

if TYPE_CHECKING:
    from typing import Any, BinaryIO

HEADER = struct.Struct(">I")
MAXIMUM_FRAME = 512 * 2**20


class Ask(StrEnum):
    """What the parent can ask for."""

    SCORE = "score"
    METRICS = "metrics"
    TRAIN = "train"


class Fault(StrEnum):
    """Why the child did not do what it was asked."""

    REFUSED = "refused"  # a typed error of Pilothouse
    RAISED = "raised"  # an exception of the model
    ANSWER = "answer"  # an answer that has no plain form


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOrder:
    """The first frame: what to load and within which limits; `format` is ``module:attribute``."""

    folder: str
    format: str
    manifest: Manifest
    policy: ModelPolicy
    memory_bytes: int
    open_files: int


class FrameError(ValueError):
    """Bytes that are no frame, or too many of them."""


def encode(message: object) -> bytes:
    r"""
    Write one frame.

    Raises
    ------
    FrameError
        When it passes `MAXIMUM_FRAME`.

    Examples
    --------
    >>> encode({"a": 0.1})
    b'\x00\x00\x00\t{"a":0.1}'
    """
    body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) > MAXIMUM_FRAME:
        raise FrameError(f"a frame of {len(body)} bytes passes the limit of {MAXIMUM_FRAME}")
    return HEADER.pack(len(body)) + body


def length(header: bytes | bytearray) -> int:
    """Give the length that a frame's header announces, or raise `FrameError`."""
    (size,) = HEADER.unpack(header)
    if size > MAXIMUM_FRAME:
        raise FrameError(f"a frame of {size} bytes passes the limit of {MAXIMUM_FRAME}")
    return int(size)


def decode(body: bytes | bytearray) -> dict[str, Any]:
    """
    Read a frame's body.

    Raises
    ------
    FrameError
        When it is no JSON object.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise FrameError(f"not JSON: {problem}") from None
    if not isinstance(message, dict):
        raise FrameError("not a JSON object")
    return message


def read(stream: BinaryIO) -> dict[str, Any] | None:
    """Read the next frame from a blocking stream; None at its end."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    body = stream.read(length(header))
    return decode(body)
