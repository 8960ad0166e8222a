"""Schemas inferred from samples."""

from __future__ import annotations

import pytest

from pilothouse.domain.contracts import Contract
from pilothouse.domain.schemas import ColumnRole, DataType, Scalar
from pilothouse.scoring.inference import InferenceHints, SampleInvalidError, infer_schema


def test_types_nulls_ranges_and_roles_come_from_the_sample() -> None:
    sample: dict[str, list[Scalar]] = {
        "customer_id": ["a1", "a1", "b2"],
        "age": [31, None, 44],
        "income": [1, 2.5, float("nan")],
        "member": [True, False, True],
        "state": ["MA", "CT", "MA"],
        "note": ["one", "two", "three"],
        "at": ["2026-01-05T00:00:00Z", "2026-01-05T01:00:00+01:00", "2026-01-05T00:00Z"],
        "label": [0, 1, 1],
        "score": [0.1, 0.2, 0.3],
    }

    schema = infer_schema(sample)

    found = {
        c.name: (c.type, c.nullable, c.minimum, c.maximum, c.categories, c.role)
        for c in schema.columns
    }
    predictor = ColumnRole.PREDICTOR
    assert found == {
        "customer_id": (DataType.STRING, False, None, None, None, ColumnRole.IDENTIFIER),
        "age": (DataType.INTEGER, True, 31.0, 44.0, None, predictor),
        "income": (DataType.NUMBER, True, 1.0, 2.5, None, predictor),
        "member": (DataType.BOOLEAN, False, None, None, None, predictor),
        "state": (DataType.STRING, False, None, None, ("CT", "MA"), predictor),
        "note": (DataType.STRING, False, None, None, None, predictor),
        "at": (DataType.TIMESTAMP, False, None, None, None, predictor),
        "label": (DataType.INTEGER, False, 0.0, 1.0, None, ColumnRole.LABEL),
        "score": (DataType.NUMBER, False, None, None, None, ColumnRole.SCORE),
    }


def test_hints_win_over_names_and_make_codes_categories() -> None:
    hints = InferenceHints(roles={"y": ColumnRole.LABEL}, categorical=["sex"], ranges=False)

    schema = infer_schema({"y": [1, 0], "sex": [2, 1], "age": [3, 4]}, hints=hints)

    assert [(c.role, c.categories, c.minimum) for c in schema.columns] == [
        (ColumnRole.LABEL, None, None),
        (ColumnRole.PREDICTOR, (1, 2), None),
        (ColumnRole.PREDICTOR, None, None),
    ]


def test_the_sample_itself_keeps_the_inferred_contract() -> None:
    sample: dict[str, list[Scalar]] = {
        "big": [2**62 + 1, 2**62 + 3],
        "x": [0.1, 0.7],
        "s": ["a", "a"],
    }

    checked = Contract(infer_schema(sample)).check(sample)

    assert checked.violations == []


@pytest.mark.parametrize(
    "values",
    [[], [None], [1, "a"], [True, 1], [2**60, 0.5], [0.5, float("inf")]],
)
def test_a_sample_that_says_nothing_sure_is_an_error(values: list[Scalar]) -> None:
    with pytest.raises(SampleInvalidError) as caught:
        infer_schema({"x": values})

    assert caught.value.column == "x"


def test_a_hint_for_a_column_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SampleInvalidError):
        infer_schema({"x": [1]}, hints=InferenceHints(categorical=["z"]))
