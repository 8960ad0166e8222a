"""FEEL values as JSON's values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
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
        (date(2026, 1, 5), "2026-01-05"),
        (datetime(2026, 1, 5, 10, tzinfo=UTC), "2026-01-05T10:00:00Z"),
        (timedelta(hours=1), "PT1H"),
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


def test_a_value_that_repeats_itself_without_end_is_refused() -> None:
    tree = compile_expression("for i in 1..60 return [partial, partial]").evaluate({})
    with pytest.raises(FeelBudgetError):
        plain_value(tree)
