"""Scorers that tests steer: they really score, wait when told, fail when told and die when told."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from pilothouse.domain.schemas import (
    Column,
    ColumnRole,
    DataType,
    OnViolation,
    Scalar,
    Schema,
)
from pilothouse.scoring.models import OpenModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.desired import DesiredDeployment

SEGMENTS = ("retail", "corporate")
OUTPUTS = Schema(
    columns=(
        Column(name="score", type=DataType.NUMBER, role=ColumnRole.SCORE),
        Column(name="answered_by", type=DataType.STRING),
    )
)


def inputs(on_violation: OnViolation = OnViolation.REJECT) -> Schema:
    """Give a schema with one column of every type."""
    return Schema(
        on_violation=on_violation,
        columns=(
            Column(name="amount", type=DataType.NUMBER, minimum=0, maximum=1e6),
            Column(name="age", type=DataType.INTEGER, nullable=True),
            Column(name="abroad", type=DataType.BOOLEAN),
            Column(name="segment", type=DataType.STRING, categories=SEGMENTS),
            Column(name="at", type=DataType.TIMESTAMP),
            Column(name="account", type=DataType.STRING, role=ColumnRole.IDENTIFIER),
        ),
    )


class SteeredScorer:
    """Gives each row twice its amount, and the name of its snapshot."""

    isolation = "none"

    def __init__(self, snapshot: str, *, inline: bool) -> None:
        self.snapshot, self.inline, self.alive = snapshot, inline, True
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.closed = False
        self.seen: list[Mapping[str, Sequence[Scalar]]] = []
        self.raises: Exception | None = None
        self.answer: Mapping[str, Sequence[Scalar]] | None = None

    def score(
        self, columns: Mapping[str, Sequence[Scalar]], rows: int
    ) -> Mapping[str, Sequence[Scalar]]:
        self.entered.release()
        if not self.gate.wait(30):
            raise TimeoutError("nobody opened the gate")
        if not self.alive:
            raise OSError("the process ended")
        self.seen.append(columns)
        if self.raises is not None:
            raise self.raises
        if self.answer is not None:
            return self.answer
        doubled = [float(a) * 2 for a in columns["amount"] if isinstance(a, (int, float))]
        return {"score": doubled, "answered_by": [self.snapshot] * rows}

    def close(self) -> None:
        self.closed = True
        self.alive = False
        self.gate.set()


class Workshop:
    """Opens steered scorers; an opening can be held back or made to fail, by snapshot."""

    def __init__(
        self, *, inline: bool = False, schema: Schema | None = None, outputs: Schema = OUTPUTS
    ) -> None:
        self.inline, self.schema, self.outputs = inline, schema or inputs(), outputs
        self.opened: dict[str, list[SteeredScorer]] = {}
        self.opens: Counter[str] = Counter()
        self._gates: dict[str, threading.Event] = {}
        self.failing: dict[str, Exception] = {}

    def hold(self, snapshot: str) -> threading.Event:
        """Hold back the opening of a snapshot until the event given is set."""
        return self._gates.setdefault(snapshot, threading.Event())

    def last(self, snapshot: str) -> SteeredScorer:
        """Give the scorer that was opened last for a snapshot."""
        return self.opened[snapshot][-1]

    def __call__(self, want: DesiredDeployment) -> OpenModel:
        self.opens[want.snapshot] += 1
        gate = self._gates.get(want.snapshot)
        if gate is not None and not gate.wait(30):
            raise TimeoutError("nobody opened the gate")
        if want.snapshot in self.failing:
            raise self.failing[want.snapshot]
        scorer = SteeredScorer(want.snapshot, inline=self.inline)
        self.opened.setdefault(want.snapshot, []).append(scorer)
        return OpenModel(
            scorer=scorer, inputs=self.schema, outputs=self.outputs, platform="steered"
        )
