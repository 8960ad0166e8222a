"""What a job reads of its file, what it checks, and what it passes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.domain.contracts import Checked, ColumnsDifferError, Contract
from pilothouse.domain.jobs import JobKind, JobOrder, TableFormat
from pilothouse.domain.schemas import Column, ColumnRole, DataType, Scalar, Schema
from pilothouse.scoring.batch.errors import (
    ColumnsCollideError,
    ColumnUntypedError,
    LabelMissingError,
)

if TYPE_CHECKING:
    from pilothouse.domain.snapshots import Manifest
    from pilothouse.scoring.tables.blocks import TableReader

Columns = Mapping[str, Sequence[Scalar]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    Which columns of a file a job uses, and how.

    Attributes
    ----------
    manifest
        The model's own description.
    asked
        Columns that the input schema checks: what the model sees, and identifiers that the file has.
    extras
        Columns beside them that the order asks for: passed through, or the label.
    kept
        Columns of the output before the model's own.
    label
        The column of the truth, for metrics.
    """

    manifest: Manifest
    asked: tuple[Column, ...]
    extras: tuple[Column, ...]
    kept: tuple[Column, ...]
    label: Column | None

    @property
    def read(self) -> tuple[Column, ...]:
        """Every column to read."""
        return self.asked + self.extras

    @property
    def output(self) -> tuple[tuple[str, DataType], ...]:
        """Name and type of every column of the scored table."""
        return tuple((c.name, c.type) for c in (*self.kept, *self.manifest.outputs.columns))


def plan(order: JobOrder, manifest: Manifest, reader: TableReader) -> Plan:
    """
    Settle which columns a job uses.

    Raises
    ------
    ColumnsDifferError
        When the file lacks a column.
    ColumnsCollideError
        When a column passed through has the name of an output.
    ColumnUntypedError
        When nobody says what type a column has.
    LabelMissingError
        When metrics are asked for and nobody names the truth.
    """
    schema = manifest.inputs
    asked = tuple(c for c in schema.columns if c.asked or (c.accepted and reader.has(c.name)))
    label = _label(order, manifest, reader)
    passed = tuple(_typed(name, order, schema, reader) for name in dict.fromkeys(order.columns))
    known = {c.name for c in asked}
    extras = {c.name: c for c in (*passed, *((label,) if label else ())) if c.name not in known}
    _refuse_missing((*asked, *extras.values()), reader)
    identifiers = tuple(c for c in asked if c.role is ColumnRole.IDENTIFIER)
    kept = tuple({c.name: c for c in (*identifiers, *passed)}.values())
    _refuse_collision(kept, manifest.outputs)
    return Plan(
        manifest=manifest, asked=asked, extras=tuple(extras.values()), kept=kept, label=label
    )


def _label(order: JobOrder, manifest: Manifest, reader: TableReader) -> Column | None:
    if order.kind is not JobKind.METRICS:
        return None
    if order.label is not None:
        named = manifest.inputs.named(order.label)
        if named is not None:
            return named
        _refuse_missing((Column(name=order.label, type=DataType.STRING),), reader)
        kind = reader.type_of(order.label)
        # A CSV file has no types; a truth of the same name as the model's own label has its type.
        foretold = manifest.outputs.named(order.label)
        if kind is None and foretold is not None and foretold.role is ColumnRole.LABEL:
            kind = foretold.type
        if kind is None:
            raise ColumnUntypedError(column=order.label)
        return Column(name=order.label, type=kind)
    if manifest.inputs.label is None:
        raise LabelMissingError(snapshot=order.snapshot)
    return manifest.inputs.label


def _typed(name: str, order: JobOrder, schema: Schema, reader: TableReader) -> Column:
    """Give a column to pass through: typed by the schema, by the file, or as the text that CSV has."""
    named = schema.named(name)
    if named is not None:
        return named
    unknown = Column(name=name, type=DataType.STRING, nullable=True)
    _refuse_missing((unknown,), reader)
    kind = reader.type_of(name)
    if kind is not None:
        return replace(unknown, type=kind)
    if order.source is not None and order.source.format is TableFormat.CSV:
        return unknown
    raise ColumnUntypedError(column=name)


def _refuse_missing(columns: Sequence[Column], reader: TableReader) -> None:
    if not reader.fixed:  # each record answers for itself
        return
    missing = tuple(c.name for c in columns if not reader.has(c.name))
    if missing:
        raise ColumnsDifferError(missing=missing, unknown=())


def _refuse_collision(kept: Sequence[Column], outputs: Schema) -> None:
    twice = tuple(c.name for c in kept if outputs.named(c.name) is not None)
    if twice:
        raise ColumnsCollideError(columns=twice)


class RecordCheck:
    """
    The check of a block's columns: by the input schema, and the extras by their own columns.

    Parameters
    ----------
    plan
        What is read.
    """

    def __init__(self, plan: Plan) -> None:
        schema = plan.manifest.inputs
        self._asked = Contract(schema, strict_columns=False)
        self._extras: Contract | None = None
        if plan.extras:
            # A contract asks for predictors only; here every column is asked for, whatever its role.
            extras = tuple(replace(c, role=ColumnRole.PREDICTOR) for c in plan.extras)
            self._extras = Contract(
                Schema(columns=extras, on_violation=schema.on_violation), strict_columns=False
            )

    def check(self, columns: Mapping[str, Sequence[object]]) -> Checked:
        """Check a block's columns, as `Contract.check` does."""
        checked = self._asked.check(columns)
        if self._extras is None:
            return checked
        beside = self._extras.check(columns)
        return Checked(
            columns={**checked.columns, **beside.columns},
            accepted=[a and b for a, b in zip(checked.accepted, beside.accepted, strict=True)],
            violations=sorted((*checked.violations, *beside.violations), key=lambda v: v.row),
            coerced=checked.coerced + beside.coerced,
        )
