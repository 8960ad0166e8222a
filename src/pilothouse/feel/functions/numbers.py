"""Functions on numbers. Source: DMN 1.5, section 10.3.4.5 (table 77)."""

from __future__ import annotations

from datetime import timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DecimalException,
)
from typing import TYPE_CHECKING

from pilothouse.feel.arithmetic import negate
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.values import NUMBERS, Value, YearsMonths

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

NUMERICS = Registry()

_LOWEST_SCALE, _HIGHEST_SCALE = -6111, 6176
_ONE, _TWO = Decimal(1), Decimal(2)


def integer(value: Value) -> int | None:
    """Give a whole number of reasonable size as an ``int``; of anything else, `None`."""
    if not isinstance(value, Decimal) or abs(value) > 10**18 or value != value.to_integral_value():
        return None
    return int(value)


def rounded(number: Value, scale: Value, rounding: str) -> Decimal | None:
    """
    Round a number to so many digits after the point (before it, where the scale is negative).

    Examples
    --------
    >>> rounded(Decimal("2.345"), Decimal(2), ROUND_HALF_UP)
    Decimal('2.35')
    """
    digits = integer(scale)
    if not isinstance(number, Decimal) or digits is None:
        return None
    if not _LOWEST_SCALE <= digits <= _HIGHEST_SCALE:
        return None
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -digits:
        return number
    # Up to 34 digits before rounding may need one more after it: 9.99 to 10.0.
    context = Context(prec=36, rounding=rounding, Emin=-6200, Emax=6200)
    return NUMBERS.plus(number.quantize(Decimal((0, (1,), -digits)), context=context))


def _enter_rounding(name: str, rounding: str, *, optional: int) -> None:
    @NUMERICS.add(name, "n", "scale", optional=optional)
    def run(budget: Budget, n: Value, scale: Value) -> Value:
        return rounded(n, Decimal(0) if scale is None and optional else scale, rounding)


_enter_rounding("decimal", ROUND_HALF_EVEN, optional=0)
_enter_rounding("floor", ROUND_FLOOR, optional=1)
_enter_rounding("ceiling", ROUND_CEILING, optional=1)
_enter_rounding("round up", ROUND_UP, optional=0)
_enter_rounding("round down", ROUND_DOWN, optional=0)
_enter_rounding("round half up", ROUND_HALF_UP, optional=0)
_enter_rounding("round half down", ROUND_HALF_DOWN, optional=0)


@NUMERICS.add("abs", "n")
def absolute(budget: Budget, n: Value) -> Value:
    """Give the size of a number or duration without its sign."""
    if isinstance(n, Decimal):
        return NUMBERS.abs(n)
    if isinstance(n, timedelta):
        return negate(n) if n < timedelta() else n
    if isinstance(n, YearsMonths):
        return YearsMonths(months=abs(n.months))
    return None


@NUMERICS.add("modulo", "dividend", "divisor")
def modulo(budget: Budget, dividend: Value, divisor: Value) -> Value:
    """Give the rest of a division rounded towards minus infinity; it has the divisor's sign."""
    if not isinstance(dividend, Decimal) or not isinstance(divisor, Decimal) or divisor == 0:
        return None
    try:
        rest = NUMBERS.remainder(dividend, divisor)
    except DecimalException:
        return None  # the quotient has more than 34 digits
    return NUMBERS.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest


@NUMERICS.add("sqrt", "number")
def square_root(budget: Budget, number: Value) -> Value:
    """Give the square root; of a negative number, null."""
    return NUMBERS.sqrt(number) if isinstance(number, Decimal) and number >= 0 else None


@NUMERICS.add("log", "number")
def logarithm(budget: Budget, number: Value) -> Value:
    """Give the natural logarithm; of zero or less, null."""
    return NUMBERS.ln(number) if isinstance(number, Decimal) and number > 0 else None


@NUMERICS.add("exp", "number")
def exponential(budget: Budget, number: Value) -> Value:
    """Raise e to a power; beyond the largest number, null."""
    if not isinstance(number, Decimal):
        return None
    try:
        return NUMBERS.exp(number)
    except DecimalException:
        return None


@NUMERICS.add("odd", "number")
def odd(budget: Budget, number: Value) -> Value:
    """Say whether a whole number is odd; of a fraction, false."""
    rest = modulo(budget, number, _TWO)
    return None if rest is None else rest == _ONE


@NUMERICS.add("even", "number")
def even(budget: Budget, number: Value) -> Value:
    """Say whether a whole number is even; of a fraction, false."""
    rest = modulo(budget, number, _TWO)
    return None if rest is None else rest == 0
