"""What a decision gave, and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.dmn.errors import DmnConflictError, DmnValueError
from pilothouse.feel import Budget, plain_value
from pilothouse.feel.budget import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.feel import Value
    from pilothouse.feel.budget import Null
    from pilothouse.feel.plain import Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredRule:
    """
    A rule that matched and counted.

    Parameters
    ----------
    decision
        The id of the decision whose table it belongs to.
    rule
        Its id; ``rule 3`` where the file gives none.
    index
        Its place in the table, from 1.
    annotation
        Its annotations, or its description, as written; empty where there is none.
    inputs
        The values of the table's inputs, by their labels.
    outputs
        What it said, by the names of the outputs.
    """

    decision: str
    rule: str
    index: int
    annotation: str
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Value]

    def plain(self) -> dict[str, Plain]:
        """Give the rule as JSON's values."""
        return {
            "decision": self.decision,
            "rule": self.rule,
            "index": self.index,
            "annotation": self.annotation,
            "inputs": {name: plain_value(value) for name, value in self.inputs.items()},
            "outputs": {name: plain_value(value) for name, value in self.outputs.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    The result of a decision.

    Parameters
    ----------
    value
        The FEEL value: of a table with several outputs, a context of them.
    fired
        The rules that counted in this decision and in the functions that it called, in the order in which they did.
    earlier
        The rules that counted in the decisions that it required, in the order in which they were taken.
    nulls
        Why values on the way became null: the first 20 reasons, and the first of each fault.
    nulls_beyond
        How many more there were.
    """

    value: Value
    fired: tuple[FiredRule, ...] = ()
    earlier: tuple[FiredRule, ...] = ()
    nulls: tuple[Null, ...] = ()
    nulls_beyond: int = 0

    def demanded(self) -> Outcome:
        """
        Give the outcome itself, where nothing was missing, of another type than declared or in conflict.

        By the standard such things make a value null. A caller who would rather know asks here.

        Raises
        ------
        DmnValueError
            When an input was missing, or a value was not of its type.
        DmnConflictError
            When rules matched together that may not.
        """
        for null in self.nulls:
            match null.fault:
                case Fault.MISSING | Fault.TYPE:
                    raise DmnValueError(decision=null.where, problem=null.problem)
                case Fault.CONFLICT:
                    raise DmnConflictError(decision=null.where, problem=null.problem)
                case Fault.VALUE | Fault.NO_RULE:
                    continue
        return self

    def plain(self) -> dict[str, Plain]:
        """
        Give the outcome as JSON's values.

        Raises
        ------
        FeelBudgetError
            When the value is too big.
        """
        return {
            "value": plain_value(self.value, budget=Budget(steps=200_000)),
            "fired": [rule.plain() for rule in self.fired],
            "earlier": [rule.plain() for rule in self.earlier],
        }
