"""Records of requests as rows of the log's tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import msgspec
import pyarrow as pa

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.plain import from_plain
from pilothouse.domain.prediction_logs import LogPolicy
from pilothouse.domain.schemas import Schema
from pilothouse.scoring.log.privacy import Place, Treatment, key_column, treatments
from pilothouse.scoring.log.records import EPOCH, RecordInvalidError, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pilothouse.domain.prediction_logs import SensitiveLogging
    from pilothouse.domain.schemas import Column, Scalar
    from pilothouse.scoring.log.privacy import Hasher
    from pilothouse.scoring.log.records import Described, Observation, Scored

TIME = pa.timestamp("us", tz="UTC")
_json = msgspec.json.Encoder().encode


class TableName(StrEnum):
    """The tables of a stage's log."""

    PREDICTIONS = "predictions"
    PROTECTED = "protected"
    OUTCOMES = "outcomes"


_ROW = (("service", pa.string()), ("day", pa.date32()), ("at", TIME), ("prediction_id", pa.string()), ("row", pa.int32()))  # fmt: skip
SCHEMAS = {
    TableName.PREDICTIONS: pa.schema(
        (
            *_ROW,
            ("key", pa.string()),
            ("sticky_key", pa.string()),
            ("snapshot", pa.string()),
            ("digest", pa.string()),
            ("deployment", pa.string()),
            ("role", pa.string()),
            ("route_generation", pa.int64()),
            ("latency_us", pa.int64()),
            ("sampling", pa.float64()),
            ("inputs", pa.string()),
            ("outputs", pa.string()),
            ("flags", pa.string()),
        )
    ),
    TableName.PROTECTED: pa.schema((*_ROW, ("values", pa.string()))),
    TableName.OUTCOMES: pa.schema(
        (
            ("service", pa.string()),
            ("day", pa.date32()),
            ("at", TIME),
            ("outcome_id", pa.string()),
            ("prediction_id", pa.string()),
            ("row", pa.int32()),
            ("key", pa.string()),
            ("value", pa.string()),
            ("label_at", TIME),
            ("token", pa.string()),
        )
    ),
}


class Model(NamedTuple):
    """A snapshot as its segment describes it."""

    snapshot: str
    inputs: Schema
    outputs: Schema


def model_of(described: Described) -> Model:
    """
    Read a snapshot's description.

    Raises
    ------
    RecordInvalidError
        When its schemas are none.
    """
    try:
        inputs, outputs = (
            from_plain(Schema, json.loads(text)) for text in (described.inputs, described.outputs)
        )
    except (InvalidError, ValueError, RecursionError) as problem:
        raise RecordInvalidError(problem=f"a schema: {problem}"[:200]) from None
    return Model(described.snapshot, inputs, outputs)


def kept(record: Scored) -> bool:
    """
    Say whether a request's rows are kept, at its share: always the same for one prediction id.

    A shadow's rows are kept where those of the answer are.
    """
    return crc32(record.prediction_id.encode()) < record.sampling * 2**32


class Rows:
    """
    Rows of the tables, collected from records.

    Parameters
    ----------
    logs
        What is wanted of each service; the defaults where one is not named.
    hasher
        For sensitive values.
    """

    def __init__(self, logs: Mapping[str, LogPolicy], *, hasher: Hasher) -> None:
        self._logs, self._hasher = logs, hasher
        self._plans: dict[tuple[str, str], _Plan] = {}
        self._columns: dict[TableName, dict[str, list[object]]] = {
            table: {name: [] for name in schema.names} for table, schema in SCHEMAS.items()
        }

    def scored(self, record: Scored, model: Model, tables: Iterable[TableName]) -> None:
        """
        Add what a deployment scored to some of the tables.

        Raises
        ------
        HashKeyMissingError
            When values must be hashed and there is no key.
        """
        plan = self._plan(record, model)
        wanted = set(tables)
        inputs = plan.inputs_of(record.columns, Place.OPEN, self._hasher)
        restricted = {
            **plan.inputs_of(record.columns, Place.RESTRICTED, self._hasher),
            **plan.outputs_of(record.outputs, Place.RESTRICTED, self._hasher),
        }
        at = _time(record.at_us)
        base: dict[str, Sequence[object]] = {
            "service": [record.service] * record.rows,
            "day": [at.date()] * record.rows,
            "at": [at] * record.rows,
            "prediction_id": [record.prediction_id] * record.rows,
            "row": range(record.first_row, record.first_row + record.rows),
        }
        if TableName.PREDICTIONS in wanted:
            more = self._prediction(record, plan, inputs)
            self._extend(TableName.PREDICTIONS, {**base, **more})
        # A shadow sees the attributes of the request that it shadows: they are there once.
        if TableName.PROTECTED in wanted and restricted and record.role is not Role.SHADOW:
            values = _rows_as_json(restricted, record.rows)
            self._extend(TableName.PROTECTED, {**base, "values": values})

    def observed(self, record: Observation) -> None:
        """Add an outcome."""
        at, key = _time(record.at_us), record.key
        self._extend(
            TableName.OUTCOMES,
            {
                "service": [record.service],
                "day": [at.date()],
                "at": [at],
                "outcome_id": [record.outcome_id],
                "prediction_id": [record.prediction_id],
                "row": [record.row],
                "key": [self._hasher.one(key) if record.sensitive_key else key],
                "value": [_json(record.value).decode()],
                "label_at": [_time(record.label_us)],
                "token": [record.token],
            },
        )

    def tables(self) -> Iterator[tuple[TableName, pa.Table]]:
        """Give the tables that have rows."""
        for table, columns in self._columns.items():
            if columns["service"]:
                yield table, pa.Table.from_pydict(columns, schema=SCHEMAS[table])

    def count(self, table: TableName) -> int:
        """Give how many rows one of them has."""
        return len(self._columns[table]["service"])

    def _prediction(
        self, record: Scored, plan: _Plan, inputs: Mapping[str, Sequence[object]]
    ) -> dict[str, Sequence[object]]:
        rows = record.rows
        flags: dict[int, list[dict[str, str]]] = {}
        for row, column, kind in record.flags:
            flags.setdefault(row - record.first_row, []).append({"column": column, "kind": kind})
        outputs = plan.outputs_of(record.outputs, Place.OPEN, self._hasher)
        return {
            "key": plan.keys(record, self._hasher),
            "sticky_key": [plan.sticky(record.key, self._hasher)] * rows,
            "snapshot": [record.snapshot] * rows,
            "digest": [record.digest] * rows,
            "deployment": [record.deployment] * rows,
            "role": [record.role.value] * rows,
            "route_generation": [record.route_generation] * rows,
            "latency_us": [record.latency_us] * rows,
            "sampling": [record.sampling] * rows,
            "inputs": _rows_as_json(inputs, rows),
            "outputs": _rows_as_json(outputs, rows),
            "flags": [_json(flags[i]).decode() if i in flags else None for i in range(rows)],
        }

    def _plan(self, record: Scored, model: Model) -> _Plan:
        at = (record.service, record.digest)
        if at not in self._plans:
            wanted = self._logs.get(record.service, LogPolicy())
            self._plans[at] = _Plan(model, wanted.sensitive)
        return self._plans[at]

    def _extend(self, table: TableName, columns: Mapping[str, Sequence[object]]) -> None:
        target = self._columns[table]
        for name, values in columns.items():
            target[name].extend(values)


class _Plan:
    """What happens to the columns of one snapshot for one service."""

    def __init__(self, model: Model, sensitive: SensitiveLogging) -> None:
        self._inputs = treatments(model.inputs, sensitive)
        self._outputs = treatments(model.outputs, sensitive)
        self._key: Column | None = key_column(model.inputs)

    def inputs_of(
        self, columns: Mapping[str, Sequence[Scalar]], place: Place, hasher: Hasher
    ) -> dict[str, Sequence[object]]:
        """Give the input columns of one place, treated."""
        return _treated(columns, self._inputs, place, hasher)

    def outputs_of(
        self, columns: Mapping[str, Sequence[Scalar]], place: Place, hasher: Hasher
    ) -> dict[str, Sequence[object]]:
        """Give the output columns of one place, treated."""
        return _treated(columns, self._outputs, place, hasher)

    def keys(self, record: Scored, hasher: Hasher) -> Sequence[str | None]:
        """Give the business key of each row, as text."""
        if self._key is None or self._key.name not in record.columns:
            return [None] * record.rows
        texts = [None if v is None else str(v) for v in record.columns[self._key.name]]
        treatment = self._inputs[self._key.name]
        if treatment.place is Place.NOWHERE:
            return [None] * record.rows
        return hasher.column(texts) if treatment.hashed else texts

    def sticky(self, key: str | None, hasher: Hasher) -> str | None:
        """Give the sticky key, which is as sensitive as the business key that it often is."""
        treatment = None if self._key is None else self._inputs[self._key.name]
        if key is None or treatment is None:
            return key
        if treatment.place is Place.NOWHERE:
            return None
        return hasher.one(key) if treatment.hashed else key


def _treated(
    columns: Mapping[str, Sequence[Scalar]],
    treated: Mapping[str, Treatment],
    place: Place,
    hasher: Hasher,
) -> dict[str, Sequence[object]]:
    found: dict[str, Sequence[object]] = {}
    for name, values in columns.items():
        treatment = treated.get(name)
        if treatment is not None and treatment.place is place:
            found[name] = hasher.column(values) if treatment.hashed else values
    return found


def _rows_as_json(columns: Mapping[str, Sequence[object]], rows: int) -> list[str]:
    if not columns:
        return ["{}"] * rows
    names = tuple(columns)
    return [
        _json(dict(zip(names, values, strict=True))).decode()
        for values in zip(*columns.values(), strict=True)
    ]


def _time(microseconds: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)  # no writer of ours records such a time
