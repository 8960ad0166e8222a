"""Where scored rows go: into a table, or into metrics."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from pilothouse.domain.jobs import JobKind
from pilothouse.scoring.batch.errors import JobKindError
from pilothouse.scoring.tables.formats import loaded, open_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pilothouse.domain.jobs import JobOrder, TableFormat
    from pilothouse.scoring.batch.asking import Model
    from pilothouse.scoring.batch.measures import Measures, OwnMeasures
    from pilothouse.scoring.batch.plan import Plan
    from pilothouse.scoring.batch.records import Scored, Tally
    from pilothouse.scoring.tables.blocks import TableWriter

METRICS_ENTRY_POINT = "metrics"


class Sink(Protocol):
    """
    Takes scored rows.

    Attributes
    ----------
    table
        The name of the table that it writes, or None.
    """

    table: str | None

    def take(self, scored: Scored) -> None:
        """Take a block's scored rows, at least one."""
        ...

    def metrics(self, model: Model, tally: Tally) -> Mapping[str, float | None]:
        """Give the metrics once all rows are taken."""
        ...


class TableSink:
    """Writes identifiers, columns passed through and the model's outputs."""

    def __init__(self, plan: Plan, writer: TableWriter, *, table: str) -> None:
        self.table: str | None = table
        self._kept = tuple(c.name for c in plan.kept)
        self._writer = writer

    def take(self, scored: Scored) -> None:
        """Write a block's rows."""
        kept = {name: scored.inputs[name] for name in self._kept}
        self._writer.write({**kept, **scored.outputs})

    def metrics(self, model: Model, tally: Tally) -> Mapping[str, float | None]:
        """Give none: a scoring job does not know the truth."""
        return {}


class MetricsSink:
    """Gathers labels and answers, for the platform's metrics and for the model's own."""

    table: str | None = None

    def __init__(self, measures: Measures, own: OwnMeasures | None) -> None:
        self._measures, self._own = measures, own

    def take(self, scored: Scored) -> None:
        """Gather a block's rows."""
        self._measures.take(scored)
        if self._own is not None:
            self._own.take(scored)

    def metrics(self, model: Model, tally: Tally) -> Mapping[str, float | None]:
        """Measure; the model's own metrics are merged in."""
        found = self._measures.metrics(tally)
        return found if self._own is None else self._own.merged(model, found)


@contextmanager
def open_sink(order: JobOrder, plan: Plan, folder: Path) -> Iterator[Sink]:
    """
    Open what an order's rows go into.

    Raises
    ------
    MissingExtraError
        When it needs a library that is not installed.
    JobKindError
        When no rows are scored by jobs of this kind.
    """
    if plan.label is not None:
        yield _metrics_sink(plan, label=plan.label.name)
        return
    if order.kind is not JobKind.SCORE or order.target is None:
        raise JobKindError(kind=order.kind.value)
    table = table_name(order.target.format)
    with open_writer(folder / table, order.target.format, plan.output) as writer:
        yield TableSink(plan, writer, table=table)


def table_name(form: TableFormat) -> str:
    """Give the name of the scored table in its folder."""
    return f"part-00000.{form.value}"


def _metrics_sink(plan: Plan, *, label: str) -> MetricsSink:
    measures = loaded("pilothouse.scoring.batch.measures", purpose="Measuring a snapshot")
    own = None
    if METRICS_ENTRY_POINT in plan.manifest.entry_points:
        predictors = tuple(c.name for c in plan.manifest.inputs.predictors)
        own = measures.OwnMeasures(predictors=predictors, label=label)
    return MetricsSink(measures.Measures(label=plan.label, outputs=plan.manifest.outputs), own)
