"""Texts and files that want to hang, fill or escape: each must end in a typed error or a value, soon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.dmn import read_decisions
from pilothouse.dmn.analysis import analysed
from pilothouse.feel import Budget, compile_expression, plain_value
from tests.fuzz.files import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONG = 100_000_000
DEEP = 5_000
LIMIT_S = 0.1
"""How much processor time each may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """
    One attack.

    Parameters
    ----------
    name
        What it tries.
    error
        The code of the typed error that stops it; empty where the answer is a value.
    attack
        Does it.
    """

    name: str
    error: str
    attack: Callable[[], object]


def _evaluated(text: str, context: Mapping[str, object] | None = None) -> Callable[[], object]:
    def attack() -> object:
        budget = Budget()
        value = compile_expression(text).evaluate(context or {}, budget=budget)
        return plain_value(value, budget=budget)

    return attack


def _file(body: str) -> bytes:
    return f'<definitions xmlns="{NAMESPACE}" name="h" namespace="h">{body}</definitions>'.encode()


def _decided(body: str, decision: str = "d0") -> Callable[[], object]:
    xml = _file(body)

    def attack() -> object:
        decisions = read_decisions(xml)
        analysed(decisions)
        return decisions.evaluate(decision, {"n": 1}).plain()

    return attack


def _doubled(levels: int) -> str:
    """Write a context whose last entry holds 2^levels numbers by sharing."""
    entries = ["a0: [1, 1]", *(f"a{i}: [a{i - 1}, a{i - 1}]" for i in range(1, levels))]
    return "{" + ", ".join(entries) + f"}}.a{levels - 1}"


def expressions() -> tuple[Hostile, ...]:
    """Give the attacks by FEEL text."""
    long = "a" * LONG
    budget = "feel-budget"
    syntax = "feel-syntax"
    made = (
        ("nested loops over huge ranges", budget, "for i in 1..1000000000, j in 1..1000000000 return i * j"),
        ("a quantifier over a huge range", budget, "some i in 1..1000000000 satisfies i < 0"),
        ("a loop over all dates", budget, 'for d in @"-999999999-01-01"..@"999999999-12-31" return d'),
        ("a filter over loops", budget, "(for i in 1..100000 return i)[item > 5]"),
        ("lists that double", budget, "for i in 1..60 return concatenate(partial, partial, partial)"),
        ("texts that double", budget, "for i in 1..60 return string(partial) + string(partial)"),
        ("sharing that doubles, made plain", budget, _doubled(60)),
        ("sharing that doubles, flattened", budget, f"count(flatten({_doubled(60)}))"),
        ("sharing that doubles, compared", budget, f"{_doubled(60)} = {_doubled(60)}"),
        ("sharing that doubles, written", budget, f"string({_doubled(60)})"),
        ("recursion without an end", budget, "{f: function(x) f(x + 1), r: f(1)}.r"),
        ("recursion by passing itself", budget, "(function(f) f(f))(function(f) f(f))"),
        ("recursion that branches", budget, "{f: function(n) if n < 1 then 1 else f(n - 1) + f(n - 1), r: f(40)}.r"),
        ("a sort that cannot be content", budget, "sort(for i in 1..3000 return i, function(x, y) true)"),
        ("deep parentheses", syntax, "(" * DEEP + "1" + ")" * DEEP),
        ("deep lists", syntax, "[" * DEEP + "]" * DEEP),
        ("deep contexts", syntax, "{a: " * DEEP + "1" + "}" * DEEP),
        ("deep negation", "", "-" * DEEP + "1"),
        ("deep calls", syntax, "not(" * (DEEP // 4) + "true" + ")" * (DEEP // 4)),
        ("deep conditions", syntax, "if true then " * 500 + "1" + " else 2" * 500),
        ("deep functions", syntax, "function(x) " * 500 + "x"),
        ("a text of 100 MB", syntax, '"' + long + '"'),
        ("a regular expression that explodes", "", 'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$")'),
        ("alternatives that explode", "", 'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", "^(a|aa|a?)*b$")'),
        ("repetitions of repetitions", "feel-pattern-unsupported", 'matches("aaaa", "((a{0,999}){0,999}){0,999}")'),
        ("a power without a number", "", "10 ** 999999999999"),
        ("a remainder of the largest by the smallest", "", "modulo(9.9e6143, 1e-6143)"),
        ("the smallest of powers", "", "exp(-1e6143) + exp(1e6143) + log(1e-6143) + sqrt(9e6143)"),
        ("the attributes of an object", "", "x.__class__.__mro__"),
        ("the longest of durations", "", 'date("999999999-12-31") + duration("P999999999Y") * 1e30'),
    )  # fmt: skip
    valued = (
        ("a variable of 100 MB, doubled", budget, "s + s"),
        ("a variable of 100 MB, in capitals", budget, "upper case(s)"),
        ("a variable of 100 MB, searched", budget, 'contains(s, "ab")'),
        ("a variable of 100 MB, matched", budget, 'matches(s, "(a+)+b")'),
        ("a variable of 100 MB, replaced", budget, 'replace(s, "a", "bb")'),
        ("a variable of 100 MB, split", budget, 'split(s, "b")'),
    )
    return (
        *(Hostile(name=n, error=e, attack=_evaluated(t, {"x": 1})) for n, e, t in made),
        *(Hostile(name=n, error=e, attack=_evaluated(t, {"s": long})) for n, e, t in valued),
        Hostile(name="back-references that explode", error=budget, attack=_evaluated(
            r'matches(s, "^(a*)*(a*)*(a*)*\1\2\3b$")', {"s": "a" * 5_000})),
        Hostile(name="a list of a million", error=budget, attack=_evaluated(
            "sum(numbers)", {"numbers": [1] * 1_000_000})),
    )  # fmt: skip


def _literal(text: str) -> str:
    return f"<literalExpression><text>{text}</text></literalExpression>"


def _decision(name: str, logic: str, *needs: str) -> str:
    requirements = "".join(
        f'<informationRequirement><requiredDecision href="#{need}"/></informationRequirement>'
        for need in needs
    )
    return f'<decision id="{name}" name="{name}">{requirements}{logic}</decision>'


def _circle(length: int) -> str:
    return "".join(_decision(f"d{i}", _literal("1"), f"d{(i + 1) % length}") for i in range(length))


def _chain(length: int) -> str:
    below = (_decision(f"d{i}", _literal(f"d{i + 1}"), f"d{i + 1}") for i in range(length - 1))
    return "".join(below) + _decision(f"d{length - 1}", _literal("1"))


def _diamonds(levels: int) -> str:
    """Write decisions of which each is reached on 2^level ways."""
    parts = [_decision(f"d{levels}", _literal("1"))]
    for i in range(levels):
        below = f"d{i + 1}"
        parts.append(_decision(f"d{i}", _literal(f"a{i} + b{i}"), f"a{i}", f"b{i}"))
        parts += [_decision(f"{x}{i}", _literal(below), below) for x in "ab"]
    return "".join(parts)


def _types(levels: int) -> str:
    """Write types that hold 2^levels numbers when they are written out."""
    parts = [f'<itemDefinition name="t{levels}"><typeRef>number</typeRef></itemDefinition>']
    for i in range(levels):
        components = "".join(
            f'<itemComponent name="{x}"><typeRef>t{i + 1}</typeRef></itemComponent>' for x in "ab"
        )
        parts.append(f'<itemDefinition name="t{i}">{components}</itemDefinition>')
    decision = f'<decision id="d0" name="d0"><variable name="d0" typeRef="t0"/>{_literal("null")}</decision>'
    return "".join(parts) + decision


def _itself() -> str:
    needs = '<knowledgeRequirement><requiredKnowledge href="#f"/></knowledgeRequirement>'
    function = (
        '<businessKnowledgeModel id="f" name="f"><encapsulatedLogic><formalParameter name="x"/>'
        f"{_literal('f(x + 1)')}</encapsulatedLogic>{needs}</businessKnowledgeModel>"
    )
    return f'{function}<decision id="d0" name="d0">{needs}{_literal("f(1)")}</decision>'


def _entities() -> bytes:
    entities = "".join(
        f"<!ENTITY {b} '&{a};&{a};&{a};&{a};'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    return f"<!DOCTYPE d [<!ENTITY a 'ha'>{entities}]>".encode() + _file("")


def files() -> tuple[Hostile, ...]:
    """Give the attacks by decision files."""
    nested = "<context><contextEntry>" * DEEP + _literal("1") + "</contextEntry></context>" * DEEP
    outside = b"<!DOCTYPE d SYSTEM 'file:///etc/passwd'>" + _file("")
    made = (
        ("decisions in a circle", "dmn-rejected", _decided(_circle(50))),
        ("decisions in diamonds", "", _decided(_diamonds(30))),
        ("a long chain of decisions", "", _decided(_chain(500))),
        ("types that double", "", _decided(_types(18))),
        ("boxes without an end", "dmn-rejected", _decided(_decision("d0", nested))),
        ("a function that calls itself", "feel-budget", _decided(_itself())),
        ("entities that multiply", "dmn-rejected", lambda: read_decisions(_entities())),
        ("an entity outside", "dmn-rejected", lambda: read_decisions(outside)),
        ("a file of 100 MB", "dmn-rejected", lambda: read_decisions(b"<" * LONG)),
    )
    return tuple(Hostile(name=n, error=e, attack=a) for n, e, a in made)
