"""Asking the model for a block of rows, so that one bad row costs that row and not the block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pilothouse.scoring.model_errors import ModelFailedError, OutputInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.schemas import Scalar

    Columns = Mapping[str, Sequence[Scalar]]

MAXIMUM_MODEL_REJECTS = 100

RowError = ModelFailedError | OutputInvalidError


class Model(Protocol):
    """A loaded model, as `ModelProcess` is one."""

    def score(self, columns: Columns, rows: int) -> dict[str, list[Scalar]]:
        """Give the output columns, checked."""
        ...

    def metrics(
        self, columns: Columns, outputs: Columns, truth: Sequence[Scalar]
    ) -> dict[str, float]:
        """Give the model's own metrics."""
        ...


class Asking:
    """
    Asks a model and finds the rows that it cannot answer for.

    A block that the model fails on is halved until the rows at fault stand alone. A model that fails on more
    than `MAXIMUM_MODEL_REJECTS` rows of one job is at fault itself: its error goes through.

    Parameters
    ----------
    model
        Whom to ask.
    names
        The output columns.
    """

    def __init__(self, model: Model, *, names: Sequence[str]) -> None:
        self._model, self._names = model, tuple(names)
        self._failures = 0

    def answer(self, columns: Columns, rows: int) -> tuple[Columns, Mapping[int, RowError]]:
        """
        Score rows.

        Parameters
        ----------
        columns
            Accepted values, each of length `rows`.
        rows
            How many, at least 1.

        Returns
        -------
        tuple
            The outputs of the rows that were answered, in order; and the errors of the others by position.

        Raises
        ------
        ModelFailedError, OutputInvalidError
            When too many rows fail.
        ModelDiedError, ModelTimeoutError
            When the model's process is gone.
        """
        outputs: dict[str, list[Scalar]] = {name: [] for name in self._names}
        failed: dict[int, RowError] = {}
        parts = [(0, rows)]
        while parts:
            low, high = parts.pop()
            part = columns if (low, high) == (0, rows) else _part(columns, low, high)
            try:
                answer = self._model.score(part, high - low)
            except (ModelFailedError, OutputInvalidError) as problem:
                if high - low == 1:
                    failed[low] = self._counted(problem)
                else:
                    middle = (low + high) // 2
                    parts += [(middle, high), (low, middle)]
                continue
            for name in self._names:
                outputs[name].extend(answer[name])
        return outputs, failed

    def _counted(self, problem: RowError) -> RowError:
        self._failures += 1
        if self._failures > MAXIMUM_MODEL_REJECTS:
            raise problem
        return problem


def _part(columns: Columns, low: int, high: int) -> Columns:
    return {name: values[low:high] for name, values in columns.items()}
