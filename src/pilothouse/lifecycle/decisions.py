"""Decisions: what the decision files that a group uses now say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.dmn import DEFAULT_STEPS, read_decisions
from pilothouse.dmn import Decisions as DecisionFile
from pilothouse.domain.errors import NotFoundError
from pilothouse.feel import Budget
from pilothouse.lifecycle.imports import pinned
from pilothouse.lifecycle.library import Shelf
from pilothouse.lifecycle.lookup import CURE, decision_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn.outcomes import FiredRule
    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import Definition
    from pilothouse.ports.unit_of_work import OpenWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """
    What a decision gave.

    Attributes
    ----------
    decision
        The definition that it was taken by, ``key@version``.
    value
        The plain value.
    rules
        The rules that fired in the decision itself, plain.
    nulls
        Why values became null on the way, in words.
    """

    decision: str
    value: object
    rules: tuple[Mapping[str, object], ...]
    nulls: tuple[str, ...] = ()

    @property
    def rule(self) -> str | None:
        """The ids of the rules that fired in the table itself."""
        return ", ".join(str(rule["rule"]) for rule in self.rules) or None


class Decisions:
    """
    Take decisions by the latest active files.

    A stored definition never changes, nor do the versions that it imports, so its id is the key of the compiled
    file.
    """

    def __init__(self, *, open_work: OpenWork, size: int = 64) -> None:
        self._open_work = open_work
        self._files: Shelf[str, DecisionFile] = Shelf(size=size)

    def decide(
        self, who: Principal, *, group: GroupName, key: str, context: Mapping[str, object]
    ) -> Decided:
        """
        Take a decision over a context.

        Parameters
        ----------
        group
            Whose files are looked at first; then those of everybody.
        key
            The id of the decision.
        context
            Its inputs. ``now()`` and ``today()`` speak of the moment of the call.

        Raises
        ------
        NotFoundError
            When no active file of the group has a decision of this id.
        DecisionAmbiguousError
            When several have.
        DmnValueError, DmnConflictError
            When an input is missing or of the wrong type, or rules match that may not match together.
        FeelBudgetError
            When it needs more than it may.
        """
        with self._open_work.reading(who) as work:
            found = decision_file(work, decision=key, group=group)
            now = work.at
        if found is None:
            raise NotFoundError(noun="decision", name=key, cure=CURE)
        file = self._files.get(found.id, lambda: self._read(who, found))
        budget = Budget(steps=DEFAULT_STEPS, now=now)
        budget.where = key  # for what is wrong before any decision is being taken
        outcome = file.evaluate(key, context, budget=budget).demanded()
        return Decided(
            decision=found.full_name,
            value=outcome.plain()["value"],
            rules=tuple(_plain(rule) for rule in outcome.fired),
            nulls=tuple(null.problem for null in outcome.nulls),
        )

    def _read(self, who: Principal, found: Definition) -> DecisionFile:
        with self._open_work.reading(who) as work:
            imports = pinned(work, found)
        return read_decisions(found.source, imports=imports)


def _plain(rule: FiredRule) -> Mapping[str, object]:
    return dict(rule.plain())
