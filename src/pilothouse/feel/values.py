"""
The values of FEEL, and how Python's values become them.

====================  ==========================================================
FEEL                  here
====================  ==========================================================
number                `decimal.Decimal`, at most 34 digits (IEEE 754 decimal128)
string, boolean, null `str`, `bool`, `None`
date, time            `datetime.date`, `datetime.time`
date and time         `datetime.datetime`
both durations        `datetime.timedelta`, `YearsMonths`
range                 `Range`
list                  `tuple`
context               `dict` with string keys
====================  ==========================================================

No other object is ever touched: an expression cannot reach an attribute of anything. Source: DMN 1.5,
section 10.3.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import TYPE_CHECKING, Any, TypeAlias

from pilothouse.feel.errors import FeelValueError

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

NUMBERS = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
"""The arithmetic of FEEL: 34 digits, half even; overflow and division by zero raise and become null."""

EXACT = NUMBERS.copy()
EXACT.traps[Inexact] = True

_SAFE_INTEGER = 10**34
_LONGEST_INTEGER_BITS = 20_500  # a number near 1E+6144, the largest that decimal128 has


@dataclass(frozen=True, slots=True, kw_only=True)
class YearsMonths:
    """A duration in whole months, of either sign (``years and months duration``)."""

    months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """
    All values between two ends; an end of `None` is open to infinity.

    Parameters
    ----------
    start, end
        The lower and the upper end.
    start_included, end_included
        Whether the end itself belongs to the range.
    """

    start: Value
    end: Value
    start_included: bool = True
    end_included: bool = True


Value: TypeAlias = (
    bool
    | Decimal
    | str
    | date
    | datetime
    | time
    | timedelta
    | YearsMonths
    | Range
    | tuple["Value", ...]
    | dict[str, "Value"]
    | None
)


def admit(raw: object, *, name: str, budget: Budget) -> Value:
    """
    Take one of Python's values into FEEL, whole.

    Integers, floats (by their shortest text, so that ``0.1`` stays 0.1) and decimals become numbers; lists and
    mappings are copied; everything that no rule names is refused.

    Parameters
    ----------
    raw
        What the caller gave.
    name
        What it is called, for the message.
    budget
        Pays one step for each item of a list or mapping.

    Raises
    ------
    FeelValueError
        When the value, or one inside it, is none that FEEL knows.
    FeelBudgetError
        When it is too big or nested too deeply.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> admit({"auc": 0.1, "tiers": ["high", 2]}, name="metrics", budget=Budget())
    {'auc': Decimal('0.1'), 'tiers': ('high', Decimal('2'))}
    """
    quick = QUICK.get(type(raw))
    if quick is not None:
        return quick(raw, name)
    return _admit_deep(raw, name, budget, 0)


def _admit_deep(raw: object, name: str, budget: Budget, depth: int) -> Value:
    quick = QUICK.get(type(raw))
    if quick is not None:
        return quick(raw, name)
    if isinstance(raw, (list, tuple)):
        budget.check_depth(depth)
        budget.charge(len(raw))
        return tuple(
            _admit_deep(v, f"{name}[{i}]", budget, depth + 1) for i, v in enumerate(raw, 1)
        )
    if isinstance(raw, Mapping):
        budget.check_depth(depth)
        budget.charge(len(raw))
        return {
            _key(k, name): _admit_deep(v, f"{name}.{k}", budget, depth + 1) for k, v in raw.items()
        }
    if isinstance(raw, Range):
        return _admit_range(raw, name, budget, depth)
    return _admit_subclass(raw, name)


def _admit_range(raw: Range, name: str, budget: Budget, depth: int) -> Range:
    budget.check_depth(depth)
    return Range(
        start=_admit_deep(raw.start, name, budget, depth + 1),
        end=_admit_deep(raw.end, name, budget, depth + 1),
        start_included=raw.start_included,
        end_included=raw.end_included,
    )


def _key(key: object, name: str) -> str:
    if not isinstance(key, str):
        raise FeelValueError(name=name, problem=f"it has a key of type {type(key).__name__}")
    return str.__str__(key)


def _admit_subclass(raw: object, name: str) -> Value:
    """Admit members of text enums, numpy's floats and other descendants, by the known type's own rules."""
    if isinstance(raw, str):
        return str.__str__(raw)  # str(raw) would run the descendant's own conversion
    if isinstance(raw, float):
        return _float(raw, name)
    if isinstance(raw, int):
        return _integer(int.__int__(raw), name)
    if isinstance(raw, Decimal):
        return _decimal(raw, name)
    if isinstance(raw, datetime):
        return _moment(raw)
    raise FeelValueError(name=name, problem=f"FEEL knows no {type(raw).__name__}")


def _as_is(raw: Value, name: str) -> Value:
    return raw


def _integer(number: int, name: str) -> Value:
    if -_SAFE_INTEGER < number < _SAFE_INTEGER:
        return Decimal(number)
    if number.bit_length() > _LONGEST_INTEGER_BITS:
        raise FeelValueError(name=name, problem="the integer is too large")
    return _decimal(Decimal(number), name)


def _float(number: float, name: str) -> Value:
    if not math.isfinite(number):
        raise FeelValueError(name=name, problem="it is not a finite number")
    return Decimal(float.__repr__(number))


def _decimal(raw: Decimal, name: str) -> Value:
    number = Decimal(raw)
    if not number.is_finite():
        raise FeelValueError(name=name, problem="it is not a finite number")
    try:
        return EXACT.plus(number)
    except DecimalException:
        raise FeelValueError(name=name, problem="the number has more than 34 digits") from None


def _moment(at: datetime) -> Value:
    day = datetime.combine(date(at.year, at.month, at.day), at.timetz())
    return day.replace(fold=at.fold)


QUICK: dict[type, Callable[[Any, str], Value]] = {
    type(None): _as_is,
    bool: _as_is,
    str: _as_is,
    Decimal: _decimal,
    int: _integer,
    float: _float,
    date: _as_is,
    datetime: _as_is,
    time: _as_is,
    timedelta: _as_is,
    YearsMonths: _as_is,
}
"""Values without parts: how each exact type is admitted."""


def kind_of(value: Value) -> str:
    """
    Name the FEEL type of a value.

    Examples
    --------
    >>> kind_of(Decimal(1)), kind_of(timedelta(days=1)), kind_of(())
    ('number', 'days and time duration', 'list')
    """
    return KINDS[type(value)]


KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    Decimal: "number",
    str: "string",
    date: "date",
    datetime: "date and time",
    time: "time",
    timedelta: "days and time duration",
    YearsMonths: "years and months duration",
    Range: "range",
    tuple: "list",
    dict: "context",
}
