"""
FEEL, the expression language of DMN, as business people write it.

A text is compiled once and then evaluated any number of times::

    tokens → parser (clauses, names, types, unary tests) → syntax tree → compiler (lookups, operators, checks, loops, calls) → closures

Evaluation runs inside a budget of steps, notes there why a value became null, and never touches an attribute of a
Python object. `types` are what values are held to, `functions` the built-in ones, `temporal` dates, times and
durations, `patterns` regular expressions. Source: OMG DMN 1.5, chapter 10.
"""

from __future__ import annotations

from pilothouse.feel.budget import DEFAULT_STEPS, Budget, Fault, Null
from pilothouse.feel.errors import (
    ExternalFunctionError,
    FeelBudgetError,
    FeelPatternError,
    FeelSyntaxError,
    FeelValueError,
    Resource,
)
from pilothouse.feel.expressions import FUNCTION_NAMES, Expression, compile_expression
from pilothouse.feel.plain import plain_value
from pilothouse.feel.python_values import python_value
from pilothouse.feel.temporal import (
    Date,
    DateTime,
    DaysTime,
    Offset,
    Region,
    Time,
    YearsMonths,
    Zone,
)
from pilothouse.feel.unary import UnaryTests, compile_unary_tests
from pilothouse.feel.values import Function, Range, Value, admit

__all__ = [
    "DEFAULT_STEPS",
    "FUNCTION_NAMES",
    "Budget",
    "Date",
    "DateTime",
    "DaysTime",
    "Expression",
    "ExternalFunctionError",
    "Fault",
    "FeelBudgetError",
    "FeelPatternError",
    "FeelSyntaxError",
    "FeelValueError",
    "Function",
    "Null",
    "Offset",
    "Range",
    "Region",
    "Resource",
    "Time",
    "UnaryTests",
    "Value",
    "YearsMonths",
    "Zone",
    "admit",
    "compile_expression",
    "compile_unary_tests",
    "plain_value",
    "python_value",
]
