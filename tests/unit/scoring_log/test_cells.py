from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.domain.schemas import Column, DataType
from pilothouse.scoring.log.cells import histogram_of, standard_edges

AMOUNT = Column(name="amount", type=DataType.NUMBER, minimum=-3.5, maximum=96.25)
ANY_NUMBER = Column(name="balance", type=DataType.NUMBER)
AGE = Column(name="age", type=DataType.INTEGER, minimum=18, maximum=99)
SEGMENT = Column(name="segment", type=DataType.STRING, categories=("retail", "corporate"))
YES = Column(name="yes", type=DataType.BOOLEAN)
NUMBERS = st.lists(
    st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(2**53), 2**53)
)


def counted(column: Column, *values: Any) -> dict[str, Any]:  # noqa: ANN401
    histogram = histogram_of(column)
    histogram.add(values)
    return histogram.document()


def total(document: dict[str, Any]) -> int:
    others = ("null", "not_finite", "below", "above", "unseen", "present")
    cells = sum(int(c[-1]) for c in document.get("cells", []))
    return cells + sum(int(document.get(k, 0)) for k in others)


@pytest.mark.parametrize("column", [AMOUNT, ANY_NUMBER, AGE])
@settings(max_examples=60, deadline=None)
@given(first=NUMBERS, second=NUMBERS)
def test_every_value_is_counted_once_and_counts_of_parts_add_up(
    column: Column, first: list[Any], second: list[Any]
) -> None:
    parts = [counted(column, *first), counted(column, *second)]
    whole = counted(column, *first, *second)
    cells: Counter[tuple[float, float]] = Counter()
    for part in parts:
        for low, high, count in part["cells"]:
            cells[low, high] += count
    assert cells == {(low, high): count for low, high, count in whole["cells"]}
    for name in ("null", "not_finite", "below", "above"):
        assert whole[name] == sum(p[name] for p in parts)
    assert total(whole) == len(first) + len(second)


@settings(max_examples=100, deadline=None)
@given(value=st.floats(-3.5, 96.25))
def test_a_value_is_in_the_cell_whose_edges_hold_it(value: float) -> None:
    ((low, high, _),) = counted(AMOUNT, value)["cells"]
    assert low <= value < high or value == high == 96.25


def test_whole_numbers_of_a_short_range_have_a_cell_each() -> None:
    found = counted(AGE, 18, 18, 99, 17, 100)
    assert found["cells"] == [[17.5, 18.5, 2], [98.5, 99.5, 1]]
    assert (found["below"], found["above"]) == (1, 1)


def test_a_range_of_one_number_and_a_half_open_one_use_the_standard_edges() -> None:
    same = Column(name="one", type=DataType.NUMBER, minimum=1, maximum=1)
    half = Column(name="half", type=DataType.NUMBER, minimum=0)
    assert counted(same, 1)["edges"] == counted(half, 1)["edges"] == "standard-1"


def test_the_standard_edges_stay_as_they_are() -> None:
    edges = standard_edges()
    assert np.all(np.diff(edges) > 0)
    assert (len(edges), edges[0], edges[-1]) == (527, -(2.0**40), 2.0**40)
    assert {0.0, 1.0, 2.0, 4.0, 0.5, 1 / 64} <= set(edges.tolist())


def test_known_values_are_counted_by_value_and_others_together() -> None:
    found = counted(SEGMENT, "retail", "retail", "other", None, "another")
    assert found == {"kind": "categories", "cells": [["retail", 2]], "null": 1, "unseen": 2}
    assert counted(YES, True, False, True)["cells"] == [[False, 1], [True, 2]]


def test_text_and_times_are_counted_by_presence() -> None:
    column = Column(name="at", type=DataType.TIMESTAMP, nullable=True)
    assert counted(column, "2026-01-05T12:00:00Z", None) == {
        "kind": "presence",
        "present": 1,
        "null": 1,
    }
