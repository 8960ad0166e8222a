"""The bodies of MLflow's scoring protocol."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.domain.schemas import Column, ColumnRole, DataType, Schema
from pilothouse.oip.errors import ParameterInvalidError, ProtocolError
from pilothouse.scoring.invocations.payloads import (
    InvocationMalformedError,
    from_csv,
    from_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA = Schema(
    columns=(
        Column(name="account", type=DataType.STRING, role=ColumnRole.IDENTIFIER),
        Column(name="amount", type=DataType.NUMBER),
        Column(name="age", type=DataType.INTEGER, nullable=True),
        Column(name="abroad", type=DataType.BOOLEAN),
    )
)
WANTED = {"amount": [0.1, 2.0], "age": [44, None], "abroad": [True, False]}


def read(document: object) -> Mapping[str, Sequence[object]]:
    columns = from_json(json.dumps(document).encode()).columns(SCHEMA)
    return {name: list(values) for name, values in columns.items()}


ROWS: list[list[object]] = [[0.1, 44, True], [2, None, False]]
RECORDS = [dict(zip(WANTED, row, strict=True)) for row in ROWS]


@pytest.mark.parametrize(
    "document",
    [
        {"dataframe_split": {"columns": ["amount", "age", "abroad"], "data": ROWS}},
        {"dataframe_split": {"index": [0, 1], "columns": [*WANTED], "data": ROWS}, "params": None},
        {"dataframe_records": RECORDS},
        {"instances": RECORDS},
        {"instances": ROWS},
        {"inputs": RECORDS},
        {"inputs": ROWS},
        {"inputs": {"amount": [0.1, 2], "age": [44, None], "abroad": [True, False]}, "params": {}},
    ],
)
def test_every_form_of_a_table_gives_the_same_columns(document: object) -> None:
    found = read(document)
    assert found == WANTED
    assert [type(v) for v in found["amount"]] == [float, float]


def test_a_whole_number_in_an_array_stands_for_an_integer_and_in_a_table_it_does_not() -> None:
    assert read({"inputs": [[0.5, 44.0, True]]})["age"] == [44]
    assert read({"inputs": [[0.5, 44.5, True]]})["age"] == [44.5]
    table = read({"dataframe_records": [{"amount": 0.5, "age": 44.0, "abroad": True}]})
    assert [type(v) for v in table["age"]] == [float]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "Expected `object`"),
        ({}, "0 tables"),
        ({"instances": ROWS, "inputs": ROWS}, "2 tables"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1]], "dtype": 1}}, "dtype"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "stands twice"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1], [1, 2]]}}, "row 1 has 2 values"),
        ({"dataframe_split": {"columns": ["a"], "data": []}}, "no rows"),
        ({"dataframe_split": {"columns": [], "data": [[]]}}, "no columns"),
        ({"dataframe_records": []}, "no rows"),
        ({"dataframe_records": [{"a": 1}, {"b": 1}]}, "record 1"),
        ({"instances": []}, "no rows"),
        ({"instances": [[1.0, 2], [3.0]]}, "row 1 has 1 values"),
        ({"inputs": {"a": []}}, "no rows"),
        ({"inputs": {"a": 1}}, "Expected"),
        ({"data": ROWS}, "unknown field"),
    ],
)
def test_what_is_none_of_the_forms_is_refused(document: object, problem: str) -> None:
    with pytest.raises(InvocationMalformedError) as caught:
        read(document)
    assert problem in caught.value.problem


def test_rows_without_names_are_as_wide_as_the_model_asks() -> None:
    with pytest.raises(InvocationMalformedError) as caught:
        read({"instances": [1.0, 2.0]})
    assert "1 values and the model asks for 3" in caught.value.problem


def test_the_sticky_key_is_the_only_parameter() -> None:
    def sent(params: object) -> bytes:
        return json.dumps({"instances": ROWS, "params": params}).encode()

    assert from_json(sent({"sticky_key": "customer-1"})).sticky_key == "customer-1"
    for params in ({"sticky_key": 1}, {"sticky_key": ""}, {"temperature": 0.5}):
        with pytest.raises(ParameterInvalidError):
            from_json(sent(params))


def test_csv_is_read_as_the_schema_says() -> None:
    body = b'\xef\xbb\xbfamount,age,abroad\r\n0.1,44,True\r\n2,,"false"\r\n'
    columns = from_csv(body).columns(SCHEMA)
    assert {name: list(values) for name, values in columns.items()} == WANTED
    assert from_csv(b"amount\nx\n\n1e400\n").columns(SCHEMA)["amount"] == ["x", None, float("inf")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a,b\n",
        b"a,a\n1,2\n",
        b"a,b\n1\n",
        b"a,b\n1,2,3\n",
        b'a\n"1\n',
        b"a\n\xff\n",
    ],
)
def test_csv_that_is_no_table_is_refused(body: bytes) -> None:
    with pytest.raises(InvocationMalformedError):
        from_csv(body)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*WANTED, "columns", "data", "index"]), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(["dataframe_split", "dataframe_records", "instances", "inputs", "params"])


@given(st.dictionaries(NAMES, JSON, max_size=2).map(lambda d: json.dumps(d).encode()) | st.binary())
def test_any_body_is_read_as_columns_of_one_length_or_refused(body: bytes) -> None:
    for reader in (from_json, from_csv):
        with contextlib.suppress(ProtocolError):
            columns = reader(body).columns(SCHEMA)
            assert all(len(values) > 0 for values in columns.values())
