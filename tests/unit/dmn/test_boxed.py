"""Boxed expressions of every kind."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pilothouse.dmn import DmnRejectedError, Outcome, read_decisions
from pilothouse.feel import FeelBudgetError

if TYPE_CHECKING:
    from tests.unit.dmn.conftest import Definitions


def text(written: str) -> str:
    return f"<literalExpression><text>{written}</text></literalExpression>"


def taken(definitions: Definitions, box: str, **inputs: object) -> Outcome:
    file = definitions(f"<decision id='d' name='d'>{box}</decision>")
    return read_decisions(file).evaluate("d", inputs)


def problems(definitions: Definitions, box: str) -> list[str]:
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(definitions(f"<decision id='d'>{box}</decision>"))
    return [p.problem for p in caught.value.problems]


def entry(name: str, logic: str, kind: str = "") -> str:
    declared = f" typeRef='{kind}'" if kind else ""
    return f"<contextEntry><variable name='{name}'{declared}/>{logic}</contextEntry>"


def test_a_context_without_result_is_a_context_of_its_entries(definitions: Definitions) -> None:
    box = f"<context>{entry('rate', text('0.05'))}{entry('yearly  fee', text('rate * 100'))}</context>"
    assert taken(definitions, box).value == {"rate": Decimal("0.05"), "yearly fee": Decimal(5)}


def test_the_last_entry_without_a_name_is_the_result(definitions: Definitions) -> None:
    box = f"<context>{entry('a', text('2'))}<contextEntry>{text('a * 3')}</contextEntry></context>"
    assert taken(definitions, box).value == Decimal(6)


def test_an_entry_is_held_to_its_type(definitions: Definitions) -> None:
    box = f"<context>{entry('one', text('[7]'), 'number')}{entry('text', text('7'), 'string')}</context>"
    outcome = taken(definitions, box)
    assert outcome.value == {"one": Decimal(7), "text": None}
    assert outcome.nulls[0].problem == "the number 7 is not of the type string"


def test_an_entry_does_not_see_later_entries(definitions: Definitions) -> None:
    box = f"<context>{entry('a', text('b'))}{entry('b', text('1'))}</context>"
    assert taken(definitions, box, b=5).value == {"a": Decimal(5), "b": Decimal(1)}


def test_names_with_signs_are_read_where_they_are_known(definitions: Definitions) -> None:
    inner = f"<context>{entry('profit-loss', text('7'))}</context>"
    box = f"<context>{entry('year', inner)}<contextEntry>{text('year.profit-loss - 2')}</contextEntry></context>"
    assert taken(definitions, box).value == Decimal(5)


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        (f"{entry('a', text('1'))}{entry('a', text('2'))}", "its entries need different names"),
        (f"<contextEntry>{text('1')}</contextEntry>{entry('a', text('1'))}", "it stands after the result of its context"),
        ("<contextEntry><variable name='a'/></contextEntry>", "it has no expressions"),
        (entry("", text("1")), "it has no name"),
    ],
)  # fmt: skip
def test_contexts_that_mean_nothing_are_refused(
    definitions: Definitions, entries: str, problem: str
) -> None:
    assert problem in problems(definitions, f"<context>{entries}</context>")


def test_a_list_holds_the_values_of_its_boxes(definitions: Definitions) -> None:
    box = f"<list>{text('1')}<list>{text('x')}</list></list>"
    assert taken(definitions, box, x="a").value == (Decimal(1), ("a",))


def test_a_relation_is_a_list_of_contexts(definitions: Definitions) -> None:
    columns = "<column name='name'/><column name='score' typeRef='number'/>"
    rows = f"<row>{text('x')}{text('1')}</row><row>{text('null')}{text('[2]')}</row>"
    value = taken(definitions, f"<relation>{columns}{rows}</relation>", x="a").value
    assert value == (
        {"name": "a", "score": Decimal(1)},
        {"name": None, "score": Decimal(2)},
    )


def test_a_row_needs_a_cell_for_each_column(definitions: Definitions) -> None:
    box = f"<relation><column name='a'/><column name='b'/><row>{text('1')}</row></relation>"
    assert problems(definitions, box) == ["it has 1 cells, and the relation 2 columns"]


def conditional(condition: str) -> str:
    parts = f"<if>{text(condition)}</if><then>{text('1')}</then><else>{text('2')}</else>"
    return f"<conditional>{parts}</conditional>"


@pytest.mark.parametrize(("condition", "value"), [("true", 1), ("false", 2), ("null", 2)])
def test_a_conditional_takes_one_of_two(
    definitions: Definitions, condition: str, value: int
) -> None:
    assert taken(definitions, conditional(condition)).value == value


def test_a_condition_that_is_no_boolean_has_no_value(definitions: Definitions) -> None:
    outcome = taken(definitions, conditional('"yes"'))
    assert outcome.value is None
    assert "a string, not a boolean" in outcome.nulls[0].problem


def filtered(source: str, condition: str) -> str:
    return f"<filter><in>{text(source)}</in><match>{text(condition)}</match></filter>"


@pytest.mark.parametrize(
    ("source", "condition", "value"),
    [
        ("[1, 2, 3]", "item >= 2", (2, 3)),
        ("[{a: 1}, {a: 2}]", "a = 2", ({"a": 2},)),
        ("[{a: 1}, {a: 2}]", "item.a = limit", ({"a": 1},)),
        ("[10, 20]", "2", 20),
        ("[10, 20]", "-2", 10),
        ("5", "item = 5", (5,)),
        ("[]", "item = 5", ()),
    ],
)
def test_a_filter_keeps_what_matches(
    definitions: Definitions, source: str, condition: str, value: object
) -> None:
    assert taken(definitions, filtered(source, condition), limit=1).value == value


def test_a_filter_by_text_has_no_value(definitions: Definitions) -> None:
    outcome = taken(definitions, filtered("[1]", '"a"'))
    assert outcome.value is None
    assert outcome.nulls[0].problem == "a filter by string has no value"


def looped(kind: str, source: str, body: str, inside: str) -> str:
    return f"<{kind} iteratorVariable='i'><in>{text(source)}</in><{inside}>{text(body)}</{inside}></{kind}>"


@pytest.mark.parametrize(
    ("source", "body", "value"),
    [
        ("[1, 2]", "i * factor", (3, 6)),
        ("[1..3]", "i", (1, 2, 3)),
        ("[1..4]", "if i = 1 then 1 else partial[-1] * i", (1, 2, 6, 24)),
        ("[]", "i", ()),
    ],
)
def test_a_for_lists_what_each_turn_gives(
    definitions: Definitions, source: str, body: str, value: object
) -> None:
    box = looped("for", source, body, "return")
    assert taken(definitions, box, factor=3).value == value


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("some", "i > 2", True),
        ("some", "i > 3", False),
        ("every", "i > 0", True),
        ("every", "i > 1", False),
        ("every", '"yes"', None),
    ],
)
def test_quantifiers_ask_each_item(
    definitions: Definitions, kind: str, body: str, value: object
) -> None:
    assert taken(definitions, looped(kind, "[1, 2, 3]", body, "satisfies")).value is value


def test_a_loop_keeps_the_functions_of_its_turns_apart(definitions: Definitions) -> None:
    loop = looped("for", "[1, 2]", "function(x) x + i", "return")
    box = f"<context>{entry('fs', loop)}<contextEntry>{text('[fs[1](10), fs[2](10)]')}</contextEntry></context>"
    assert taken(definitions, box).value == (11, 12)


def test_a_loop_without_end_is_stopped(definitions: Definitions) -> None:
    box = looped("for", "[1..1000000]", "i", "return")
    with pytest.raises(FeelBudgetError):
        taken(definitions, box)


FACTORIAL = (
    "<functionDefinition><formalParameter name='n' typeRef='number'/>"
    + text("if n = 0 then 1 else n * fact(n - 1)")
    + "</functionDefinition>"
)


def test_a_function_in_a_context_may_call_itself(definitions: Definitions) -> None:
    box = f"<context>{entry('fact', FACTORIAL)}<contextEntry>{text('fact(5)')}</contextEntry></context>"
    assert taken(definitions, box).value == Decimal(120)


def test_a_function_in_the_text_of_an_entry_may_call_itself(definitions: Definitions) -> None:
    function = text("function(n) if n = 0 then 1 else n * fact(n - 1)")
    box = f"<context>{entry('fact', function)}<contextEntry>{text('fact(4)')}</contextEntry></context>"
    assert taken(definitions, box).value == Decimal(24)


def test_an_entry_named_as_a_built_in_function_may_call_that(definitions: Definitions) -> None:
    box = f"<context>{entry('sum', text('sum([1, 2])'))}</context>"
    assert taken(definitions, box).value == {"sum": Decimal(3)}


def test_recursion_without_end_is_stopped(definitions: Definitions) -> None:
    box = f"<context>{entry('fact', FACTORIAL)}<contextEntry>{text('fact(-1)')}</contextEntry></context>"
    with pytest.raises(FeelBudgetError):
        taken(definitions, box)


def test_a_function_keeps_the_scope_that_it_was_made_in(definitions: Definitions) -> None:
    function = f"<functionDefinition>{text('x')}</functionDefinition>"
    box = (
        f"<context>{entry('f', function)}{entry('x', text('2'))}"
        f"<contextEntry>{text('f()')}</contextEntry></context>"
    )
    assert taken(definitions, box, x=1).value == Decimal(1)


def test_arguments_are_held_to_the_types_of_parameters(definitions: Definitions) -> None:
    box = f"<context>{entry('fact', FACTORIAL)}<contextEntry>{text('fact(&quot;5&quot;)')}</contextEntry></context>"
    outcome = taken(definitions, box)
    assert outcome.value is None
    assert outcome.nulls[0].problem == 'the string "5" is not of the type number'


@pytest.mark.parametrize("kind", ["Java", "PMML"])
def test_functions_in_other_languages_are_refused_by_design(
    definitions: Definitions, kind: str
) -> None:
    function = f"<functionDefinition kind='{kind}'><context/></functionDefinition>"
    with pytest.raises(DmnRejectedError) as caught:
        taken(definitions, f"<context>{entry('f', function)}</context>")
    assert [p.by_design for p in caught.value.problems] == [True]


def test_functions_of_java_in_feel_are_refused_by_design(definitions: Definitions) -> None:
    written = 'function(x) external {java: {class: "a.B", method signature: "c(double)"}}'
    with pytest.raises(DmnRejectedError) as caught:
        taken(definitions, text(written))
    assert [p.by_design for p in caught.value.problems] == [True]


def binding(name: str, written: str) -> str:
    return f"<binding><parameter name='{name}'/>{text(written)}</binding>"


def test_an_invocation_binds_by_name(definitions: Definitions) -> None:
    bindings = binding("match", '"c"') + binding("string", "x")
    box = f"<invocation>{text('substring after')}{bindings}</invocation>"
    assert taken(definitions, box, x="abcd").value == "d"


def test_an_invocation_of_no_function_has_no_value(definitions: Definitions) -> None:
    outcome = taken(definitions, f"<invocation>{text('x')}</invocation>", x=1)
    assert outcome.value is None
    assert outcome.nulls[0].problem == "x cannot be invoked: it is a number, not a function"


def test_boxes_nested_too_deeply_are_refused(definitions: Definitions) -> None:
    box = "<list>" * 31 + "</list>" * 31
    assert "more than 30 expressions stand inside one another" in problems(definitions, box)


def test_boxes_nested_as_deeply_as_allowed_are_taken(definitions: Definitions) -> None:
    box = text("1")
    for _ in range(29):
        box = f"<conditional><if>{text('true')}</if><then>{box}</then><else>{text('0')}</else></conditional>"
    assert taken(definitions, box).value == Decimal(1)


def test_nested_loops_as_deep_as_allowed_are_stopped_or_taken(definitions: Definitions) -> None:
    box = text("i")
    for _ in range(29):
        box = f"<for iteratorVariable='i'><in>{text('[1]')}</in><return>{box}</return></for>"
    value = taken(definitions, box).value
    for _ in range(29):
        assert isinstance(value, tuple)
        value = value[0]
    assert value == Decimal(1)


@pytest.mark.parametrize(("kind", "value"), [("number", (2, None)), ("list", (2, "aa"))])
def test_what_a_loop_goes_over_is_held_to_its_type(
    definitions: Definitions, kind: str, value: object
) -> None:
    body = text('if i instance of number then i * 2 else "aa"')
    box = f"<for iteratorVariable='i'><in typeRef='{kind}'>{text('[1, &quot;a&quot;]')}</in><return>{body}</return></for>"
    assert taken(definitions, box).value == value


def test_a_boxed_function_has_the_type_that_its_variable_declares(
    definitions: Definitions,
) -> None:
    function = (
        f"<functionDefinition><formalParameter name='n'/>{text('n + 1')}</functionDefinition>"
    )
    types = """<itemDefinition name='tStep'><functionItem outputTypeRef='string'>
      <parameters name='n' typeRef='number'/></functionItem></itemDefinition>"""
    result = f"<contextEntry>{text('[f(1), f instance of tStep]')}</contextEntry>"
    file = definitions(
        types,
        f"<decision id='d'><context>{entry('f', function, 'tStep')}{result}</context></decision>",
    )
    assert read_decisions(file).evaluate("d", {}).value == (None, True)
