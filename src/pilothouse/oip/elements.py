"""The check of a tensor's elements against its datatype; nothing is rounded, cut or guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, cast

from pilothouse.oip.errors import ElementInvalidError
from pilothouse.oip.messages import Datatype, Element

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_FP32 = 3.4028234663852886e38
EXACT_INTEGER = 2**53  # the largest power of two below which a binary64 holds every integer

INTEGER_RANGES = {
    Datatype.UINT8: (0, 2**8 - 1),
    Datatype.UINT16: (0, 2**16 - 1),
    Datatype.UINT32: (0, 2**32 - 1),
    Datatype.UINT64: (0, 2**64 - 1),
    Datatype.INT8: (-(2**7), 2**7 - 1),
    Datatype.INT16: (-(2**15), 2**15 - 1),
    Datatype.INT32: (-(2**31), 2**31 - 1),
    Datatype.INT64: (-(2**63), 2**63 - 1),
}

FLOATS = frozenset({Datatype.FP16, Datatype.FP32, Datatype.FP64})
_PLAIN = {Datatype.BOOL: bool, Datatype.BYTES: str}
_NONE = type(None)


def checked_elements(data: list[object], *, datatype: Datatype, tensor: str) -> list[Element]:
    """
    Give the elements back, each of its datatype or None.

    Parameters
    ----------
    data
        Flat elements as JSON has them.
    datatype
        What the tensor says they are.
    tensor
        The tensor's name, for the error.

    Raises
    ------
    ElementInvalidError
        For the first element that the datatype cannot hold: a fraction in an INT64, a number out of range,
        true in an INT8, a list, text in a number.

    Examples
    --------
    >>> checked_elements([1, 2.5, None], datatype=Datatype.FP64, tensor="age")
    [1.0, 2.5, None]
    """
    plain = _PLAIN.get(datatype)
    if plain is not None:
        return _of_one_type(data, plain, datatype, tensor)
    if datatype in FLOATS:
        return _floats(data, datatype, tensor)
    return _integers(data, datatype, tensor)


def _of_one_type(
    data: list[object], wanted: type, datatype: Datatype, tensor: str
) -> list[Element]:
    if not set(map(type, data)) <= {wanted, _NONE}:
        index = next(i for i, e in enumerate(data) if type(e) not in (wanted, _NONE))
        _refuse(data, index, datatype, tensor)
    return cast("list[Element]", data)


def _integers(data: list[object], datatype: Datatype, tensor: str) -> list[Element]:
    _of_one_type(data, int, datatype, tensor)
    low, high = INTEGER_RANGES[datatype]
    for index, element in enumerate(cast("Sequence[int | None]", data)):
        if element is not None and not low <= element <= high:
            _refuse(data, index, datatype, tensor, f"is outside {low} to {high}")
    return cast("list[Element]", data)


def _floats(data: list[object], datatype: Datatype, tensor: str) -> list[Element]:
    kinds = set(map(type, data))
    if kinds <= {float, _NONE} and datatype is Datatype.FP64:
        return cast("list[Element]", data)
    if not kinds <= {float, int, _NONE}:
        index = next(i for i, e in enumerate(data) if type(e) not in (float, int, _NONE))
        _refuse(data, index, datatype, tensor)
    floats: list[Element] = []
    for index, element in enumerate(cast("Sequence[float | int | None]", data)):
        if element is None:
            floats.append(None)
            continue
        if type(element) is int and not -EXACT_INTEGER <= element <= EXACT_INTEGER:
            _refuse(data, index, datatype, tensor, "is an integer that a float cannot hold exactly")
        if datatype is Datatype.FP32 and not -LARGEST_FP32 <= element <= LARGEST_FP32:
            _refuse(data, index, datatype, tensor, "is too large")
        floats.append(float(element))
    return floats


_WORDS = {bool: "is true or false", str: "is text", float: "is a fraction", int: "is an integer"}


def _refuse(
    data: list[object], index: int, datatype: Datatype, tensor: str, problem: str = ""
) -> NoReturn:
    words = problem or _WORDS.get(type(data[index]), "is a list or an object")
    raise ElementInvalidError(tensor=tensor, index=index, datatype=datatype.value, problem=words)
