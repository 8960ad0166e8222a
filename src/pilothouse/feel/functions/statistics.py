"""Sums, means and extremes of lists. Source: DMN 1.5, section 10.3.4.4 (table 76)."""

from __future__ import annotations

from collections import Counter
from decimal import Context, Decimal, DecimalException, Overflow
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.feel.comparison import ordered
from pilothouse.feel.functions.parameters import Kind
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.signs import Operator
from pilothouse.feel.values import NUMBERS, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.feel.budget import Budget

STATISTICS = Registry()

Numbers: TypeAlias = tuple[Decimal, ...]
_TWO = Decimal(2)

# Squares of differences need more digits, and larger exponents, than the numbers themselves.
_WIDE = Context(prec=80, Emin=-20_000, Emax=20_000)


def _enter(name: str) -> Callable[[Callable[[Numbers], Decimal]], Callable[[Numbers], Decimal]]:
    """Enter a function of one number or more that gives a number."""

    def enter(compute: Callable[[Numbers], Decimal]) -> Callable[[Numbers], Decimal]:
        @STATISTICS.add_over(name, Kind.NUMBER)
        def run(budget: Budget, numbers: Numbers) -> Value:
            if not numbers:
                return _nothing(budget, name)
            try:
                return compute(numbers)
            except DecimalException:
                return budget.null(f"{name}() has no value: it is beyond the largest number")

        return compute

    return enter


def _nothing(budget: Budget, name: str) -> Value:
    return budget.null(f"{name}() of no items has no value")


@_enter("sum")
def total(numbers: Numbers) -> Decimal:
    """Add numbers up, one after the other."""
    result = NUMBERS.plus(numbers[0])
    for number in numbers[1:]:
        result = NUMBERS.add(result, number)
    return result


@_enter("mean")
def mean(numbers: Numbers) -> Decimal:
    """Give the arithmetic mean."""
    return NUMBERS.divide(total(numbers), Decimal(len(numbers)))


@_enter("product")
def product(numbers: Numbers) -> Decimal:
    """Multiply numbers, one after the other."""
    result = NUMBERS.plus(numbers[0])
    for number in numbers[1:]:
        result = NUMBERS.multiply(result, number)
    return result


@_enter("median")
def median(numbers: Numbers) -> Decimal:
    """Give the number in the middle, or the mean of the two there."""
    ascending = sorted(numbers)
    middle = len(ascending) // 2
    if len(ascending) % 2:
        return ascending[middle]
    return NUMBERS.divide(NUMBERS.add(ascending[middle - 1], ascending[middle]), _TWO)


@STATISTICS.add_over("stddev", Kind.NUMBER)
def standard_deviation(budget: Budget, numbers: Numbers) -> Value:
    """Give the standard deviation of a sample; null of less than two numbers."""
    if len(numbers) < 2:
        return budget.null(f"stddev() of {len(numbers)} items has no value: it needs two or more")
    count = Decimal(len(numbers))
    center = Decimal(0)
    for number in numbers:
        center = _WIDE.add(center, number)
    center = _WIDE.divide(center, count)
    squares = Decimal(0)
    for number in numbers:
        away = _WIDE.subtract(number, center)
        squares = _WIDE.add(squares, _WIDE.multiply(away, away))
    return _narrowed(budget, _WIDE.sqrt(_WIDE.divide(squares, _WIDE.subtract(count, Decimal(1)))))


def _narrowed(budget: Budget, wide: Decimal) -> Value:
    try:
        return NUMBERS.plus(wide)
    except Overflow:
        return budget.null("stddev() has no value: it is beyond the largest number")


@STATISTICS.add_over("mode", Kind.NUMBER)
def mode(budget: Budget, numbers: Numbers) -> Value:
    """List the numbers that are there most often, ascending; none of none."""
    counts = Counter(numbers)
    most = max(counts.values(), default=0)
    return tuple(sorted(number for number, count in counts.items() if count == most))


def _enter_extreme(name: str, operator: Operator) -> None:
    @STATISTICS.add_over(name)
    def run(budget: Budget, items: tuple[Value, ...]) -> Value:
        if not items:
            return _nothing(budget, name)
        best = items[0]
        for item in items:
            better = ordered(operator, item, best)
            if better is None:
                return budget.null(
                    f"{name}() has no value: {_kind(item)} and {_kind(best)} have no order"
                )
            best = item if better else best
        return best


def _kind(value: Value) -> str:
    return "null" if value is None else f"a {kind_of(value)}"


_enter_extreme("min", Operator.LESS)
_enter_extreme("max", Operator.MORE)


@STATISTICS.add_over("count")
def count(budget: Budget, items: tuple[Value, ...]) -> Value:
    """Count the items."""
    return Decimal(len(items))
