"""FEEL values as JSON's values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pilothouse.feel import (
    FeelBudgetError,
    FeelValueError,
    Range,
    Value,
    YearsMonths,
    compile_expression,
    plain_value,
)
from pilothouse.feel.python_values import python_value
from pilothouse.feel.temporal import read_moment


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        ("a", "a"),
        (Decimal("2.0"), 2),
        (Decimal("2.5"), 2.5),
        (Decimal("1E+20"), 1e20),
        (Decimal("0.1"), 0.1),
        ((Decimal(1), "a"), [1, "a"]),
        ({"a": (None,)}, {"a": [None]}),
        (read_moment("2026-01-05"), "2026-01-05"),
        (read_moment("2026-01-05T10:00:00Z"), "2026-01-05T10:00:00Z"),
        (read_moment("10:00:00.000000001@Europe/Paris"), "10:00:00.000000001@Europe/Paris"),
        (read_moment("PT1H"), "PT1H"),
        (YearsMonths(months=3), "P3M"),
        (Range(start=Decimal(1), end=Decimal(2)), "[1..2]"),
    ],
)
def test_every_kind_has_a_plain_form(value: Value, plain: object) -> None:
    found = plain_value(value)
    assert (type(found), found) == (type(plain), plain)


def test_a_number_beyond_all_floats_is_refused() -> None:
    with pytest.raises(FeelValueError):
        plain_value(Decimal("1E+400"))


@pytest.mark.parametrize("leave", [plain_value, python_value])
def test_a_value_that_repeats_itself_without_end_is_refused(leave: object) -> None:
    tree = compile_expression("for i in 1..60 return [partial, partial]").evaluate({})
    with pytest.raises(FeelBudgetError):
        leave(tree)  # type: ignore[operator]
