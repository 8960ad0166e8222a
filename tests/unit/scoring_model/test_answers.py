"""Answers, frames and golden records: exactness."""

from __future__ import annotations

import io
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.domain.schemas import Column, DataType, Schema
from pilothouse.scoring import frames
from pilothouse.scoring.answers import AnswerError, plain_columns, plain_metrics
from pilothouse.scoring.folder_errors import GoldenInvalidError, RowsDisagreeError
from pilothouse.scoring.golden import (
    largest_difference,
    read_golden,
    read_inputs,
    write_golden,
)

AGE = Schema(columns=(Column(name="age", type=DataType.INTEGER, maximum=99),))


@given(st.lists(st.floats(allow_nan=False), max_size=20), st.lists(st.integers(), max_size=20))
def test_every_number_survives_a_frame_exactly(floats: list[float], ints: list[int]) -> None:
    message = {"floats": floats, "ints": ints}

    read = frames.read(io.BytesIO(frames.encode(message)))

    assert repr(read) == repr(message)


def test_bytes_that_are_no_frame_are_refused() -> None:
    for body in (b"[]", b"nonsense", b"\xff", b"[" * 100_000):
        with pytest.raises(frames.FrameError):
            frames.decode(body)
    with pytest.raises(frames.FrameError):
        frames.length(b"\xff\xff\xff\xff")


def test_arrays_become_the_plain_values_that_they_stand_for() -> None:
    answer = {
        "f32": np.array([0.1, np.nan], dtype=np.float32),
        "i": np.array([1, 2**62]),
        "b": [np.bool_(True), False],
        "s": pd.Series(["a", None], dtype="object"),
        "t": np.array(["x", "y"]),
        "f": (np.float64(0.1), 2.0),
    }

    plain = plain_columns(answer, 2)

    assert plain == {
        "f32": [float(np.float32(0.1)), None],
        "i": [1, 2**62],
        "b": [True, False],
        "s": ["a", None],
        "t": ["x", "y"],
        "f": [0.1, 2.0],
    }
    assert {type(v) for values in plain.values() for v in values} == {
        float,
        int,
        bool,
        str,
        type(None),
    }


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [1, 2],
        {"a": [1]},
        {"a": "xy"},
        {"a": 3},
        {"a": [1, object()]},
        {"a": [1, Decimal(1)]},
        {"a": [[1], [2]]},
        {"a": np.zeros((2, 2))},
        {"a": [b"x", b"y"]},
    ],
)
def test_an_answer_without_a_plain_form_is_an_error(answer: object) -> None:
    with pytest.raises(AnswerError):
        plain_columns(answer, 2)


@pytest.mark.parametrize(
    "metrics", [None, {"auc": math.nan}, {"auc": math.inf}, {"auc": True}, {"auc": "0.9"}]
)
def test_metrics_are_finite_numbers(metrics: object) -> None:
    with pytest.raises(AnswerError):
        plain_metrics(metrics)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", 0),
        (b'{"age": 1}\n\nnonsense', 3),
        (b'{"age": 1}\n[]', 2),
        (b'{"age": 1, "age": 2}', 1),
        (b'{"age": NaN}', 1),
        (b'{"age": 100}', 1),
        (b'{"age": 1}\n{"age": 2.5}', 2),
        (b'{"age": 1}\n{"age": 1, "x": 1}', 2),
        (b'{"x": 1}', 1),
        (b'{"age": 1}\n' * 1001, 0),
        (b"[" * 100_000, 1),
    ],
)
def test_golden_inputs_that_break_the_schema_or_json_are_refused(text: bytes, line: int) -> None:
    with pytest.raises(GoldenInvalidError) as caught:
        read_inputs(text, AGE)

    assert caught.value.line == line


def test_golden_records_read_back_as_written() -> None:
    inputs = read_inputs(b'{"age": 7}\n{"age": 8}\n', AGE)

    text = write_golden(inputs.records, {"score": [0.1, 1e-300]})

    assert [(r.input, r.output) for r in read_golden(text.encode())] == [
        ({"age": 7}, {"score": 0.1}),
        ({"age": 8}, {"score": 1e-300}),
    ]


def test_rounding_is_measured_and_anything_more_is_a_disagreement() -> None:
    assert largest_difference({"s": [1.0]}, {"s": [1.0 + 2.0**-52]}) == 2.0**-52 / (1 + 2.0**-52)
    for one, other in ((1.0, 1.0 + 1e-9), (1, 2), (1, 1.0), ("a", "b"), (None, 0.0), (True, 1)):
        with pytest.raises(RowsDisagreeError) as caught:
            largest_difference({"s": [one]}, {"s": [other]})
        assert (caught.value.row, caught.value.column) == (0, "s")
