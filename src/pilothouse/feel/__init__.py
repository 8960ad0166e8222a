"""
FEEL, the expression language of DMN, as business people write it.

A text is compiled once and then evaluated any number of times::

    tokens → parser (clauses, names) → syntax tree → compiler (lookups, operators, checks, loops) → closures

Evaluation runs inside a budget of steps and never touches an attribute of a Python object. Supported are
numbers of 34 digits, strings, booleans with three-valued logic, dates, times and durations, ranges, lists,
contexts, paths, filters, ``if``, ``for``, ``some``, ``every``, ``in``, ``between``, ``instance of``, and the functions
of `pilothouse.feel.functions`. Source: OMG DMN 1.5, chapter 10.
"""

from __future__ import annotations

from pilothouse.feel.budget import DEFAULT_STEPS, Budget
from pilothouse.feel.errors import (
    FeelBudgetError,
    FeelPatternError,
    FeelSyntaxError,
    FeelValueError,
    Resource,
)
from pilothouse.feel.expressions import FUNCTION_NAMES, Expression, compile_expression
from pilothouse.feel.plain import plain_value
from pilothouse.feel.unary import UnaryTests, compile_unary_tests
from pilothouse.feel.values import Range, Value, YearsMonths, admit

__all__ = [
    "DEFAULT_STEPS",
    "FUNCTION_NAMES",
    "Budget",
    "Expression",
    "FeelBudgetError",
    "FeelPatternError",
    "FeelSyntaxError",
    "FeelValueError",
    "Range",
    "Resource",
    "UnaryTests",
    "Value",
    "YearsMonths",
    "admit",
    "compile_expression",
    "compile_unary_tests",
    "plain_value",
]
