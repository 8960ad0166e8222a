"""Golden records: inputs that a model folder brings, and the original model's own answers to them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.domain.contracts import Checked, Contract
from pilothouse.domain.errors import InvalidError
from pilothouse.scoring.folder_errors import GoldenInvalidError, RowsDisagreeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.schemas import Scalar, Schema

MAXIMUM_BYTES = 16 * 2**20
MAXIMUM_RECORDS = 1000
ROUNDING = 1e-12
"""
The largest difference, relative to the larger value or to 1, that is rounding and no disagreement.

BLAS sums a row of a block in another order than a row alone, so linear models differ in the last bits; the
same bound holds between a request and a row of a file.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenRecord:
    """One input and the original model's answer to it."""

    input: Mapping[str, Scalar]
    output: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenInputs:
    """Golden inputs as they were written, and as the model gets them."""

    records: tuple[Mapping[str, Scalar], ...]
    columns: Mapping[str, Sequence[Scalar]]


def read_inputs(data: bytes, schema: Schema) -> GoldenInputs:
    """
    Read golden inputs, one JSON object of input columns a line, and check them against the schema.

    Raises
    ------
    GoldenInvalidError
        When a line is no such object, breaks the schema, or there are none or too many.
    """
    if len(data) > MAXIMUM_BYTES:
        raise GoldenInvalidError(line=0, problem=f"they are larger than {MAXIMUM_BYTES} bytes")
    lines = [(n, line) for n, line in enumerate(data.splitlines(), start=1) if line.strip()]
    if not 0 < len(lines) <= MAXIMUM_RECORDS:
        raise GoldenInvalidError(line=0, problem=f"there must be 1 to {MAXIMUM_RECORDS} records")
    records = tuple(_record(n, line) for n, line in lines)
    for (number, _), record in zip(lines, records, strict=True):
        if set(record) != set(records[0]):
            raise GoldenInvalidError(
                line=number, problem="it has other columns than the first record"
            )
    checked = _checked(
        schema, {name: [r[name] for r in records] for name in records[0]}, lines[0][0]
    )
    if not all(checked.accepted):
        row = list(checked.accepted).index(False)
        broken = next(v for v in checked.violations if v.row == row)
        raise GoldenInvalidError(line=lines[row][0], problem=broken.message)
    return GoldenInputs(records=records, columns=checked.columns)


def _checked(schema: Schema, columns: Mapping[str, Sequence[object]], line: int) -> Checked:
    try:
        return Contract(schema).check(columns)
    except InvalidError as problem:
        raise GoldenInvalidError(line=line, problem=problem.message) from None


def _record(number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise GoldenInvalidError(line=number, problem=f"not JSON: {problem}") from None
    if not isinstance(record, dict) or not record:
        raise GoldenInvalidError(line=number, problem="not a JSON object of columns")
    return record


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key stands twice")
    return record


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def write_golden(
    records: Sequence[Mapping[str, Scalar]], answers: Mapping[str, Sequence[Scalar]]
) -> str:
    """Write golden records with their answers, JSON lines ``{"input": {...}, "output": {...}}``."""
    lines = []
    for row, record in enumerate(records):
        output = {name: values[row] for name, values in answers.items()}
        lines.append(
            json.dumps({"input": record, "output": output}, ensure_ascii=False, allow_nan=False)
        )
    return "\n".join(lines) + "\n"


def read_golden(data: bytes) -> tuple[GoldenRecord, ...]:
    """
    Read a snapshot's golden records.

    Raises
    ------
    GoldenInvalidError
        When a line is not of the form that `write_golden` gives.

    Examples
    --------
    >>> read_golden(b'{"input": {"age": 30}, "output": {"score": 0.5}}')[0].output
    {'score': 0.5}
    """
    records = []
    for number, line in enumerate(data.splitlines(), start=1):
        record = _record(number, line)
        if set(record) != {"input", "output"} or not all(
            isinstance(v, dict) for v in record.values()
        ):
            raise GoldenInvalidError(line=number, problem="not an object of input and output")
        records.append(GoldenRecord(input=record["input"], output=record["output"]))
    return tuple(records)


def largest_difference(
    alone: Mapping[str, Sequence[Scalar]], together: Mapping[str, Sequence[Scalar]]
) -> float:
    """
    Compare two sets of answers to the same rows.

    Parameters
    ----------
    alone, together
        Output columns, equally long.

    Returns
    -------
    float
        The largest difference between two numbers, relative to the larger of them or to 1; at most `ROUNDING`.

    Raises
    ------
    RowsDisagreeError
        When two numbers differ by more, or any other value at all.

    Examples
    --------
    >>> largest_difference({"score": [0.5]}, {"score": [0.5]})
    0.0
    """
    largest = 0.0
    for column, values in alone.items():
        for row, (one, other) in enumerate(zip(values, together[column], strict=True)):
            apart = _apart(one, other)
            if apart > ROUNDING:
                raise RowsDisagreeError(
                    row=row, column=column, alone=repr(one), together=repr(other)
                )
            largest = max(largest, apart)
    return largest


def _apart(one: Scalar, other: Scalar) -> float:
    if one == other and type(one) is type(other):
        return 0.0
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) / max(1.0, abs(one), abs(other))
    return math.inf
