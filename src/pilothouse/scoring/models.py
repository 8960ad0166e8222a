"""What a hosted model is to the entry: something that scores columns, and the contract that it keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pilothouse.domain.contracts import Contract
from pilothouse.domain.desired import DesiredDeployment
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.schemas import ColumnRole, OnViolation, Scalar, Schema

Columns = Mapping[str, Sequence[Scalar]]


class Scorer(Protocol):
    """Something that scores; its calls come one at a time."""

    @property
    def inline(self) -> bool:
        """Whether `score` is so quick that it may run in the event loop; otherwise it gets a thread."""
        ...

    @property
    def isolation(self) -> str:
        """What stands between the model and the host, in words."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it can still score; once False it stays so, and the snapshot is opened anew."""
        ...

    def score(self, columns: Columns, rows: int) -> Mapping[str, Sequence[Scalar]]:
        """
        Score a table.

        Parameters
        ----------
        columns
            The predictors, each of length `rows`, already checked.
        rows
            How many, at least 1.

        Returns
        -------
        Mapping[str, Sequence[Scalar]]
            The output columns, each of length `rows`.
        """
        ...

    def close(self) -> None:
        """Let go of everything; calls that still run end with an error."""
        ...


class OutputBrokenError(PilothouseError):
    """A model's answer is not what its snapshot promises."""

    code = "output-broken"

    def __init__(self, *, snapshot: str, problem: str) -> None:
        self.snapshot, self.problem = snapshot, problem
        super().__init__(
            f"Snapshot {snapshot} answered with something else than its output schema promises: {problem}. "
            "No answer was given; correct the model and take a new snapshot."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenModel:
    """
    A snapshot opened for scoring.

    Attributes
    ----------
    scorer
        What scores.
    inputs, outputs
        The snapshot's schemas.
    platform
        The format's name, for metadata.
    """

    scorer: Scorer
    inputs: Schema
    outputs: Schema
    platform: str


OpenScorer = Callable[[DesiredDeployment], OpenModel]


class OutputContract:
    """
    The check of a model's answers against its output schema.

    Parameters
    ----------
    snapshot
        The snapshot's name, for the error.
    schema
        What it promises.
    """

    def __init__(self, *, snapshot: str, schema: Schema) -> None:
        # The contract asks for predictors only; here every column is asked for, whatever its role.
        asked = tuple(replace(c, role=ColumnRole.PREDICTOR) for c in schema.columns)
        self._contract = Contract(Schema(columns=asked, on_violation=OnViolation.REJECT))
        self._snapshot = snapshot

    def check(self, outputs: Columns, rows: int) -> Columns:
        """
        Give the output columns back in the schema's order.

        Raises
        ------
        OutputBrokenError
            When a column is missing, unknown, of another length, or holds a value that the schema forbids.
        """
        try:
            checked = self._contract.check(outputs)
        except PilothouseError as problem:
            raise OutputBrokenError(
                snapshot=self._snapshot, problem=problem.message.partition(". ")[0]
            ) from None
        if checked.violations:
            raise OutputBrokenError(snapshot=self._snapshot, problem=checked.violations[0].message)
        if len(checked.accepted) != rows:
            raise OutputBrokenError(
                snapshot=self._snapshot, problem=f"{len(checked.accepted)} rows for {rows} asked"
            )
        return checked.columns
