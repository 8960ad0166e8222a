"""The seam for expressions: bpmn is given an evaluator and knows nothing of its language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.domain.errors import PilothouseError

Variables = Mapping[str, object]
Compiled = Callable[[Variables], object]


class Expressions(Protocol):
    """An expression language."""

    def compile(self, text: str, /) -> Compiled:
        """
        Compile an expression, without its leading ``=``.

        Raises
        ------
        InvalidError
            When the text is not an expression of the language.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A literal text, or an expression (written with a leading ``=``) over the variables that are visible."""

    text: str
    compiled: Compiled | None = None

    def given(self, variables: Variables) -> object:
        """
        Evaluate.

        Raises
        ------
        ExpressionFailedError
            When the evaluator refuses these variables.
        """
        if self.compiled is None:
            return self.text
        try:
            return self.compiled(variables)
        except PilothouseError as error:
            raise ExpressionFailedError(expression=self.text, problem=f"fails: {error}") from error

    def text_given(self, variables: Variables, *, purpose: str) -> str:
        """
        Evaluate to text; a whole number is written in digits, as correlation keys often are numbers.

        Raises
        ------
        ExpressionFailedError
            When the value is neither.
        """
        value = self.given(variables)
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            value = str(int(value)) if value == int(value) else None
        if isinstance(value, str) and value:
            return value
        raise ExpressionFailedError(
            expression=self.text, problem=f"gives {value!r} for the {purpose}, not text"
        )

    def names_given(self, variables: Variables, *, purpose: str) -> tuple[str, ...]:
        """
        Evaluate to names: a list of texts, or one text with commas.

        Raises
        ------
        ExpressionFailedError
            When the value is neither.
        """
        value = self.given(variables)
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
            return tuple(value)
        raise ExpressionFailedError(
            expression=self.text, problem=f"gives {value!r} for the {purpose}, not a list of names"
        )


def holds(value: Value, variables: Variables) -> bool:
    """
    Evaluate what an event waits for; null, as of a variable that is not there yet, does not hold.

    Raises
    ------
    ExpressionFailedError
        When the value is neither true, false nor null.
    """
    return value.given(variables) is not None and truth(value, variables)


def truth(value: Value, variables: Variables) -> bool:
    """
    Evaluate a condition.

    Raises
    ------
    ExpressionFailedError
        When the value is neither true nor false.
    """
    given = value.given(variables)
    if not isinstance(given, bool):
        raise ExpressionFailedError(
            expression=value.text, problem=f"gives {given!r}, not true or false"
        )
    return given
