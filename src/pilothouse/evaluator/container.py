"""
One file for one form: JSON that says what there is, then the arrays' bytes. Nothing in it is ever run.

``b"PHCOMPIL"``, the version (little-endian uint32), the length of the JSON (uint64), the JSON in ASCII, zero bytes up to a multiple of 64,
then each array at an offset from there that is itself a multiple of 64, little-endian and row by row. The same form always gives
the same bytes, so a file's SHA-256 names it.
"""

from __future__ import annotations

import json
import struct
from dataclasses import fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast, get_type_hints

import numpy as np

from pilothouse.evaluator.checking import check
from pilothouse.evaluator.errors import FormInvalidError
from pilothouse.evaluator.ir import Form, Input, Kind, Output
from pilothouse.evaluator.operations import OPERATIONS, Floats, Ints, Words

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Buffer

    from pilothouse.evaluator.operations import Operation

Json = Any
VERSION = 1
MAGIC = b"PHCOMPIL"
HEAD = struct.Struct("<8sIQ")
ALIGNMENT = 64
MAXIMUM_JSON = 256 * 2**20
MAXIMUM_RANK = 2
DTYPES: dict[object, str] = {Floats: "<f8", Ints: "<i4", Words: "<u4"}
NAMES = {kind.__name__: kind for kind in OPERATIONS}
HINTS = {kind: get_type_hints(kind) for kind in OPERATIONS}


def dumps(form: Form) -> bytes:
    """
    Write a form down.

    Raises
    ------
    FormInvalidError
        When the form cannot be evaluated.
    """
    check(form)
    arrays = _Arrays()
    head = {
        "facts": dict(sorted(form.facts.items())),
        "inputs": [{"name": i.name, "kind": i.kind, "words": i.words} for i in form.inputs],
        "operations": [_plain(o, arrays) for o in form.operations],
        "outputs": [{"name": o.name, "column": o.column, "labels": o.labels} for o in form.outputs],
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    begin = HEAD.pack(MAGIC, VERSION, len(text)) + text
    return _padded(begin) + bytes(arrays.data)


def loads(data: Buffer) -> Form:
    """
    Read a form; its arrays are views of `data`.

    Raises
    ------
    FormInvalidError
        When the bytes are no form of this version, or one that cannot be evaluated.
    """
    view = memoryview(data).cast("B")
    head, body = _head(view)
    try:
        form = _form(head, body)
    except FormInvalidError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        raise FormInvalidError(place="head", problem=f"{type(problem).__name__}") from None
    check(form)
    return form


class _Arrays:
    """The bytes behind the JSON."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, array: NDArray[np.generic], dtype: str) -> dict[str, object]:
        """Append an array and say where it stands."""
        self.data += bytes(-len(self.data) % ALIGNMENT)
        at = len(self.data)
        self.data += np.ascontiguousarray(array, dtype=dtype).tobytes()
        return {"at": at, "shape": array.shape}


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)


def _plain(operation: Operation, arrays: _Arrays) -> dict[str, object]:
    plain: dict[str, object] = {"operation": type(operation).__name__}
    for field in fields(operation):
        value, hint = getattr(operation, field.name), HINTS[type(operation)][field.name]
        plain[field.name] = arrays.add(value, DTYPES[hint]) if hint in DTYPES else value
    return plain


def _head(view: memoryview) -> tuple[Json, memoryview]:
    if len(view) < HEAD.size:
        raise FormInvalidError(place="head", problem="it is too short")
    magic, version, size = HEAD.unpack(view[: HEAD.size])
    if magic != MAGIC:
        raise FormInvalidError(place="head", problem="another kind of file")
    if version != VERSION:
        raise FormInvalidError(place="head", problem=f"version {version}, not {VERSION}")
    end = HEAD.size + size
    if size > MAXIMUM_JSON or end > len(view):
        raise FormInvalidError(place="head", problem="it ends too soon")
    try:
        head = json.loads(bytes(view[HEAD.size : end]))
    except (ValueError, RecursionError):
        raise FormInvalidError(place="head", problem="not JSON") from None
    return head, view[end + -end % ALIGNMENT :]


def _form(head: Json, body: memoryview) -> Form:
    return Form(
        facts={str(k): str(v) for k, v in head["facts"].items()},
        inputs=tuple(
            Input(name=_text(i["name"]), kind=Kind(i["kind"]), words=tuple(map(_text, i["words"])))
            for i in head["inputs"]
        ),
        operations=tuple(_operation(o, body) for o in head["operations"]),
        outputs=tuple(
            Output(name=_text(o["name"]), column=_whole(o["column"]), labels=_labels(o["labels"]))
            for o in head["outputs"]
        ),
    )


def _operation(plain: Json, body: memoryview) -> Operation:
    kind = NAMES[plain["operation"]]
    given: dict[str, Any] = {
        field.name: _value(plain[field.name], HINTS[kind][field.name], body)
        for field in fields(kind)
    }
    return kind(**given)


def _value(plain: Json, hint: type, body: memoryview) -> object:
    if hint in DTYPES:
        return _array(plain, DTYPES[hint], body)
    if issubclass(hint, IntEnum):
        return hint(_whole(plain))
    if hint is float:
        return float(plain)
    if hint is int:
        return _whole(plain)
    if type(plain) is not hint:
        raise TypeError(hint)
    return plain


def _array(plain: Json, dtype: str, body: memoryview) -> NDArray[np.generic]:
    at, shape = _whole(plain["at"]), tuple(map(_whole, plain["shape"]))
    kind = np.dtype(dtype)
    if not 0 < len(shape) <= MAXIMUM_RANK or min(shape) < 0 or at < 0 or at % ALIGNMENT:
        raise FormInvalidError(place="head", problem="an array has no place")
    count = 1
    for length in shape:
        count *= length
    if at + count * kind.itemsize > len(body):
        raise FormInvalidError(place="arrays", problem="they end too soon")
    if count == 0:
        return np.empty(shape, dtype=kind)
    array = np.frombuffer(body, dtype=kind, count=count, offset=at)
    return cast("NDArray[np.generic]", array.reshape(shape))


def _whole(value: object) -> int:
    if type(value) is not int or abs(value) >= 2**31:
        raise TypeError("a whole number of 32 bits")
    return value


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError("text")
    return value


def _labels(values: Json) -> tuple[str | int | float | bool, ...] | None:
    if values is None:
        return None
    if any(type(v) not in (str, int, float, bool) for v in values):
        raise TypeError("labels")
    return tuple(values)
