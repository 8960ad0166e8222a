"""Functions on numbers. Source: DMN 1.5, section 10.3.4.5 (table 77)."""

from __future__ import annotations

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
    InvalidOperation,
)
from typing import TYPE_CHECKING

from pilothouse.feel.arithmetic import negate
from pilothouse.feel.comparison import ordered
from pilothouse.feel.functions.parameters import number, single
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.signs import Operator
from pilothouse.feel.values import NUMBERS, Value, kind_of

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

NUMERICS = Registry()

_LOWEST_SCALE, _HIGHEST_SCALE = -6111, 6176
_ONE, _TWO = Decimal(1), Decimal(2)

# The rest of 1E+6144 by 1E-6176 needs every digit between them.
_WHOLE = Context(prec=12_400, Emin=-20_000, Emax=20_000, traps=[InvalidOperation])
# Up to 34 digits before rounding may need one more after it: 9.99 to 10.0.
_ROUNDING = Context(prec=36, Emin=-6200, Emax=6200, traps=[InvalidOperation])


def rounded(value: Decimal, digits: int, rounding: str) -> Decimal:
    """
    Round a number to so many digits after the point (before it, where `digits` is negative).

    Examples
    --------
    >>> rounded(Decimal("2.345"), 2, ROUND_HALF_UP)
    Decimal('2.35')
    """
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -digits:
        return value
    unit = Decimal((0, (1,), -digits))
    return value.quantize(unit, rounding=rounding, context=_ROUNDING)


def _enter_rounding(name: str, rounding: str, *, optional: int) -> None:
    @NUMERICS.add(name, number("n"), number("scale"), optional=optional)
    def run(budget: Budget, n: Decimal, scale: Decimal | None) -> Value:
        if scale is None:
            return rounded(n, 0, rounding)
        if not _LOWEST_SCALE <= scale <= _HIGHEST_SCALE:
            return budget.null(
                f"{name}() has no value: 'scale' must be from {_LOWEST_SCALE} to {_HIGHEST_SCALE}, not {scale}"
            )
        return NUMBERS.plus(rounded(n, int(scale), rounding))


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
    value = single(n)
    if isinstance(value, Decimal):
        return NUMBERS.abs(value)
    kind = kind_of(value)
    if kind not in _SIGNED:
        found = "null" if value is None else f"a {kind}"
        return budget.null(f"abs() has no value: 'n' must be a number or a duration, not {found}")
    opposite = negate(value)
    return opposite if ordered(Operator.LESS, value, opposite) else value


_SIGNED = ("days and time duration", "years and months duration")


@NUMERICS.add("modulo", number("dividend"), number("divisor"))
def modulo(budget: Budget, dividend: Decimal, divisor: Decimal) -> Value:
    """Give the rest of a division rounded towards minus infinity; it has the divisor's sign."""
    if not divisor:
        return budget.null(f"modulo({dividend}, 0) has no value: the divisor is 0")
    budget.charge(abs(dividend.adjusted() - divisor.adjusted()) // 100)
    rest = _WHOLE.remainder(dividend, divisor)
    if rest and (rest < 0) != (divisor < 0):
        rest = _WHOLE.add(rest, divisor)
    return NUMBERS.plus(rest)


@NUMERICS.add("sqrt", number("number"))
def square_root(budget: Budget, radicand: Decimal) -> Value:
    """Give the square root; of a negative number, null."""
    if radicand < 0:
        return budget.null(f"sqrt({radicand}) has no value: the number is negative")
    return NUMBERS.sqrt(radicand)


@NUMERICS.add("log", number("number"))
def logarithm(budget: Budget, argument: Decimal) -> Value:
    """Give the natural logarithm; of zero or less, null."""
    if argument <= 0:
        return budget.null(f"log({argument}) has no value: the number is not above 0")
    return NUMBERS.ln(argument)


@NUMERICS.add("exp", number("number"))
def exponential(budget: Budget, power: Decimal) -> Value:
    """Raise e to a power; beyond the largest number, null."""
    try:
        return NUMBERS.exp(power)
    except DecimalException:
        return budget.null(f"exp({power}) has no value: it is beyond the largest number")


@NUMERICS.add("odd", number("number"))
def odd(budget: Budget, value: Decimal) -> Value:
    """Say whether a whole number is odd; of a fraction, false."""
    return abs(_WHOLE.remainder(value, _TWO)) == _ONE


@NUMERICS.add("even", number("number"))
def even(budget: Budget, value: Decimal) -> Value:
    """Say whether a whole number is even; of a fraction, false."""
    return not _WHOLE.remainder(value, _TWO)
