"""Stages: a company's own list and order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.access import EVERY_GROUP, Action
from pilothouse.domain.ids import StageName
from pilothouse.domain.stages import Stage

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.ports.unit_of_work import OpenWork


class Stages:
    """Define stages and list them in order."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def define(self, who: Principal, *, name: str, position: int, production: bool) -> Stage:
        """Add a stage at a position of the path."""
        who.require(Action.ADMINISTER, group=EVERY_GROUP)
        with self._open_work(who) as work:
            stage = work.stages.add(
                Stage(
                    name=StageName(name),
                    position=position,
                    production=production,
                    created_at=work.at,
                )
            )
            work.audit.record(
                "define",
                noun="stage",
                subject=name,
                group=EVERY_GROUP,
                detail={"position": position, "production": production},
            )
            return work.commit(stage)

    def listed(self, who: Principal) -> tuple[Stage, ...]:
        """Give all stages, in the order of the path."""
        with self._open_work.reading(who) as work:
            return tuple(sorted(work.stages.all(), key=lambda s: (s.position, s.name)))
