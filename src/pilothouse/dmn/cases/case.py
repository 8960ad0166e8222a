"""What a test case of a decision is."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pilothouse.feel import Value

EXACT = Decimal(0)
"""The tolerance of cases that name none."""


class Kind(StrEnum):
    """What is called."""

    DECISION = "decision"
    SERVICE = "service"
    FUNCTION = "function"
    """A business knowledge model; its inputs are the arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """
    What must come.

    Parameters
    ----------
    value
        The FEEL value; None for null.
    tolerance
        How far a number may be from the expected one, 0 or more.
    rejection
        Whether refusing the decision at upload answers the case as well as `value` does.
    """

    value: Value
    tolerance: Decimal = EXACT
    rejection: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One test case.

    Parameters
    ----------
    name
        How people know it.
    kind, target
        What is called: its kind, and its id or name.
    inputs
        The FEEL values of its variables, by name; those not in it are not given.
    imported
        The same for imported files, by their namespaces.
    expected
        What must come; None where only rules are asked for.
    rules
        The ids of rules that must fire, in this decision or in one that it requires.
    output
        The output to compare where a service has several; empty for the whole result.
    now
        The moment of ``now()``; None for the moment of the run.
    line
        The line of the file where it starts.
    """

    name: str
    kind: Kind
    target: str
    inputs: Mapping[str, Value]
    expected: Expected | None
    imported: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    output: str = ""
    now: datetime | None = None
    line: int = 0
