"""Functions on numbers and the statistics of lists, against Python's decimals, fractions and statistics."""

from __future__ import annotations

import math
import statistics
from collections import Counter
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
)
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.feel import Budget, Value, compile_expression
from pilothouse.feel.functions import FUNCTIONS
from pilothouse.feel.functions.registry import call

ORACLE = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144)
WIDE = Context(prec=200, Emin=-20_000, Emax=20_000)
ROUNDINGS = {
    "decimal": ROUND_HALF_EVEN,
    "floor": ROUND_FLOOR,
    "ceiling": ROUND_CEILING,
    "round up": ROUND_UP,
    "round down": ROUND_DOWN,
    "round half up": ROUND_HALF_UP,
    "round half down": ROUND_HALF_DOWN,
}
NUMBERS = st.builds(
    lambda digits, exponent: ORACLE.plus(Decimal(digits).scaleb(exponent, WIDE)),
    st.integers(-(10**33), 10**33),
    st.integers(-40, 40),
)
LISTS = st.lists(NUMBERS, min_size=1, max_size=8)


def value(text: str) -> Value:
    return compile_expression(text).evaluate({})


def of(name: str, *arguments: Value) -> Value:
    return call(FUNCTIONS[name], arguments, (), Budget())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abs(-3)", "3"),
        ("floor(-1.5)", "-2"),
        ("floor(1.56, 1)", "1.5"),
        ("floor(-1.56, 1)", "-1.6"),
        ("ceiling(1.2)", "2"),
        ("ceiling(-1.56, 1)", "-1.5"),
        ("round up(5.5, 0)", "6"),
        ("round up(-5.5, 0)", "-6"),
        ("round up(1.121, 2)", "1.13"),
        ("round up(1, -6111) = 1e6111", "true"),
        ("round down(5.9, 0)", "5"),
        ("round down(5.5, 6176)", "5.5"),
        ("round down(5.5, -6111)", "0"),
        ("round half up(2.5, 0)", "3"),
        ("round half up(-2.5, 0)", "-3"),
        ("round half up(9.99, 1)", "10.0"),
        ("round half down(2.5, 0)", "2"),
        ("round half up(125, -1)", "130"),
        ("round half up(9999999999999999999999999999999999, -1) = 1e34", "true"),
        ("decimal(2.5, 0)", "2"),
        ("decimal(1 / 3, 2)", "0.33"),
        ("decimal(1 / 3, 2.5)", "0.33"),
        ("modulo(12, 5)", "2"),
        ("modulo(-12, 5)", "3"),
        ("modulo(12, -5)", "-3"),
        ("modulo(-12, -5)", "-2"),
        ("modulo(-10.1, 4.5)", "3.4"),
        ("modulo(1e6000, 7)", "1"),
        ("sqrt(16)", "4"),
        ("sqrt(2)", "1.414213562373095048801688724209698"),
        ("log(1)", "0"),
        ("log(10)", "2.302585092994045684017991454684364"),
        ("exp(0)", "1"),
        ("exp(1)", "2.718281828459045235360287471352662"),
        ("count(1, 2, 3)", "3"),
        ("count([null])", "1"),
        ("count([1, [2, 3]])", "2"),
        ("count([])", "0"),
        ("sum([1, 2])", "3"),
        ("sum(1, 2)", "3"),
        ("sum([1], 2)", "3"),
        ("median([1], 3)", "2"),
        ("sum(list: [1, 2])", "3"),
        ("sum(5)", "5"),
        ("mean([3, 1, 2])", "2"),
        ("mean(1, 2)", "1.5"),
        ("product([2, 3, 4])", "24"),
        ("min([3, 1])", "1"),
        ("max(3, 9, 4)", "9"),
        ("median(8, 2, 5, 3, 4)", "4"),
        ("median([6, 1, 2, 3])", "2.5"),
        ("stddev(2, 4, 7, 5)", "2.081665999466132735282297706979931"),
        ("stddev([47, 47])", "0"),
    ],
)
def test_gives_a_number(text: str, expected: str) -> None:
    assert value(text) == (True if expected == "true" else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mode([6, 3, 9, 6, 6])", ["6"]),
        ("mode([6, 1, 9, 6, 1])", ["1", "6"]),
        ("mode(1, 1.0, 2)", ["1"]),
        ("mode([])", []),
    ],
)
def test_mode_lists_what_is_there_most_often(text: str, expected: list[str]) -> None:
    assert value(text) == tuple(map(Decimal, expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("odd(3)", True),
        ("odd(-3)", True),
        ("odd(2.5)", False),
        ("even(-2)", True),
        ("even(1e6000)", True),
        ("odd(1e6000)", False),
        ('min("b", "a") = "a"', True),
        ('max([@"2026-01-05", @"2026-02-05"]) = @"2026-02-05"', True),
        ('min(@"PT5M", @"PT1H") = @"PT5M"', True),
        ('max(@"P1Y", @"P13M") = @"P13M"', True),
        ('abs(@"-P1D") = @"P1D"', True),
        ('abs(@"-P1Y") = @"P1Y"', True),
        ('abs(@"P1Y") = @"P1Y"', True),
    ],
)
def test_gives_a_truth_value(text: str, expected: bool) -> None:
    assert value(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        *("abs(null)", 'abs("a")', 'abs(@"2026-01-05")', "sqrt(-1)", "log(0)", "log(-1)"),
        *("modulo(1, 0)", "exp(1e9)", "odd(null)", 'even("2")'),
        *("decimal(1, 1e9)", "round up(5.5, 6177)", "round up(5.5, -6112)", "decimal(1.5)"),
        *("floor(1, 2, 3)", 'ceiling(1.5, "1")'),
        *("sum([])", "sum()", "sum(null)", "sum([1, null])", "sum([[1]])", "sum(1e6144, 9e6144)"),
        *("mean([])", "median([])", "product([])", "stddev([])", "stddev([1])"),
        *("min([])", "max([])", 'min([1, "a"])', "min([1, null])", "min(true, false)"),
        *("mode(null)", 'mode([1, "a"])', "mode()", 'sum(@"P1D", @"P1D")'),
    ],
)
def test_is_null_for_a_reason(text: str) -> None:
    budget = Budget()
    assert compile_expression(text).evaluate({}, budget=budget) is None
    assert budget.nulls


@pytest.mark.parametrize("name", sorted(ROUNDINGS))
@given(number=NUMBERS, scale=st.integers(-50, 80))
def test_rounding_agrees_with_decimal(name: str, number: Decimal, scale: int) -> None:
    unit = Decimal((0, (1,), -scale))
    expected = number.quantize(unit, rounding=ROUNDINGS[name], context=WIDE)
    assert of(name, number, Decimal(scale)) == ORACLE.plus(expected)


@given(dividend=NUMBERS, divisor=NUMBERS.filter(bool))
def test_modulo_agrees_with_fractions(dividend: Decimal, divisor: Decimal) -> None:
    exact = Fraction(dividend) - Fraction(divisor) * math.floor(
        Fraction(dividend) / Fraction(divisor)
    )
    rounded = ORACLE.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    assert of("modulo", dividend, divisor) == rounded


@given(numbers=LISTS)
def test_sums_agree_with_decimal(numbers: list[Decimal]) -> None:
    total = product = None
    for number in numbers:
        total = number if total is None else ORACLE.add(total, number)
        product = number if product is None else ORACLE.multiply(product, number)
    assert total is not None
    assert of("sum", tuple(numbers)) == total
    assert of("product", *numbers) == product
    assert of("mean", tuple(numbers)) == ORACLE.divide(total, Decimal(len(numbers)))


@given(numbers=LISTS)
def test_extremes_agree_with_python(numbers: list[Decimal]) -> None:
    ascending = sorted(numbers)
    middle = len(numbers) // 2
    upper, lower = ascending[middle], ascending[middle - 1]
    halfway = ORACLE.divide(ORACLE.add(lower, upper), Decimal(2))
    assert of("min", tuple(numbers)) == ascending[0]
    assert of("max", *numbers) == ascending[-1]
    assert of("median", tuple(numbers)) == (upper if len(numbers) % 2 else halfway)


@given(numbers=st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=8))
def test_standard_deviation_agrees_with_statistics(numbers: list[int]) -> None:
    variance = statistics.variance([Fraction(number) for number in numbers])
    exact = WIDE.sqrt(WIDE.divide(Decimal(variance.numerator), Decimal(variance.denominator)))
    assert of("stddev", tuple(map(Decimal, numbers))) == ORACLE.plus(exact)


@given(numbers=st.lists(st.integers(0, 4).map(Decimal), max_size=12))
def test_mode_agrees_with_counting(numbers: list[Decimal]) -> None:
    most = max(Counter(numbers).values(), default=0)
    assert of("mode", tuple(numbers)) == tuple(
        sorted(number for number in set(numbers) if numbers.count(number) == most)
    )


@given(number=NUMBERS)
def test_parity_agrees_with_integers(number: Decimal) -> None:
    whole = number == number.to_integral_value()
    assert of("odd", number) is (whole and int(number) % 2 == 1)
    assert of("even", number) is (whole and int(number) % 2 == 0)


@pytest.mark.parametrize(("name", "function"), [("exp", ORACLE.exp), ("sqrt", ORACLE.sqrt)])
@given(number=st.decimals(0, 1000, places=8))
def test_transcendental_functions_have_34_digits(
    name: str, function: type[Decimal], number: Decimal
) -> None:
    assert of(name, number) == function(number)
