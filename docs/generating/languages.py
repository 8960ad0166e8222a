"""FEEL and DMN: functions, types, limits, hit policies, and what is refused."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING

import pilothouse.dmn
import pilothouse.feel.functions
from docs.generating.markdown import code, table
from docs.generating.source import member_docstrings, problems, refusals
from pilothouse.dmn import DEFAULT_STEPS as DECISION_STEPS
from pilothouse.dmn import reading as boxed
from pilothouse.dmn import type_reader
from pilothouse.dmn.analysis.analysing import MOST_COLUMNS
from pilothouse.dmn.document import MAXIMUM_BYTES, MAXIMUM_PROBLEMS, NAMESPACES
from pilothouse.dmn.imports import MAXIMUM_CHAIN
from pilothouse.dmn.tables import Aggregation, HitPolicy
from pilothouse.dmn.types import BUILT_IN
from pilothouse.feel.budget import (
    DEFAULT_STEPS,
    MAXIMUM_CALLS,
    MAXIMUM_CHARACTERS,
    MAXIMUM_DEPTH,
    Fault,
)
from pilothouse.feel.clauses import MAXIMUM_LOOP_VARIABLES
from pilothouse.feel.cursor import MAXIMUM_NESTING
from pilothouse.feel.functions import DEFINED, FUNCTIONS
from pilothouse.feel.functions.registry import Calls, Registry
from pilothouse.feel.patterns.pattern import MAXIMUM_PATTERN
from pilothouse.feel.signs import Operator
from pilothouse.feel.tokens import MAXIMUM_LENGTH
from pilothouse.feel.types import SIMPLE_TYPES
from pilothouse.lifecycle import files, imports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from pilothouse.feel.functions.registry import BuiltIn, Form

HIT_POLICIES = {
    HitPolicy.UNIQUE: "At most one rule may match; where two do, the answer is null.",
    HitPolicy.FIRST: "The first rule that matches, in the order of the table.",
    HitPolicy.PRIORITY: "The match whose output stands first in the output values.",
    HitPolicy.ANY: "Several may match if they say the same; else the answer is null.",
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


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Give every module of a package, by name, but those that run something when they are imported."""
    for found in sorted(
        pkgutil.walk_packages(package.__path__, f"{package.__name__}."), key=lambda m: m.name
    ):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def feel_functions() -> str:
    """Write the functions, by the modules that they are in."""
    parts, written = [], {DEFINED}
    for module in modules(pilothouse.feel.functions):
        own = [r for r in vars(module).values() if isinstance(r, Registry)]
        built_in = [f for r in own for f in r.functions.values() if f.name not in written]
        if built_in:
            written |= {f.name for f in built_in}
            parts.append(f"### {_heading(module)}\n\n{_function_table(built_in)}")
    missing = sorted(set(FUNCTIONS) - written)
    if missing:
        raise LookupError(f"no module has a registry with the functions {missing}")
    defined = table(
        ("function", "notes"),
        [(code(f"{DEFINED}(value)"), "whether the name or path is there at all")],
    )
    return "\n\n".join((*parts, f"### Names\n\n{defined}"))


def _heading(module: ModuleType) -> str:
    """Give the first sentence of a module's docstring, without what it says of sources."""
    text = " ".join((module.__doc__ or "").split())
    return re.split(r"\.( |$)", text.replace("``", "`"), maxsplit=1)[0]


def _function_table(functions: list[BuiltIn]) -> str:
    rows = ((_signatures(f), _notes(f)) for f in functions)
    return table(("function", "notes"), rows)


def _signatures(function: BuiltIn) -> str:
    shown = (code(_signature(function.name, form)) for form in function.forms)
    return " or ".join(dict.fromkeys(shown))


def _signature(name: str, form: Form) -> str:
    names = [p.name for p in form.parameters]
    shown = [n if i < form.required else f"[{n}]" for i, n in enumerate(names)]
    if form.variadic:
        shown[-1] += ", …"
    return f"{name}({', '.join(shown)})"


def _notes(function: BuiltIn) -> str:
    aliases = {a: p for form in function.forms for a, p in form.aliases.items()}
    named = ", ".join(f"{code(a)} for {code(p)}" for a, p in aliases.items())
    notes = [f"other parameter names: {named}"] if named else []
    if any(form.calls is Calls.BY_NAME for form in function.forms):
        notes.append("some forms by named parameters only")
    return "; ".join(notes)


def feel_operators() -> str:
    """Write the operators and the types."""
    kinds = ", ".join(
        code(k) for k in (*SIMPLE_TYPES, "list<…>", "range<…>", "context<…>", "function<…> -> …")
    )
    operators = ", ".join(code(o.value) for o in Operator)
    return f"Operators: {operators}.\n\nTypes: {kinds}, and those that a decision file defines."


def feel_limits() -> str:
    """Write what one evaluation may do."""
    rows = (
        ("steps of one expression of a life cycle", f"{DEFAULT_STEPS:,}"),
        ("steps of one decision, with all that it requires", f"{DECISION_STEPS:,}"),
        ("characters of a text that a function reads or makes", f"{MAXIMUM_CHARACTERS:,}"),
        ("nesting of lists and contexts in a value", f"{MAXIMUM_DEPTH:,}"),
        ("calls inside one another of functions written in FEEL", f"{MAXIMUM_CALLS:,}"),
        ("characters of an expression", f"{MAXIMUM_LENGTH:,}"),
        ("levels of nesting of an expression", f"{MAXIMUM_NESTING:,}"),
        ("variables of one loop", f"{MAXIMUM_LOOP_VARIABLES:,}"),
        ("characters of a regular expression", f"{MAXIMUM_PATTERN:,}"),
    )
    return table(("limit of", "is"), rows)


def dmn_limits() -> str:
    """Write what one file may hold."""
    rows = (
        ("bytes of a file", f"{MAXIMUM_BYTES:,}"),
        ("boxed expressions inside one another", f"{boxed.MAXIMUM_NESTING:,}"),
        ("item definitions inside one another", f"{type_reader.MAXIMUM_DEPTH:,}"),
        ("files that import one another in a chain", f"{MAXIMUM_CHAIN:,}"),
        ("problems that are listed before reading stops", f"{MAXIMUM_PROBLEMS:,}"),
        ("inputs of a table that is analysed", f"{MOST_COLUMNS:,}"),
    )
    return table(("limit of", "is"), rows)


def feel_faults() -> str:
    """Write the sorts of reasons for which a value becomes null."""
    means = member_docstrings(Fault)
    return table(("reason", "when"), ((code(f.value), means[f.value]) for f in Fault))


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
    rows = ((code(name), code(type_.name)) for name, type_ in BUILT_IN.items() if name)
    return f"Versions: {versions}.\n\n{table(('type in the file', 'FEEL type'), rows)}"


def dmn_refusals() -> str:
    """Write every reason to refuse a file, as the source says it."""
    found: dict[str, str] = {}
    for module in modules(pilothouse.dmn):
        for problem, cure in refusals(module, "refuse", "_reject_file"):
            found.setdefault(problem, cure)
    found.update(problems(files, "DmnProblem"))
    found.update(problems(imports, "Problem"))
    return table(("what is wrong", "what to do"), sorted(found.items()))
