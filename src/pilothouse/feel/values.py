"""
The values of FEEL, and how Python's values become them.

====================  ==========================================================
FEEL                  here
====================  ==========================================================
number                `decimal.Decimal`, at most 34 digits (IEEE 754 decimal128)
string, boolean, null `str`, `bool`, `None`
date, time            `Date`, `Time`
date and time         `DateTime`
both durations        `DaysTime`, `YearsMonths`
range                 `Range`
function              `Function`
list                  `tuple`
context               `dict` with string keys
====================  ==========================================================

No other object is ever touched: an expression cannot reach an attribute of anything. Python's dates, times and
lengths of time come in as FEEL's own, which reach further (`pilothouse.feel.temporal`). Source: DMN 1.5,
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
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from pilothouse.feel.errors import FeelValueError
from pilothouse.feel.signs import Operator
from pilothouse.feel.temporal import (
    Date,
    DateTime,
    DaysTime,
    Time,
    YearsMonths,
    from_date,
    from_datetime,
    from_time,
    from_timedelta,
)

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

__all__ = [
    "EXACT",
    "KINDS",
    "NUMBERS",
    "QUICK",
    "Date",
    "DateTime",
    "DaysTime",
    "Declared",
    "Function",
    "Range",
    "Time",
    "Value",
    "YearsMonths",
    "admit",
    "kind_of",
]

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
class Range:
    """
    All values between two ends, or on one side of one; an end of `None` is open to infinity.

    Parameters
    ----------
    start, end
        The lower and the upper end.
    start_included, end_included
        Whether the end itself belongs to the range; an open end does not.
    operator
        The comparison, where it was written as one: ``(< 10)`` has no start, ``(= 10)`` and ``(!= 10)`` have 10 at both
        ends, and ``(!= 10)`` is everything but that. The standard holds ``(= 10)`` and ``[10..10]`` for different ranges.
    """

    start: Value
    end: Value
    start_included: bool = True
    end_included: bool = True
    operator: Operator | None = None

    @classmethod
    def compared(cls, operator: Operator, to: Value) -> Range:
        """
        Make the range of all values that compare so to one.

        Parameters
        ----------
        operator
            One of the six comparisons.
        to
            What is compared to, not null.

        Examples
        --------
        >>> Range.compared(Operator.LESS, Decimal(10)).end_included
        False
        """
        below, above = operator in _REACHING_DOWN, operator in _REACHING_UP
        exact = operator is Operator.EQUAL
        return cls(
            start=None if below else to,
            end=None if above else to,
            start_included=exact or operator is Operator.AT_LEAST,
            end_included=exact or operator is Operator.AT_MOST,
            operator=operator,
        )


_REACHING_DOWN = (Operator.LESS, Operator.AT_MOST)
_REACHING_UP = (Operator.MORE, Operator.AT_LEAST)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Function:
    """
    A function as a value: written in FEEL, built in, or logic of a decision model. Call it by `invocation.invoke`.

    Parameters
    ----------
    name
        What it is called; empty for one without a name.
    parameters
        The names of its parameters, in order.
    run
        The function itself: takes the budget and one value for each parameter, already of their types.
    types
        What each parameter must be; empty where nothing is declared.
    result
        What it gives, where that is declared.
    variadic
        Whether it takes any number of arguments, which then go to `run` as they are.
    """

    name: str
    parameters: tuple[str, ...]
    run: Callable[[Budget, tuple[Value, ...]], Value]
    types: tuple[Declared | None, ...] = ()
    result: Declared | None = None
    variadic: bool = False


class Declared(Protocol):
    """A type that parameters and results are held to."""

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Make the value one of this type by the standard's rules (DMN 1.5, 10.3.2.9.4), else null with its reason."""
        ...


Value: TypeAlias = (
    bool
    | Decimal
    | str
    | Date
    | DateTime
    | Time
    | DaysTime
    | YearsMonths
    | Range
    | Function
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
        operator=raw.operator,
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
    if isinstance(raw, (date, timedelta)):
        return _admit_time(raw, name)
    raise FeelValueError(name=name, problem=f"FEEL knows no {type(raw).__name__}")


def _admit_time(raw: date | timedelta, name: str) -> Value:
    """Admit descendants of Python's times; those of pandas have nanoseconds, which Python's own would lose."""
    if getattr(raw, "nanosecond", 0) or getattr(raw, "nanoseconds", 0):
        raise FeelValueError(name=name, problem="it has nanoseconds: give it as text")
    if isinstance(raw, datetime):
        return from_datetime(raw, name)
    return from_timedelta(raw) if isinstance(raw, timedelta) else from_date(raw)


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


def _date(raw: date, name: str) -> Value:
    return from_date(raw)


def _timedelta(raw: timedelta, name: str) -> Value:
    return from_timedelta(raw)


QUICK: dict[type, Callable[[Any, str], Value]] = {
    type(None): _as_is,
    bool: _as_is,
    str: _as_is,
    Decimal: _decimal,
    int: _integer,
    float: _float,
    date: _date,
    datetime: from_datetime,
    time: from_time,
    timedelta: _timedelta,
    Date: _as_is,
    DateTime: _as_is,
    Time: _as_is,
    DaysTime: _as_is,
    YearsMonths: _as_is,
    Function: _as_is,
}
"""Values without parts: how each exact type is admitted."""


def kind_of(value: Value) -> str:
    """
    Name the FEEL type of a value.

    Examples
    --------
    >>> kind_of(Decimal(1)), kind_of(DaysTime(nanoseconds=1)), kind_of(())
    ('number', 'days and time duration', 'list')
    """
    return KINDS[type(value)]


KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    Decimal: "number",
    str: "string",
    Date: "date",
    DateTime: "date and time",
    Time: "time",
    DaysTime: "days and time duration",
    YearsMonths: "years and months duration",
    Range: "range",
    Function: "function",
    tuple: "list",
    dict: "context",
}
