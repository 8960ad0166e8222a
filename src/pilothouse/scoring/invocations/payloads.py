"""
The bodies that MLflow's scoring protocol knows, as columns to be checked.

Values are taken as the JSON has them and never guessed at; what is not of its column's type is for the check
of the schema to refuse.

References
----------
.. [1] MLflow, "Local inference server specification", payload formats.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.domain.schemas import DataType
from pilothouse.oip.elements import EXACT_INTEGER
from pilothouse.oip.errors import ParameterInvalidError, ProtocolError
from pilothouse.scoring.open_inference import STICKY_KEY
from pilothouse.scoring.tables.cells import cell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pilothouse.domain.schemas import Column, Schema

    Table = Callable[[Schema], Mapping[str, Sequence[object]]]


class InvocationMalformedError(ProtocolError):
    """A body is none that MLflow's scoring protocol knows."""

    code = "invocation-malformed"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The body is not of MLflow's scoring protocol: {problem}. Send a JSON object with exactly one of "
            "'dataframe_split', 'dataframe_records', 'instances' and 'inputs', or CSV with a header."
        )


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table by its columns' names and its rows; an index means nothing here."""

    columns: list[str]
    data: list[list[object]]
    index: list[object] = []


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON body; exactly one of the first four is there."""

    dataframe_split: Split | msgspec.UnsetType = msgspec.UNSET
    dataframe_records: list[dict[str, object]] | msgspec.UnsetType = msgspec.UNSET
    instances: list[object] | msgspec.UnsetType = msgspec.UNSET
    inputs: list[object] | dict[str, list[object]] | msgspec.UnsetType = msgspec.UNSET
    params: dict[str, object] | None = None


_DECODER = msgspec.json.Decoder(Payload)


class Invocation:
    """
    A request that has been read.

    Parameters
    ----------
    table
        Gives the columns for a schema.
    sticky_key
        The key that always meets the same variant, where the parameters hold one.
    """

    outputs: Sequence[str] = ()

    def __init__(self, table: Table, *, sticky_key: str | None = None) -> None:
        self._table, self.sticky_key = table, sticky_key

    def columns(self, schema: Schema) -> Mapping[str, Sequence[object]]:
        """
        Give the columns.

        Raises
        ------
        InvocationMalformedError
            When rows without names are not as wide as the model asks.
        """
        return self._table(schema)


def from_json(body: bytes) -> Invocation:
    """
    Read a JSON body.

    Raises
    ------
    InvocationMalformedError
        When it is none of the protocol's.
    ParameterInvalidError
        For a parameter that no model here takes.
    """
    try:
        payload = _DECODER.decode(body)
    except RecursionError:
        raise InvocationMalformedError(problem="it is nested too deep") from None
    except UnicodeDecodeError:
        raise InvocationMalformedError(problem="it is not UTF-8") from None
    except msgspec.DecodeError as problem:
        raise InvocationMalformedError(problem=str(problem)) from None
    given = [t for t in (_split(payload), _records(payload), _rows(payload), _inputs(payload)) if t]
    if len(given) != 1:
        raise InvocationMalformedError(problem=f"it has {len(given)} tables")
    return Invocation(given[0], sticky_key=_sticky_key(payload.params or {}))


def _sticky_key(params: Mapping[str, object]) -> str | None:
    for name in params:
        if name != STICKY_KEY:
            raise ParameterInvalidError(parameter=name, problem="is taken by no model here")
    key = params.get(STICKY_KEY)
    if key is not None and (not isinstance(key, str) or not key):
        raise ParameterInvalidError(parameter=STICKY_KEY, problem="is not a text")
    return key


def _split(payload: Payload) -> Table | None:
    split = payload.dataframe_split
    if split is msgspec.UNSET:
        return None
    if len(set(split.columns)) != len(split.columns):
        raise InvocationMalformedError(problem="a column stands twice")
    _check_widths(split.data, len(split.columns))
    return _named(dict(zip(split.columns, zip(*split.data, strict=True), strict=True)))


def _records(payload: Payload) -> Table | None:
    records = payload.dataframe_records
    return None if records is msgspec.UNSET else _of_records(records)


def _rows(payload: Payload) -> Table | None:
    rows = payload.instances
    return None if rows is msgspec.UNSET else _of_list(rows)


def _inputs(payload: Payload) -> Table | None:
    inputs = payload.inputs
    if inputs is msgspec.UNSET:
        return None
    if isinstance(inputs, list):
        return _of_list(inputs)
    if not all(inputs.values()):
        raise InvocationMalformedError(problem="it has no rows")
    return _named(inputs)


def _of_list(rows: list[Any]) -> Table:
    """Read a list: of records, of rows in the schema's order, or of the values of one column."""
    if rows and all(isinstance(r, dict) for r in rows):
        return _of_records(rows)
    listed = [r if isinstance(r, list) else [r] for r in rows]
    _check_widths(listed, len(listed[0]) if listed else 0)
    columns = list(zip(*listed, strict=True))

    def table(schema: Schema) -> Mapping[str, Sequence[object]]:
        asked = schema.predictors
        if len(columns) != len(asked):
            raise InvocationMalformedError(
                problem=f"its rows have {len(columns)} values and the model asks for {len(asked)}"
            )
        return {c.name: _in_array(c, v) for c, v in zip(asked, columns, strict=True)}

    return table


def _of_records(records: list[dict[str, object]]) -> Table:
    if not records:
        raise InvocationMalformedError(problem="it has no rows")
    names = records[0].keys()
    for index, record in enumerate(records):
        if record.keys() != names:
            raise InvocationMalformedError(
                problem=f"record {index} has other columns than the first"
            )
    return _named({name: [r[name] for r in records] for name in names})


def _check_widths(rows: Sequence[Sequence[object]], width: int) -> None:
    if not rows or not width:
        raise InvocationMalformedError(problem="it has no rows, or no columns")
    for index, row in enumerate(rows):
        if len(row) != width:
            raise InvocationMalformedError(
                problem=f"row {index} has {len(row)} values where {width} are wanted"
            )


def _named(columns: Mapping[str, Sequence[object]]) -> Table:
    def table(schema: Schema) -> Mapping[str, Sequence[object]]:
        known = {c.name: c for c in schema.columns}
        return {n: _as_sent(known.get(n), values) for n, values in columns.items()}

    return table


def _as_sent(column: Column | None, values: Sequence[object]) -> Sequence[object]:
    """Give the values; JSON writes 30.0 as 30 too, so a whole number is a float in a column of numbers."""
    if column is None or column.type is not DataType.NUMBER or int not in set(map(type, values)):
        return values
    return [float(v) if type(v) is int and abs(v) <= EXACT_INTEGER else v for v in values]


def _in_array(column: Column, values: Sequence[Any]) -> Sequence[object]:
    """Give the values; an array has one type for all columns, so 30.0 stands for an integer in it."""
    if column.type is not DataType.INTEGER:
        return _as_sent(column, values)
    return [
        int(v) if type(v) is float and v.is_integer() and abs(v) <= EXACT_INTEGER else v
        for v in values
    ]


def from_csv(body: bytes) -> Invocation:
    """
    Read CSV with a header; an empty cell is null, whether quoted or not.

    Raises
    ------
    InvocationMalformedError
        When it is no UTF-8, has no header or no rows, or a line of another number of cells.
    """
    try:
        lines = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        names = next(lines, [])
        rows = [row or [""] for row in lines if row or len(names) == 1]
    except UnicodeDecodeError:
        raise InvocationMalformedError(problem="it is not UTF-8") from None
    except csv.Error as problem:
        raise InvocationMalformedError(problem=str(problem)) from None
    if len(set(names)) != len(names):
        raise InvocationMalformedError(problem="a column stands twice")
    _check_widths(rows, len(names))
    texts = dict(zip(names, zip(*rows, strict=True), strict=True))

    def table(schema: Schema) -> Mapping[str, Sequence[object]]:
        types = {c.name: c.type for c in schema.columns}
        return {
            name: [cell(v, types.get(name, DataType.STRING)) if v else None for v in values]
            for name, values in texts.items()
        }

    return Invocation(table)
