"""What a compiled model takes, and what it refuses, with the kernel and without."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pilothouse.evaluator import Compiled, Form, Input, Kind, Output
from pilothouse.evaluator.errors import InputsDifferError, RowRefusedError, ValueUnfitError
from pilothouse.evaluator.operations import Across, Refusal, Refuse, Row

SOURCE = np.array([0, 1, 2], dtype=np.int32)
FORM = Form(
    inputs=(
        Input(name="amount", kind=Kind.NUMBER),
        Input(name="country", kind=Kind.TEXT, words=("ch", "de")),
        Input(name="known", kind=Kind.BOOLEAN),
    ),
    operations=(
        Refuse(source=SOURCE[1:2], reason=Refusal.UNSEEN, step="encoder"),
        Row(source=SOURCE, function=Across.SUM),
    ),
    outputs=(
        Output(name="sum", column=3),
        Output(name="label", column=2, labels=("new", "old")),
    ),
)


@pytest.fixture(params=[True, False], ids=["kernel", "numpy"])
def compiled(request: pytest.FixtureRequest) -> Compiled:
    return Compiled(FORM, native=request.param)


def test_a_row_of_python_values(compiled: Compiled) -> None:
    assert compiled.row([2.5, "de", True]) == (4.5, "old")
    assert compiled.row((2, "ch", False)) == (2.0, "new")


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_value_is_none_or_nan(compiled: Compiled, missing: object) -> None:
    answer = compiled.row([missing, "de", True])

    assert np.isnan(answer[0])


def test_a_block_takes_arrays_and_lists(compiled: Compiled) -> None:
    said = compiled.block(
        {
            "known": np.array([True, False]),
            "country": np.array(["ch", "de"], dtype=object),
            "amount": np.array([1, 2], dtype=np.int64),
        }
    )

    assert said["sum"].tolist() == [2.0, 3.0]
    assert said["label"] == ["old", "new"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", "1"),
        ("amount", True),
        ("amount", 2**53 + 1),
        ("amount", 10**400),
        ("country", 1.0),
        ("country", b"ch"),
        ("known", 1),
        ("known", 0.0),
        ("known", "true"),
    ],
)
def test_a_value_of_another_kind_is_refused(compiled: Compiled, column: str, value: object) -> None:
    row = {"amount": 1.0, "country": "ch", "known": True} | {column: value}

    with pytest.raises(ValueUnfitError) as alone:
        compiled.row(list(row.values()))
    with pytest.raises(ValueUnfitError) as together:
        compiled.block({name: [v] for name, v in row.items()})

    assert alone.value.column == together.value.column == column


@pytest.mark.parametrize(
    "amount",
    [np.array([2**53 + 2]), np.array([True]), np.array([1 + 2j]), np.array([["1"]])],
)
def test_an_array_of_another_kind_is_refused(compiled: Compiled, amount: object) -> None:
    with pytest.raises(ValueUnfitError):
        compiled.block({"amount": amount, "country": ["ch"], "known": [True]})


def test_a_refused_row_is_named(compiled: Compiled) -> None:
    countries = ["ch"] * 5000
    countries[4321] = "fr"

    with pytest.raises(RowRefusedError, match="a category is unknown") as caught:
        compiled.block(
            {"amount": np.ones(5000), "country": countries, "known": np.ones(5000, dtype=bool)}
        )

    assert (caught.value.row, caught.value.step) == (4321, "encoder")
    with pytest.raises(RowRefusedError):
        compiled.row([1.0, "fr", True])


def test_columns_must_be_there_and_equally_long(compiled: Compiled) -> None:
    with pytest.raises(InputsDifferError, match="missing"):
        compiled.block({"amount": [1.0], "country": ["ch"]})
    with pytest.raises(InputsDifferError, match="2 rows"):
        compiled.block({"amount": [1.0], "country": ["ch"], "known": [True, True]})
    with pytest.raises(InputsDifferError, match="2 values for 3"):
        compiled.row([1.0, "ch"])


def test_a_block_without_rows_gives_none(compiled: Compiled) -> None:
    said = compiled.block({"amount": [], "country": [], "known": []})

    assert said["sum"].shape == (0,)
    assert said["label"] == []


def test_threads_share_a_compiled_model(compiled: Compiled) -> None:
    block = {"amount": np.arange(20_000.0), "country": ["de"] * 20_000, "known": [True] * 20_000}
    expected = compiled.block(block)["sum"]
    found: list[bool] = []

    def work() -> None:
        found.extend(bool(np.array_equal(compiled.block(block)["sum"], expected)) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [True] * 20
