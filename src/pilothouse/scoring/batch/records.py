"""The way of a block through a job: check, keep apart what is wrong, score, keep apart what fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, groupby
from typing import TYPE_CHECKING

from pilothouse.domain.jobs import JobProgress
from pilothouse.domain.schemas import Scalar
from pilothouse.scoring.batch.plan import RecordCheck
from pilothouse.scoring.batch.rejects import Cause, violation_causes
from pilothouse.scoring.tables.blocks import RecordProblem

if TYPE_CHECKING:
    from pilothouse.domain.contracts import Checked
    from pilothouse.scoring.batch.asking import Asking, RowError
    from pilothouse.scoring.batch.plan import Plan
    from pilothouse.scoring.batch.rejects import RecordLog
    from pilothouse.scoring.tables.blocks import Block

Columns = Mapping[str, Sequence[Scalar]]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a job has counted so far."""

    read: int = 0
    scored: int = 0
    rejected: int = 0
    flagged: int = 0
    coerced: int = 0

    def progress(self, total: int | None) -> JobProgress:
        """Give the progress, `total` being the number of records of the file where it is known."""
        return JobProgress(
            rows_read=self.read,
            rows_scored=self.scored,
            rows_rejected=self.rejected,
            rows_total=total,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Rows that were scored: their input columns and the model's outputs, in the order of the file."""

    rows: int
    inputs: Columns
    outputs: Columns


class Records:
    """
    Takes blocks through check and model.

    Parameters
    ----------
    plan
        What is read and checked.
    asking
        The model.
    rejected, flagged
        Where records go that are not scored, and that are scored although the schema flags them.
    """

    def __init__(
        self, plan: Plan, asking: Asking, *, rejected: RecordLog, flagged: RecordLog
    ) -> None:
        self._check = RecordCheck(plan)
        self._asking, self._rejected, self._flagged = asking, rejected, flagged
        self.tally = Tally()

    def score(self, block: Block) -> Scored:
        """
        Score a block's good records and keep the others apart.

        Raises
        ------
        PilothouseError
            As `Asking.answer` does.
        """
        checked = self._check.check(block.columns)
        good = [row for row, accepted in enumerate(checked.accepted) if accepted]
        inputs = _chosen(checked.columns, checked.accepted, rows=len(good))
        outputs: Columns = {}
        failed: Mapping[int, RowError] = {}
        if good:
            outputs, failed = self._asking.answer(inputs, len(good))
        if failed:
            answered = [row not in failed for row in range(len(good))]
            inputs = _chosen(inputs, answered, rows=len(good) - len(failed))
        self._keep_apart(block, checked, {good[row]: error for row, error in failed.items()})
        self._count(block, checked, scored=len(good) - len(failed))
        return Scored(rows=len(good) - len(failed), inputs=inputs, outputs=outputs)

    def _count(self, block: Block, checked: Checked, *, scored: int) -> None:
        self.tally.read += block.records
        self.tally.scored += scored
        self.tally.rejected = self._rejected.rows
        self.tally.flagged = self._flagged.rows
        self.tally.coerced += checked.coerced

    def _keep_apart(self, block: Block, checked: Checked, failed: Mapping[int, RowError]) -> None:
        apart: list[tuple[int, Callable[[], None]]] = [
            (u.number, lambda u=u: self._rejected.add_unreadable(u))  # type: ignore[misc]
            for u in block.unreadable
        ]
        for row, found in groupby(checked.violations, key=lambda v: v.row):
            log = self._flagged if checked.accepted[row] else self._rejected
            apart.append(_entry(log, block, row, violation_causes(list(found))))
        for row, error in failed.items():
            apart.append(_entry(self._rejected, block, row, (self._model_cause(error),)))
        for _, write in sorted(apart, key=lambda entry: entry[0]):
            write()

    def _model_cause(self, error: RowError) -> Cause:
        words = "(its words may hold hidden values)" if self._rejected.discreet else error.message
        return Cause(code=f"{RecordProblem.MODEL.value}:{error.code}", column=None, message=words)


def _chosen(columns: Columns, chosen: Sequence[bool], *, rows: int) -> Columns:
    if rows == len(chosen):
        return columns
    return {name: list(compress(values, chosen)) for name, values in columns.items()}


def _entry(
    log: RecordLog, block: Block, row: int, causes: Sequence[Cause]
) -> tuple[int, Callable[[], None]]:
    number = block.numbers[row]
    record = {name: values[row] for name, values in block.columns.items()}
    return number, lambda: log.add(number, causes, record)
