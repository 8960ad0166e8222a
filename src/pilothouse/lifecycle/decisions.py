"""Decisions: the decision tables that a group uses now, evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.dmn import Decisions as DecisionFile
from pilothouse.dmn import read_decisions
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.lifecycles import DefinitionKind
from pilothouse.lifecycle.definitions import CURE, latest_active
from pilothouse.lifecycle.library import Shelf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn.outcomes import FiredRule
    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import GroupName
    from pilothouse.ports.unit_of_work import OpenWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a decision gave: ``key@version``, its plain value, and the rules that fired, plain."""

    decision: str
    value: object
    rules: tuple[Mapping[str, object], ...]

    @property
    def rule(self) -> str | None:
        """The ids of the rules that fired in the table itself."""
        return ", ".join(str(rule["rule"]) for rule in self.rules) or None


class Decisions:
    """Evaluate the latest active version of a decision."""

    def __init__(self, *, open_work: OpenWork, size: int = 64) -> None:
        self._open_work = open_work
        self._files: Shelf[str, DecisionFile] = Shelf(size=size)

    def decide(
        self, who: Principal, *, group: GroupName, key: str, context: Mapping[str, object]
    ) -> Decided:
        """
        Evaluate a decision over a context.

        Raises
        ------
        NotFoundError
            When the group has no active decision of this key.
        DmnValueError, DmnConflictError
            When the table cannot be evaluated over this context.
        """
        with self._open_work.reading(who) as work:
            found = latest_active(work, key=key, kind=DefinitionKind.DMN, group=group)
        if found is None:
            raise NotFoundError(noun="decision", name=key, cure=CURE)
        file = self._files.get(found.sha256, lambda: read_decisions(found.xml.encode()))
        outcome = file.evaluate(key, context)
        return Decided(
            decision=found.full_name,
            value=outcome.plain()["value"],
            rules=tuple(_plain(rule) for rule in outcome.fired),
        )


def _plain(rule: FiredRule) -> Mapping[str, object]:
    return dict(rule.plain())
