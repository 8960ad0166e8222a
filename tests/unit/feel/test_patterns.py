"""Regular expressions: XPath's dialect, exact, and no explosion."""

from __future__ import annotations

import dataclasses
import itertools
import re
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pilothouse.feel import Budget, compile_expression
from pilothouse.feel.errors import FeelBudgetError, FeelPatternError, Resource
from pilothouse.feel.patterns import Flaw, Pattern, compile_pattern
from pilothouse.feel.patterns.blocks import blocks
from pilothouse.feel.patterns.characters import variants

if TYPE_CHECKING:
    from pilothouse.feel.values import Value


def _matches(text: str, pattern: str, flags: str = "") -> Value:
    expression = compile_expression("matches(text, pattern, flags)")
    return expression.evaluate({"text": text, "pattern": pattern, "flags": flags})


def _replace(text: str, pattern: str, replacement: str, flags: str = "") -> Value:
    expression = compile_expression("replace(text, pattern, replacement, flags)")
    names = {"text": text, "pattern": pattern, "replacement": replacement, "flags": flags}
    return expression.evaluate(names)


def _split(text: str, pattern: str) -> Value:
    return compile_expression("split(text, pattern)").evaluate({"text": text, "pattern": pattern})


def _pattern(pattern: str, flags: str = "") -> Pattern:
    compiled = compile_pattern(pattern, flags, Budget())
    assert isinstance(compiled, Pattern), compiled
    return compiled


@pytest.mark.parametrize(
    ("text", "pattern", "flags", "expected"),
    [
        ("abracadabra", "bra", "", True),
        ("abracadabra", "^bra", "", False),
        ("", "", "", True),
        ("Mary\rJones", "Mary.Jones", "", False),
        ("Mary\nJones", "Mary.Jones", "", False),
        ("Mary\nJones", "Mary.Jones", "s", True),
        ("a\nb", "^b", "", False),
        ("a\nb", "^b", "m", True),
        ("a\nb", "a$", "", False),
        ("a\nb", "a$", "m", True),
        ("a\n", "a$", "", False),
        ("\nabcd\ndefg\n", "^$", "m", True),
        ("abcd\n", "^$", "m", False),
        ("abcd\n", r"\n$", "m", False),
        ("abc", "ABC", "i", True),
        ("\u212a", "k", "i", True),
        ("\u017f", "S", "i", True),
        ("\u00df", "SS", "i", False),
        ("x", "[A-Z-[OI]]", "i", True),
        ("o", "[A-Z-[OI]]", "i", False),
        ("q", "[^Q]", "i", False),
        ("a", r"\p{Lu}", "i", False),
        ("aA", r"(a)\1", "i", True),
        ("aA", r"(a)\1", "", False),
        ("hello world", "hello\\ sworld", "x", True),
        ("hello world", " hello[ ]world", "x", True),
        ("ab", "a b", "x", True),
        ("a]b", r"a [\]] b", "x", True),
        ("a.b", "a.b", "q", True),
        ("axb", "a.b", "q", False),
        ("(A", "(a", "qi", True),
        ("a b", "a b", "qx", True),
        ("b", "[a-c-[b]]", "", False),
        ("c", "[a-c-[b-[b]]]", "", True),
        ("b", "[^a-c-[x]]", "", False),
        ("x", "[^a-c-[x]]", "", False),
        ("-", "[a-]", "", True),
        ("-", "[-a]", "", True),
        ("-", "[a-c-z]", "", True),
        ("-", r"[\d-z]", "", True),
        ("-", r"[+\--/]", "", True),
        (".", r"[+\-./]", "", True),
        ("^", "[a^]", "", True),
        ("a", "[^^]", "", True),
        ("$", r"\$", "", True),
        ("\t", r"\t", "", True),
        ("\u00a0", r"\s", "", False),
        ("\u0663", r"\d", "", True),
        ("$", r"\w", "", True),
        ("-", r"\w", "", False),
        ("_", r"\i", "", True),
        ("7", r"\i", "", False),
        ("7", r"\c", "", True),
        (" ", r"\C", "", True),
        ("\u0101", r"\p{Ll}", "", True),
        ("\u0101", r"\P{L}", "", False),
        ("\u0101", r"\p{IsLatinExtended-A}", "", True),
        ("\u0101", r"\P{IsBasicLatin}", "", True),
        ("\u03b1", r"\p{IsGreek}", "", True),
        ("\U0001f600", "^.$", "", True),
        ("\U0001f600", r"\p{IsEmoticons}", "", True),
        ("aaa", "^a{3}$", "", True),
        ("aaaa", "^a{2,3}$", "", False),
        ("", "^(a{0}|b)$", "", True),
        ("b", "^(?:a|b)$", "", True),
        ("abcabc", r"^(abc)\1$", "", True),
        ("b", r"^(a)?b\1$", "", True),
        ("aa2", r"(a)\12", "", True),
        ("abcdefghijkk", r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)\11", "", True),
    ],
)
def test_matches_follows_xpath(text: str, pattern: str, flags: str, expected: bool) -> None:
    assert _matches(text, pattern, flags) is expected


@pytest.mark.parametrize(
    ("pattern", "flags", "reason"),
    [
        ("(", "", "not closed"),
        ("a)", "", "closes nothing"),
        ("*a", "", "no meaning"),
        ("a**", "", "no meaning"),
        ("a{1000}{1000}", "", "no meaning"),
        ("a{2,1}", "", "wrong way round"),
        ("a{,2}", "", "need a count"),
        ("a{", "", "missing"),
        ("a}", "", "no meaning"),
        ("]", "", "no meaning"),
        ("[]", "", "empty"),
        ("[^]", "", "empty"),
        ("[a", "", "too early"),
        ("[a[b]]", "", "needs a backslash"),
        ("[z-a]", "", "wrong way round"),
        ("[a--]", "", "hyphen"),
        ("[--a]", "", "hyphen"),
        (r"[a-\d]", "", "set of characters"),
        ("[a-z-[b]c]", "", "nothing may follow"),
        (r"\b", "", "means nothing"),
        (r"\A", "", "means nothing"),
        ("\\", "", "too early"),
        ("(?=a)", "", "no meaning"),
        (r"\p{Cs}", "", "no category"),
        (r"\p{IsKlingon}", "", "no block"),
        (r"\p{ IsBasicLatin}", "", "no category"),
        (r"\pL", "", "braces"),
        (r"(.)\3", "", "no group"),
        (r"(a\1)", "", "no group"),
        (r"\1(a)", "", "no group"),
        (r"\0", "", "no group"),
        (r"(?:a)\1", "", "no group"),
        (r"(a)[\1]", "", "cannot refer back"),
        ("a", "p", "no flag"),
        ("a", "X", "no flag"),
        ("a", " ", "no flag"),
    ],
)
def test_what_is_no_regular_expression_makes_null_with_the_reason(
    pattern: str, flags: str, reason: str
) -> None:
    budget = Budget()
    expression = compile_expression("matches(text, pattern, flags)")
    found = expression.evaluate({"text": "a", "pattern": pattern, "flags": flags}, budget=budget)
    assert found is None
    assert reason in budget.nulls[0].problem
    assert budget.nulls[0].problem.startswith("matches()")


@pytest.mark.parametrize(
    "expression",
    [
        'matches(null, "a")',
        'matches("a", null)',
        'matches("a", [])',
        'matches("a")',
        'matches("a", "a", [])',
        'matches("a", "a", "", [])',
        "matches(1, 2)",
        'replace("a", "a")',
        'replace("a", "a", null)',
        'replace(null, "a", "b")',
        'replace("a", "a", "b", 1)',
        'split("a", null)',
        'split("a", ";", "i")',
        'split("a", "(")',
    ],
)
def test_arguments_that_do_not_fit_make_null_with_a_reason(expression: str) -> None:
    budget = Budget()
    assert compile_expression(expression).evaluate({}, budget=budget) is None
    assert len(budget.nulls) == 1


def test_no_flags_may_be_given_as_null() -> None:
    found = compile_expression('[matches("a", "a", null), replace("a", "a", "b", null)]')
    assert found.evaluate({}) == (True, "b")


@pytest.mark.parametrize(
    ("text", "pattern", "replacement", "flags", "expected"),
    [
        ("abracadabra", "bra", "*", "", "a*cada*"),
        ("abracadabra", "a.*a", "*", "", "*"),
        ("abracadabra", "a.*?a", "*", "", "*c*bra"),
        ("abracadabra", "a(.)", "a$1$1", "", "abbraccaddabbra"),
        ("AAAA", "A+?", "b", "", "bbbb"),
        ("darted", "^(.*?)d(.*)$", "$1c$2", "", "carted"),
        ("abcd", "(ab)|(a)", "[1=$1][2=$2]", "", "[1=ab][2=]cd"),
        ("abc", "b", "[$0]", "", "a[b]c"),
        ("abc", "b", r"\$0\\", "", r"a$0\c"),
        ("abc", "(b)", "$12", "", "ab2c"),
        ("abc", "(b)", "$3", "", "ac"),
        ("abc", "B", "x", "i", "axc"),
        ("a.c", ".", "$0", "q", "a$0c"),
        ("aa", "^a", "b", "", "ba"),
        ("a\na", "^a", "b", "m", "b\nb"),
        ("aab", "(a)+", "[$1]", "", "[a]b"),
        ("x1y22", "[0-9]{1,}", "#", "", "x#y#"),
        ("abab", r"(a)b\1", "-", "", "-b"),
    ],
)
def test_replace_follows_xpath(
    text: str, pattern: str, replacement: str, flags: str, expected: str
) -> None:
    assert _replace(text, pattern, replacement, flags) == expected


@pytest.mark.parametrize("replacement", ["$", "a$b", "\\", r"\n", r"$\1"])
def test_a_wrong_replacement_makes_null_with_the_reason(replacement: str) -> None:
    budget = Budget()
    names = {"r": replacement}
    found = compile_expression('replace("abc", "b", r)').evaluate(names, budget=budget)
    assert found is None
    assert "the replacement needs" in budget.nulls[0].problem


@pytest.mark.parametrize("pattern", ["a*", "", "^", "$", "(a|)", "a{0,2}?"])
@pytest.mark.parametrize("expression", ['replace("abc", p, "x")', 'split("abc", p)'])
def test_a_pattern_that_fits_the_empty_text_cannot_be_replaced_or_split_by(
    expression: str, pattern: str
) -> None:
    budget = Budget()
    found = compile_expression(expression).evaluate({"p": pattern}, budget=budget)
    assert found is None
    assert "fits the empty text" in budget.nulls[0].problem


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("John Doe", r"\s", ("John", "Doe")),
        ("a;b;c;;", ";", ("a", "b", "c", "", "")),
        (";a", ";", ("", "a")),
        ("abc", "x", ("abc",)),
        ("", ";", ("",)),
        ("a1b22c", "[0-9]+", ("a", "b", "c")),
        ("a.b", r"\.", ("a", "b")),
    ],
)
def test_split_cuts_at_every_match(text: str, pattern: str, expected: tuple[str, ...]) -> None:
    assert _split(text, pattern) == expected


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(a*)*b", "(x+x+)+y"])
def test_no_pattern_explodes(pattern: str) -> None:
    assert _matches("a" * 2_000 + "!", pattern) is False


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("(a+)+b", 100_000),
        ("(a|aa)*b", 100_000),
        (".*.*.*.*b", 100_000),
        (r"^(a+)\1+b", 5_000),
        (r"(a|aa)+\1b", 1_000),
        ("(a{1,60}){1,60}b", 100_000),
        ("(" + "a|" * 900 + "a)*b", 100_000),
        ("(a?){600}b", 100_000),
        ("(" * 48 + "a*" + ")*" * 48 + "b", 100_000),
        ("[" + r"\p{Lu}" * 300 + "]+", 100_000),
    ],
)
def test_hostile_patterns_end_when_the_budget_does(pattern: str, length: int) -> None:
    budget = Budget()
    with pytest.raises(FeelBudgetError) as caught:
        compile_expression("matches(t, p)").evaluate(
            {"t": "a" * length, "p": pattern}, budget=budget
        )
    assert caught.value.resource is Resource.STEPS
    # Whatever is done between two payments is small, so that the budget also bounds the time.
    assert budget.left > -200


@pytest.mark.parametrize(
    "pattern",
    [
        "((aa){1000}){1000}",
        "((a{1,99}b){1,99}){1,99}",
        "(" * 60 + ")" * 60,
        "a" * 2_001,
        "a{1000000000000}",
        "(?:){1000000}",
    ],
)
def test_patterns_beyond_a_limit_are_refused_by_name(pattern: str) -> None:
    with pytest.raises(FeelPatternError) as caught:
        _matches("a", pattern)
    assert caught.value.code == "feel-pattern-unsupported"
    assert "more than" in caught.value.form


def test_a_replacement_cannot_grow_a_text_beyond_the_longest() -> None:
    with pytest.raises(FeelBudgetError) as caught:
        _replace("a" * 1_000, "a", "b" * 1_000)
    assert caught.value.resource is Resource.CHARACTERS


def test_work_is_proportional_to_the_text() -> None:
    def spent(length: int) -> int:
        budget = Budget(steps=10**7)
        assert not _pattern("(a|aa)*(a+)*b").found_in("a" * length, budget)
        return 10**7 - budget.left

    assert spent(4_000) < 5 * spent(1_000)


def test_compiling_again_costs_the_same() -> None:
    def spent() -> int:
        budget = Budget()
        compile_pattern("(one|two)+[a-f]{2,20}", "", budget)
        return budget.steps - budget.left

    assert spent() == spent()


def test_blocks_are_apart_and_cover_what_is_assigned() -> None:
    ranges = sorted({(r.start, r.stop) for r in blocks().values()})
    assert all(low[1] <= high[0] for low, high in itertools.pairwise(ranges))
    covered = {code for start, stop in ranges for code in range(start, stop)}
    version = tuple(map(int, unicodedata.unidata_version.split(".")))
    assigned = {c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) != "Cn"}
    assert version > (14, 0, 0) or assigned <= covered


def test_case_variants_are_those_of_the_definition() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    cased = [c for c in every if c.lower() != c or c.upper() != c]
    for character in [c for c in cased if ord(c) % 7 == 0]:
        same = {
            c
            for c in (*cased, character)
            if c.lower() == character.lower() or c.upper() == character.upper()
        }
        assert variants(character) == same
    assert max(map(ord, cased)) < 0x20000


_ATOMS = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", "[b-c]", r"\n", r"\s", r"\S"])
_SIGNS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}", "*?", "+?", "??"])
_TEXTS = st.text(alphabet="aabc\n", max_size=8)


def _pieces(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Write alternatives of sequences of pieces, each an atom or a group with a repetition."""
    group = st.tuples(st.sampled_from(["(", "(?:"]), inner).map(lambda p: f"{p[0]}{p[1]})")
    piece = st.tuples(_ATOMS | group, _SIGNS).map("".join) | st.sampled_from(["^", "$"])
    branch = st.lists(piece, max_size=3).map("".join)
    return st.lists(branch, min_size=1, max_size=3).map("|".join)


_PATTERNS = _pieces(_pieces(_pieces(st.just("a"))))


def _found(pattern: Pattern, text: str) -> list[tuple[int, int, tuple[str, ...]]]:
    budget = Budget(steps=1_000_000)
    return [(m.start, m.end, m.groups) for m in pattern.matches_in(text, budget)]


def _oracle(pattern: str, text: str, flags: int = 0) -> list[tuple[int, int, tuple[str, ...]]]:
    compiled = re.compile(pattern.replace("$", r"\Z"), flags)
    return [
        (m.start(), m.end(), tuple(g or "" for g in (m[0], *m.groups())))
        for m in compiled.finditer(text)
    ]


def _comparable(
    found: list[tuple[int, int, tuple[str, ...]]],
) -> list[tuple[int, int, tuple[str, ...]]]:
    """Leave out what comes after an empty match, where the two languages go on differently."""
    empty = next((i for i, (start, end, _) in enumerate(found) if start == end), len(found))
    return found[: empty + 1]


@given(_PATTERNS, _TEXTS)
def test_matches_and_groups_are_those_of_another_engine(pattern: str, text: str) -> None:
    assume(not isinstance(compile_pattern(pattern, "", Budget()), Flaw))
    found = _found(_pattern(pattern), text)
    assert _comparable(found) == _comparable(_oracle(pattern, text))


@given(_PATTERNS, st.text(alphabet="aAbBcC\n", max_size=8))
def test_case_blind_matches_are_those_of_another_engine(pattern: str, text: str) -> None:
    found = _found(_pattern(pattern, "is"), text)
    expected = _oracle(pattern, text, re.IGNORECASE | re.DOTALL)
    assert _comparable(found) == _comparable(expected)


@given(_pieces(_pieces(st.just("b"))), _pieces(st.just("a")), _TEXTS)
def test_references_back_are_those_of_another_engine(group: str, rest: str, text: str) -> None:
    pattern = rf"({group})(?:{rest})\1"
    found = _found(_pattern(pattern), text)
    assert _comparable(found) == _comparable(_oracle(pattern, text))


@given(_PATTERNS, _TEXTS)
def test_remembering_what_failed_changes_no_match(pattern: str, text: str) -> None:
    compiled = _pattern(pattern)
    forgetful = dataclasses.replace(compiled, recalls=True)
    assert _found(compiled, text) == _found(forgetful, text)


@given(
    st.text(alphabet=r"ab|()*+?[]^$.{}1,\dpLIs-", max_size=25), _TEXTS, st.text("smixq", max_size=3)
)
def test_any_text_gives_a_truth_value_or_null_or_a_typed_error(
    pattern: str, text: str, flags: str
) -> None:
    try:
        found = _matches(text, pattern, flags)
    except (FeelPatternError, FeelBudgetError):
        return
    assert found in {True, False, None}


@given(st.text(max_size=30), st.text(min_size=1, max_size=3), st.text(max_size=3))
def test_literal_replacement_is_that_of_strings(text: str, part: str, other: str) -> None:
    assert _replace(text, part, other, "q") == text.replace(part, other)


@given(st.lists(st.text(alphabet="abc", max_size=4), min_size=1, max_size=6))
def test_split_takes_apart_what_was_joined(parts: list[str]) -> None:
    assert _split(";".join(parts), ";") == tuple(parts)
