"""What FEEL refuses: text that does not parse, values that it does not know, work without end."""

from __future__ import annotations

from enum import StrEnum

from pilothouse.domain.errors import InvalidError, NotSupportedError, RefusedError


class Resource(StrEnum):
    """What an evaluation may run out of."""

    STEPS = "steps"
    CHARACTERS = "characters"
    DEPTH = "levels of nesting"
    CALLS = "calls of functions inside one another"


class FeelSyntaxError(InvalidError):
    """
    The text is not FEEL.

    Parameters
    ----------
    line, column
        Where the trouble starts, both from 1; the column counts characters.
    found
        What stands there.
    expected
        What could stand there.
    """

    code = "feel-syntax"

    def __init__(self, *, line: int, column: int, found: str, expected: str) -> None:
        self.line, self.column, self.found, self.expected = line, column, found, expected
        super().__init__(
            f"The FEEL expression is wrong at line {line}, column {column}: found {found}, "
            f"expected {expected}. Correct the expression there."
        )


class ExternalFunctionError(FeelSyntaxError):
    """The text defines a function in another language, which Pilothouse never runs."""

    code = "feel-external-function"


class UnknownFunctionError(FeelSyntaxError):
    """
    The text calls a function that nobody announced.

    Parameters
    ----------
    failure
        Where the call stands, and what could stand there.
    name
        The name of the function.
    """

    code = "feel-unknown-function"

    def __init__(self, *, failure: FeelSyntaxError, name: str) -> None:
        self.name = name
        super().__init__(
            line=failure.line, column=failure.column, found=failure.found, expected=failure.expected
        )


class FeelValueError(InvalidError):
    """
    A value of the context is none that FEEL knows.

    Parameters
    ----------
    name
        The variable, with the path inside it.
    problem
        What is wrong with its value.
    """

    code = "feel-value"

    def __init__(self, *, name: str, problem: str) -> None:
        self.name, self.problem = name, problem
        super().__init__(
            f"The variable {name!r} cannot be used in FEEL: {problem}. Give it as a number of at most "
            "34 digits, text, true or false, a date or time, a duration, a list, a mapping or null."
        )


class FeelBudgetError(RefusedError):
    """
    The evaluation would take more than it may.

    Parameters
    ----------
    resource
        What ran out.
    limit
        How much of it there was.
    """

    code = "feel-budget"

    def __init__(self, *, resource: Resource, limit: int) -> None:
        self.resource, self.limit = resource, limit
        super().__init__(
            f"The FEEL evaluation was stopped: it needs more than {limit} {resource}. "
            "Make its lists, ranges or texts smaller, or split the expression."
        )


class FeelPatternError(NotSupportedError):
    """
    A regular expression is beyond the limits: too long, nested too deeply, or repeating too much.

    Parameters
    ----------
    pattern
        The regular expression.
    form
        What it has that is too much.
    """

    code = "feel-pattern-unsupported"

    def __init__(self, *, pattern: str, form: str) -> None:
        self.pattern, self.form = pattern, form
        super().__init__(
            f"The regular expression {pattern[:80]!r} has {form}, which is beyond the limits. "
            "Make the pattern shorter, its groups less deep, or the counts of its repetitions smaller."
        )
