"""FEEL and DMN: functions, types, limits, hit policies, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.generating.markdown import code, table
from docs.generating.source import calls, problems, words
from pilothouse.dmn import document, reader, table_reader, type_reader
from pilothouse.dmn.document import NAMESPACES
from pilothouse.dmn.tables import Aggregation, HitPolicy
from pilothouse.dmn.types import BUILT_IN
from pilothouse.feel.budget import DEFAULT_STEPS, MAXIMUM_CHARACTERS, MAXIMUM_DEPTH
from pilothouse.feel.functions import DEFINED
from pilothouse.feel.functions.lists import LISTS
from pilothouse.feel.functions.logic import LOGIC
from pilothouse.feel.functions.numbers import NUMERICS
from pilothouse.feel.functions.text import TEXTS
from pilothouse.feel.functions.times import TIMES
from pilothouse.feel.syntax import Operator
from pilothouse.feel.values import KINDS
from pilothouse.lifecycle import files

if TYPE_CHECKING:
    from pilothouse.feel.functions.registry import BuiltIn

HIT_POLICIES = {
    HitPolicy.UNIQUE: "At most one rule may match; two are the error `dmn-conflict`.",
    HitPolicy.FIRST: "The first rule that matches, in the order of the table.",
    HitPolicy.PRIORITY: "The match whose output stands first in the output values.",
    HitPolicy.ANY: "Several may match if they say the same; else `dmn-conflict`.",
    HitPolicy.COLLECT: "All matches: a list, or what the aggregation makes of it.",
    HitPolicy.RULE_ORDER: "All matches as a list, in the order of the table.",
    HitPolicy.OUTPUT_ORDER: "All matches as a list, in the order of the output values.",
}
AGGREGATIONS = {
    Aggregation.LIST: "the list itself (the default)",
    Aggregation.SUM: "the sum of a single output",
    Aggregation.COUNT: "how many rules matched",
    Aggregation.MIN: "the smallest of a single output",
    Aggregation.MAX: "the largest of a single output",
}


def feel_functions() -> str:
    """Write the functions by kind."""
    parts = []
    for kind, registry in (
        ("Logic and contexts", LOGIC),
        ("Numbers", NUMERICS),
        ("Text", TEXTS),
        ("Lists and ranges", LISTS),
        ("Dates, times and durations", TIMES),
    ):
        rows = [(code(_signature(f)), _notes(f)) for f in registry.functions.values()]
        if registry is LOGIC:
            rows.append((code(f"{DEFINED}(value)"), "whether the name or path is there at all"))
        parts.append(f"### {kind}\n\n{table(('function', 'notes'), rows)}")
    return "\n\n".join(parts)


def _signature(function: BuiltIn) -> str:
    shown = [
        name if i < function.required else f"[{name}]" for i, name in enumerate(function.parameters)
    ]
    if function.variadic:
        shown[-1] += ", …"
    return f"{function.name}({', '.join(shown)})"


def _notes(function: BuiltIn) -> str:
    if not function.aliases:
        return ""
    named = ", ".join(f"{code(a)} for {code(p)}" for a, p in function.aliases.items())
    return f"other parameter names: {named}"


def feel_operators() -> str:
    """Write the operators and the types."""
    kinds = ", ".join(code(k) for k in dict.fromkeys(KINDS.values()))
    operators = ", ".join(code(o.value) for o in Operator)
    return f"Operators: {operators}.\n\nTypes for `instance of`: {kinds}."


def feel_limits() -> str:
    """Write what one evaluation may do."""
    rows = (
        ("steps of one evaluation", f"{DEFAULT_STEPS:,}"),
        ("characters of a text that a function reads or makes", f"{MAXIMUM_CHARACTERS:,}"),
        ("nesting of lists and contexts in a value", f"{MAXIMUM_DEPTH:,}"),
    )
    return table(("limit", "of"), rows)


def dmn_policies() -> str:
    """Write the hit policies and aggregations."""
    policies = table(
        ("hit policy", "what it means"), ((code(p.value), HIT_POLICIES[p]) for p in HitPolicy)
    )
    rows = ((code(a.value), AGGREGATIONS[a]) for a in Aggregation)
    return f"{policies}\n\n{table(('aggregation of COLLECT', 'what it gives'), rows)}"


def dmn_types() -> str:
    """Write the versions and the types that a file may use."""
    versions = ", ".join(dict.fromkeys(NAMESPACES.values()))
    rows = ((code(name), code(kind)) for name, kind in BUILT_IN.items())
    return f"Versions: {versions}.\n\n{table(('type in the file', 'FEEL type'), rows)}"


def dmn_refusals() -> str:
    """Write every reason to refuse a file, as the source says it."""
    found: dict[str, str] = {}
    for module in (document, reader, table_reader, type_reader):
        for call, _ in calls(module, "refuse"):
            if len(call.args) == 3:
                found.setdefault(words(call.args[1]), words(call.args[2]))
    found.update(problems(files, "DmnProblem"))
    said = ((p, c) for p, c in sorted(found.items()) if "{trouble}" not in p)  # a function says it
    return table(("what is wrong", "what to do"), said)
