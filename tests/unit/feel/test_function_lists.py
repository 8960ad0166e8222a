"""Functions on lists and contexts, and sorting."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.feel import Budget, FeelBudgetError, Value, compile_expression
from pilothouse.feel.functions import FUNCTIONS
from pilothouse.feel.functions.registry import call
from pilothouse.feel.values import Function

NUMBERS = st.lists(st.integers(-9, 9).map(Decimal), max_size=30)


def value(text: str) -> Value:
    return compile_expression(text).evaluate({})


def of(name: str, *arguments: Value) -> Value:
    return call(FUNCTIONS[name], arguments, (), Budget())


def smaller_tens(budget: Budget, values: tuple[Value, ...]) -> Value:
    left, right = values
    assert isinstance(left, Decimal)
    assert isinstance(right, Decimal)
    return left // 4 < right // 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("append([1], 2, 3)", [1, 2, 3]),
        ("append([], null)", [None]),
        ("append([1], [2])", [1, [2]]),
        ("append(1, 2)", [1, 2]),
        ("append(list: [1], item: 2)", [1, 2]),
        ("concatenate([1], [2, 3])", [1, 2, 3]),
        ("concatenate([1, [2]], 3)", [1, [2], 3]),
        ("insert before([1, 3], 2, 2)", [1, 2, 3]),
        ("insert before([1, 3], -1, 2)", [1, 2, 3]),
        ("insert before(list: [1], position: 1, newItem: null)", [None, 1]),
        ("remove([1, 2, 3], 2)", [1, 3]),
        ("remove([1, 2, 3], -3)", [2, 3]),
        ("remove(position: 1, list: [1])", []),
        ("list replace([2, 4, 7, 8], 3, 6)", [2, 4, 6, 8]),
        ("list replace([2, 4, 7, 8], -1, 6)", [2, 4, 7, 6]),
        ("list replace(list: [2, 4], position: 1, newItem: null)", [None, 4]),
        (
            "list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5)",
            [5, 5, 7, 8],
        ),
        ("list replace(list: [1], match: function(item, newItem) true, newItem: 2)", [2]),
        ("list replace([1, 2], function(item, newItem) false, 5)", [1, 2]),
        ("union([1, 2], [2, 3], [3])", [1, 2, 3]),
        ("distinct values([1, 2, 1.0, null, null])", [1, 2, None]),
        ("distinct values([[1], [1.0], {a: 1}, {a: 1}])", [[1], {"a": 1}]),
        ("duplicate values([1, 2, 3, 2, 1, 1])", [1, 2]),
        ("flatten([1, [2, [3, []]]])", [1, 2, 3]),
        ("reverse([1, 2])", [2, 1]),
        ("index of([1, 2, 1], 1)", [1, 3]),
        ("index of([1, null], null)", [2]),
        ("index of([1], 2)", []),
        ("sublist([1, 2, 3], 2)", [2, 3]),
        ("sublist([1, 2, 3], -2, 1)", [2]),
        ("sublist(list: [1, 2, 3], start position: 1, length: 2.9)", [1, 2]),
        ("sort([3, 1, 2], function(x, y) x < y)", [1, 2, 3]),
        ("sort([3, 1, 2], function(x, y) x > y)", [3, 2, 1]),
        ("sort(list: [], precedes: function(x, y) x > y)", []),
        ("sort(5, function(x, y) x > y)", [5]),
        ("sort([3, 1, 2], before)", [1, 2, 3]),
        (
            "sort([{a: 2}, {a: 1}], function(x, y) x.a < y.a)",
            [{"a": 1}, {"a": 2}],
        ),
        ("get entries({a: 1, b: null})", [{"key": "a", "value": 1}, {"key": "b", "value": None}]),
        ("get entries({})", []),
    ],
)
def test_gives_a_list(text: str, expected: list[object]) -> None:
    assert value(text) == plain(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("list contains([1, null], null)", True),
        ("list contains([1, 2], 1.0)", True),
        ("list contains([[1]], [1])", True),
        ('list contains([1], "1")', False),
        ("list contains(list: [], element: 1)", False),
        ('get value({a: 1}, "a")', 1),
        ('get value(m: {a: {b: 2}}, key: "a")', {"b": 2}),
        ('context put({}, "a", 1)', {"a": 1}),
        ('context put({a: 1, b: 2}, "a", null)', {"a": None, "b": 2}),
        ('context put({x: 1, y: {a: 0}}, ["y", "b"], 2)', {"x": 1, "y": {"a": 0, "b": 2}}),
        ('context put(context: {x: 1}, keys: ["y"], value: 2)', {"x": 1, "y": 2}),
        ('context put(context: {}, keys: "y", value: 2)', {"y": 2}),
        ('context put(value: 2, context: {}, key: "y")', {"y": 2}),
        ("context merge([{a: 1, b: 1}, {b: 2}])", {"a": 1, "b": 2}),
        ("context merge(contexts: {a: 1})", {"a": 1}),
        ("context merge([])", {}),
        ('context([{key: "a", value: 1}, {key: "b", value: null}])', {"a": 1, "b": None}),
        ('context(entries: {key: "a", value: 1, more: 2})', {"a": 1}),
        ("context([])", {}),
    ],
)
def test_gives_a_value(text: str, expected: object) -> None:
    assert value(text) == plain(expected)


def plain(expected: object) -> object:
    if isinstance(expected, list):
        return tuple(plain(item) for item in expected)
    if isinstance(expected, dict):
        return {key: plain(item) for key, item in expected.items()}
    if isinstance(expected, int) and not isinstance(expected, bool):
        return Decimal(expected)
    return expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "append(null, 1)",
            "append([1])",
            "concatenate([1], null)",
            "union(null)",
            "reverse(null)",
        ),
        *("insert before([1], 0, 2)", "insert before([1], 2, 2)", "insert before([], 1, 2)"),
        *("insert before([1], 1.5, 2)", 'insert before([1], "1", 2)', "insert before(null, 1, 2)"),
        *("remove([1], 2)", "remove([1], 0)", "remove([1], null)", "remove([1])"),
        *("list replace([1], 2, 3)", 'list replace([1], "1", 3)', "list replace([1], null, 3)"),
        "list replace([1], function(item, newItem) null, 3)",
        "list replace([1], function(item) true, 3)",
        "list replace(list: [1], match: 1, newItem: 3)",
        *("sublist([1], 2)", "sublist([1], 0)", "sublist([1], 1, 2)", "sublist([1], 1, -1)"),
        *("sublist([1], 1, 0)", "sublist([1], 1, null)", "sublist([1], 1.5)"),
        *("list contains(null, 1)", "index of(null, 1)", "distinct values(null)", "flatten(null)"),
        *("sort([2, 1])", "sort([2, 1], 1)", "sort([2, 1], function(x) true)"),
        *("sort([2, 1], function(x, y) null)", 'sort([2, "a"], function(x, y) x < y)'),
        *('get value({a: 1}, "b")', "get value(null, null)", 'get value([1, 2], "a")'),
        *("get entries(null)", "get entries([1, 2])", "get entries({}, {})"),
        *("context put({}, null, 1)", 'context put(null, "a", 1)', 'context put({}, "a")'),
        *("context put({}, 1, 1)", "context put({}, [], 1)", "context put({}, [null], 1)"),
        *('context put({}, ["a", "b"], 1)', 'context put({a: 1}, ["a", "b"], 1)'),
        'context put(context: {}, key: ["a", "b"], value: 1)',
        *("context merge([{}, null])", "context merge(null)", "context merge({}, {})"),
        *('context([{key: "a"}])', "context([{value: 1}])", "context(null)", "context([1])"),
        'context([{key: "a", value: 1}, {key: "a", value: 2}])',
        "context([{key: null, value: 1}])",
    ],
)
def test_is_null_for_a_reason(text: str) -> None:
    budget = Budget()
    assert compile_expression(text).evaluate({}, budget=budget) is None
    assert budget.nulls


@given(numbers=NUMBERS)
def test_sort_is_stable_and_complete(numbers: list[Decimal]) -> None:
    precedes = Function(name="", parameters=("x", "y"), run=smaller_tens)
    expected = sorted(numbers, key=lambda number: number // 4)
    assert of("sort", tuple(numbers), precedes) == tuple(expected)


def test_sort_pays_for_each_comparison() -> None:
    precedes = Function(name="", parameters=("x", "y"), run=smaller_tens)
    budget = Budget(steps=1_000)
    with pytest.raises(FeelBudgetError):
        call(FUNCTIONS["sort"], (tuple(map(Decimal, range(500))), precedes), (), budget)


def test_a_context_stays_as_it_was() -> None:
    inner: dict[str, Value] = {"a": Decimal(0)}
    outer: dict[str, Value] = {"y": inner}
    of("context put", outer, ("y", "a"), Decimal(2))
    of("context merge", (outer, {"z": None}))
    assert (outer, inner) == ({"y": {"a": Decimal(0)}}, {"a": Decimal(0)})


def test_a_thousand_different_items_are_within_the_budget() -> None:
    items = tuple(map(Decimal, range(5_000)))
    assert of("distinct values", items) == items


def test_many_lists_that_all_differ_are_not() -> None:
    items = tuple((Decimal(i),) for i in range(1_000))
    with pytest.raises(FeelBudgetError):
        of("distinct values", items)


@given(numbers=NUMBERS)
def test_distinct_and_duplicate_values_agree_with_counting(numbers: list[Decimal]) -> None:
    distinct = list(dict.fromkeys(numbers))
    assert of("distinct values", tuple(numbers)) == tuple(distinct)
    repeated = of("duplicate values", tuple(numbers))
    assert isinstance(repeated, tuple)
    assert set(repeated) == {number for number in distinct if numbers.count(number) > 1}


@given(numbers=NUMBERS, start=st.integers(-9, 9), length=st.integers(1, 9))
def test_sublist_agrees_with_slices(numbers: list[Decimal], start: int, length: int) -> None:
    begin = start - 1 if start > 0 else len(numbers) + start
    there = start != 0 and abs(start) <= len(numbers) and begin + length <= len(numbers)
    expected = tuple(numbers[begin : begin + length]) if there else None
    assert of("sublist", tuple(numbers), Decimal(start), Decimal(length)) == expected
