"""A tiny expression language for the tests of the engine."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.drawing import Pen
from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.domain.errors import InvalidError

if TYPE_CHECKING:
    from pilothouse.bpmn.expressions import Compiled, Variables

COMPARISONS: dict[str, Callable[[object, object], object]] = {
    " = ": operator.eq,
    " != ": operator.ne,
}


class TinyExpressions:
    """Literals in JSON, dotted paths, `=`, `!=`, and `boom` that fails when it runs."""

    def compile(self, text: str, /) -> Compiled:
        for sign, apply in COMPARISONS.items():
            left, found, right = text.partition(sign)
            if found:
                one, two = self.compile(left), self.compile(right)
                return lambda seen: apply(one(seen), two(seen))
        if text == "boom":
            return _boom
        if re.fullmatch(r"[A-Za-z_][\w.]*", text) and text not in ("true", "false", "null"):
            return lambda seen: _path(text, seen)
        try:
            value = json.loads(text)
        except ValueError:
            raise InvalidError(f"{text!r} is not an expression. Write another.") from None
        return lambda seen: value


def _boom(seen: Variables) -> object:
    raise ExpressionFailedError(expression="boom", problem=f"failed over {len(seen)} variables")


def _path(text: str, seen: Variables) -> object:
    value: object = seen
    for part in text.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


@pytest.fixture
def pen() -> Pen:
    return Pen(TinyExpressions())
