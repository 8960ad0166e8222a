"""Routes: which snapshots answer for a service in a stage, with what share."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.ids import GroupName, ServiceTag, SnapshotId, StageName


class RouteInvalidError(InvalidError):
    """A route's weights make no sense."""

    code = "route-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The route cannot be set: {problem}. Give each snapshot one weight above 0."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A snapshot's part in a route: a relative weight, or for a shadow the fraction of requests it sees."""

    snapshot_id: SnapshotId
    snapshot: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The weighted and shadow variants of one service in one stage; no variants means nobody answers."""

    id: str
    group: GroupName
    service: ServiceTag
    stage: StageName
    generation: int
    variants: tuple[Variant, ...]
    shadows: tuple[Variant, ...]
    changed_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        for part in (self.variants, self.shadows):
            if len({v.snapshot_id for v in part}) != len(part):
                raise RouteInvalidError(problem="a snapshot stands in it twice")
        if any(not math.isfinite(v.weight) or v.weight <= 0 for v in self.variants):
            raise RouteInvalidError(problem="a weight is not a finite number above 0")
        if not math.isfinite(sum(v.weight for v in self.variants)):
            raise RouteInvalidError(problem="the weights together are too large to divide by")
        if any(not 0 < v.weight <= 1 for v in self.shadows):
            raise RouteInvalidError(problem="a shadow's share is not in (0, 1]")

    def share(self, snapshot_id: SnapshotId) -> float:
        """Give the fraction of requests that a snapshot answers, 0 to 1."""
        total = sum(v.weight for v in self.variants)
        return (
            sum(v.weight for v in self.variants if v.snapshot_id == snapshot_id) / total
            if total
            else 0.0
        )

    def shifted(
        self, snapshot_id: SnapshotId, snapshot: str, *, share: float
    ) -> tuple[Variant, ...]:
        """
        Give the variants that leave a snapshot a share of the requests, the others keeping their proportions.

        Raises
        ------
        RouteInvalidError
            When nobody would answer the rest.
        """
        others = [v for v in self.variants if v.snapshot_id != snapshot_id]
        if share < 1 and not others:
            raise RouteInvalidError(problem=f"nobody besides {snapshot} would answer the rest")
        total = sum(v.weight for v in others)
        rest = tuple(replace(v, weight=(1 - share) * v.weight / total) for v in others if share < 1)
        own = Variant(snapshot_id=snapshot_id, snapshot=snapshot, weight=share)
        return (own, *rest) if share > 0 else rest

    def changed(
        self, *, variants: tuple[Variant, ...], shadows: tuple[Variant, ...], at: datetime
    ) -> Route:
        """Give the next generation of the route."""
        return replace(
            self, generation=self.generation + 1, variants=variants, shadows=shadows, changed_at=at
        )
