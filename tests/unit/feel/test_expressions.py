"""What expressions mean: operators, three-valued logic, loops, filters, paths."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pilothouse.feel import Budget, Range, Value, compile_expression

CONTEXT = {
    "auc": 0.91,
    "tier": "low",
    "count": 12,
    "nothing": None,
    "metrics": {"auc": {"test": 0.9}, "psi": 0.05},
    "runtimes": [
        {"name": "a", "stage": "PROD", "load": 3},
        {"name": "b", "stage": "UAT", "load": 5},
    ],
    "Monthly Salary": 1000,
}


def value(text: str) -> Value:
    return compile_expression(text).evaluate(CONTEXT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("2 ** 3 ** 2", "64"),
        ("-2 ** 2", "4"),
        ("10 ** -2", "0.01"),
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "0.3333333333333333333333333333333333"),
        ("1.5e3", "1500"),
        (".5", "0.5"),
        ("- - 3", "3"),
        ("count * 2", "24"),
        ("if auc > 0.5 then 1 else 2", "1"),
        ("if nothing then 1 else 2", "2"),
        ("Monthly Salary * 12", "12000"),
        ("Monthly   Salary * 12", "12000"),
        ("[10, 20, 30][2]", "20"),
        ("[10, 20, 30][-1]", "30"),
        ("[10, 20, 30][1 + 1]", "20"),
        ("{a: 1, b: a + 1}.b", "2"),
        ("[[{a: 1}], [{a: 2}]].a[2][1]", "2"),
        ('{"a b": 3}.a b', "3"),
        ('runtimes[name = "b"].load[1]', "5"),
        ("[1..5].end", "5"),
        ("1 // a comment\n + /* and another */ 1", "2"),
        ("[1..[5, 6][1]].end", "5"),
        ("(!= 5).start", "5"),
        ("{r: < 5}.r.end", "5"),
        ('{"a+b": 1}.a+b', "1"),
        ("{a+b: 1, c: a + b + 1}.c", "2"),
        ("{terms and conditions: 1}.terms and conditions", "1"),
        ("[{item: 1}, {item: 2}][item > 1][1].item", "2"),
        ("[{x: 1}].x[1]", "1"),
    ],
)
def test_numbers_are_decimal(text: str, expected: str) -> None:
    assert value(text) == Decimal(expected)


@pytest.mark.parametrize(
    "text",
    [
        "1 = 1.0",
        '"a" < "b"',
        "auc between 0.9 and 0.92",
        "count in [10..12]",
        "not(count in [10..12))",
        "not(count in (12..20])",
        "not(count in ]12..20[)",
        'tier in ["low", "medium"]',
        'tier in ("low", "medium")',
        "count in (1, 2, > 10)",
        "count in <= 12",
        "count != 13",
        "null = null",
        "nothing = null",
        "some r in runtimes satisfies r.load > 4",
        "every r in runtimes satisfies r.load > 2",
        "some x in [1, 2], y in [2, 3] satisfies x = y",
        "{a: [1, 2]} = {a: [1, 2.0]}",
        "[1..3] = [1..3]",
        "auc instance of number",
        'date("2026-01-05") instance of date',
        "metrics.auc.test >= 0.9 and metrics.psi < 0.2",
        'runtimes.name = ["a", "b"]',
        "is defined(nothing)",
        "is defined(metrics.psi)",
        "not(is defined(metrics.other))",
        "not(is defined(other))",
        "1 = 1 = true",
        "count in (? > 3 and ? < 20)",
        "count in [< 3, > 10]",
        "count in ((< 13))",
        "count in ([1, 12])[2]",
        "count in (10) + 2",
        "(< 10) = (< 10)",
        "(= 10) != [10..10]",
        "5 in ]1..6[ and true",
        "5 in []1..6[]",
        "5 in [[1..2[, ]4..5], [1..[1, 9][1]]]",
        "[] = []",
        '@"2026-01-05" between @"2026-01-01" and @"2026-01-31"',
        "null = [null][1]",
        "every x in [] satisfies false",
        "not(some x in [] satisfies true)",
        'count(for d in @"2026-01-30"..@"2026-02-01" return d) = 3',
        '(for d in @"2026-02-01"..@"2026-01-31" return d)[2] = @"2026-01-31"',
    ],
)
def test_is_true(text: str) -> None:
    assert value(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "other",
        "metrics.other.deeper",
        "tier.length",
        "1 + null",
        '1 + "a"',
        "1 / 0",
        "0 ** -1",
        "9 ** (9 ** 9)",
        "1 < null",
        '1 < "a"',
        '1 = "1"',
        "true < false",
        "true and null",
        "true and 1",
        "false or null",
        "not(1)",
        "[1, 2][3]",
        "[1, 2][0]",
        "nothing[1]",
        "for x in null return x",
        "5 in [null..10]",
        "[3..1]",
        "some x in [null] satisfies x",
        "some x in null satisfies x",
        '-"a"',
        "1 < 2 < 3",
        "[1, 2, 3][1.5]",
        '[1, 2, 3]["a"]',
        "for i in 1..2.5 return i",
        'for i in "a".."c" return i',
        "for i in (< 5) return i",
        "x.__class__()",
        "5 in (null..10)",
        "(1..null)",
    ],
)
def test_is_null_by_the_standard(text: str) -> None:
    assert value(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true and true", True),
        ("true and false", False),
        ("null and false", False),
        ("false and null", False),
        ("null and true", None),
        ("true or null", True),
        ("null or true", True),
        ("null or false", None),
        ("false or false", False),
        ("null or null or true", True),
        ("true and null and false", False),
        ("false and true or true", True),
    ],
)
def test_logic_has_three_values(text: str, expected: bool | None) -> None:
    assert value(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for i in 1..3 return i * i", (1, 4, 9)),
        ("for i in 3..1 return i", (3, 2, 1)),
        ("for i in [1..3) return i", (1, 2)),
        ("for x in [1, 2], y in [x, 10] return x * y", (1, 10, 4, 20)),
        ("for i in 1..5 return if i < 3 then 1 else partial[-1] + partial[-2]", (1, 1, 2, 3, 5)),
        ("[1, 2, 3, 4][item > 2]", (3, 4)),
        ("[1, 2, 3][item >= count]", ()),
        ("runtimes[load > 2].load", (3, 5)),
        ('runtimes[stage = "PROD"].load', (3,)),
        ("[1, [2, 3]][2]", (2, 3)),
        ("5[item > 3]", (5,)),
        ("for i in (1..4) return i", (2, 3)),
        ("for i in ]1..4[ return i", (2, 3)),
        ("for i in 5 return i", (5,)),
        ("[1, 2, 3][true]", (1, 2, 3)),
        ("[1, 2, 3][null]", ()),
        ("[{x: 1, y: 2}, {x: null, y: 3}][x < 2].y", (2,)),
        ("[]", ()),
    ],
)
def test_lists(text: str, expected: tuple[int, ...]) -> None:
    assert value(text) == tuple(Decimal(n) for n in expected)


def test_a_filter_reads_members_of_the_item_before_outer_names() -> None:
    expression = compile_expression("rows[limit > 2].limit")
    assert expression.evaluate({"rows": [{"limit": 1}, {"limit": 3}], "limit": 99}) == (Decimal(3),)


def test_a_filter_reads_outer_names_that_the_item_lacks() -> None:
    expression = compile_expression("rows[size > limit].size")
    assert expression.evaluate({"rows": [{"size": 1}, {"size": 3}], "limit": 2}) == (Decimal(3),)


def test_a_loop_variable_hides_a_variable_of_the_context() -> None:
    assert compile_expression("for x in [1] return x").evaluate({"x": 99}) == (Decimal(1),)


def test_ranges_are_values() -> None:
    assert value("]1..3]") == Range(start=Decimal(1), end=Decimal(3), start_included=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"a\nb"', "a\nb"),
        (r'"a\"b"', 'a"b'),
        (r'"\u0041\u00e9"', "Aé"),
        (r'"\U01F600"', "\U0001f600"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\d+"', r"\d+"),
        (r'"横綱" + "!"', "横綱!"),
    ],
)
def test_strings(text: str, expected: str) -> None:
    assert value(text) == expected


def test_free_names_are_known_before_evaluation() -> None:
    expression = compile_expression("a.b > c and (for x in d return x + y) = [size[e > 1]]")
    assert expression.names == {"a", "c", "d", "y", "size"}
    assert expression.possible_names == {"e"}


def test_names_with_signs_are_read_where_they_are_announced() -> None:
    expression = compile_expression("profit-loss - 1", names=["profit-loss"])
    assert expression.evaluate({"profit-loss": 5}) == Decimal(4)


def test_names_with_keywords_inside_are_read_where_they_are_announced() -> None:
    expression = compile_expression("terms and conditions = 1", names=["terms and conditions"])
    assert expression.evaluate({"terms and conditions": 1}) is True


def test_a_sign_is_an_operator_in_a_name_that_nobody_announced() -> None:
    assert compile_expression("profit-loss").evaluate({"profit": 5, "loss": 3}) == Decimal(2)


def test_an_expression_may_run_many_times_with_different_contexts() -> None:
    expression = compile_expression("for i in 1..n return i")
    assert [len(expression.evaluate({"n": n}) or ()) for n in (1, 3, 2)] == [1, 3, 2]  # type: ignore[arg-type]


def test_the_words_of_a_known_name_are_matched_whatever_space_is_between_them() -> None:
    expression = compile_expression("profit - loss * 2", names=["profit-loss"])
    assert expression.evaluate({"profit-loss": 5, "profit": 1, "loss": 1}) == Decimal(10)


def test_names_of_entries_are_read_where_they_are_announced() -> None:
    expression = compile_expression(
        "loan.pre-tax rate + loans[pre-tax rate > 1].pre-tax rate[1]", members=["pre-tax rate"]
    )
    context = {"loan": {"pre-tax rate": 1}, "loans": [{"pre-tax rate": 2}]}
    assert expression.evaluate(context) == Decimal(3)


def test_a_variable_with_the_name_of_a_built_in_function_is_read_where_it_is_given() -> None:
    expression = compile_expression("count + 1")
    assert expression.evaluate({"count": 2}) == Decimal(3)
    assert not expression.names
    assert expression.possible_names == {"count"}


def test_running_on_feel_values_copies_nothing() -> None:
    rows: Value = ({"a": Decimal(1)},)
    assert compile_expression("rows").run({"rows": rows}, Budget()) is rows
