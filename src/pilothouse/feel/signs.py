"""The signs of arithmetic and comparison, which values and syntax share."""

from __future__ import annotations

from enum import StrEnum


class Operator(StrEnum):
    """The binary operators of arithmetic and comparison."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    POWER = "**"
    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
