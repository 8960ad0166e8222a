"""FEEL text made from choices: the same grammar for hypothesis, which shrinks, and for atheris, which follows coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from pilothouse.feel.functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
NAMES = ("n", "flag", "word", "day", "numbers", "order", "order.items", "loan amount", "item", "x")
LITERALS = (
    *("0", "1", "-3", "2.50", "1e3", "9999999999999999999999999999999999", "1e-6143", ".5"),
    *(
        "true",
        "false",
        "null",
        '""',
        '"a"',
        '"déjà"',
        '"\\uD83D\\uDE00"',
        '"a.*(b|c)+\\\\1"',
        '"im"',
    ),
    *('@"2026-02-28"', '@"2026-02-28T23:59:59.999999999@Europe/Paris"', '@"10:11:12+14:00"'),
    *(
        '@"P1Y2M"',
        '@"-P3DT4H5M6.789S"',
        'date("2024-02-29")',
        'date and time("-999999999-01-01T00:00:00Z")',
    ),
)
BINARY = ("+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", " and ", " or ", " in ")
TYPES = (
    *(
        "number",
        "string",
        "Any",
        "list<number>",
        "context<a: number, b: list<Any>>",
        "date and time",
    ),
    *("function<number, string> -> Any", "range<date>", "years and months duration"),
)
MEMBERS = ("a", "items", "price", "year", "time offset", "start", "start included", "value")
FUNCTION_NAMES = tuple(sorted(FUNCTIONS))


class Choices(Protocol):
    """Where decisions come from."""

    def below(self, limit: int, /) -> int:
        """Give a whole number from 0 to `limit` - 1."""
        ...


class Grammar:
    """
    Writes FEEL text.

    Parameters
    ----------
    choices
        What decides.
    depth
        How deep expressions may nest.
    """

    def __init__(self, choices: Choices, *, depth: int = 5) -> None:
        self._choices = choices
        self._left = depth

    def expression(self) -> str:
        """Write an expression, mostly one that parses."""
        if self._left <= 0:
            return self._leaf()
        self._left -= 1
        text = self._one_of(_EXPRESSIONS)(self)
        self._left += 1
        return text

    def tests(self) -> str:
        """Write the unary tests of a table's cell."""
        listed = ", ".join(self.test() for _ in range(1 + self._choices.below(3)))
        return (listed, f"not({listed})", "-")[self._choices.below(3)]

    def test(self) -> str:
        """Write one unary test."""
        kind = self._choices.below(4)
        if kind == 0:
            return self._one_of(("<", "<=", ">", ">=", "=", "!=")) + self.expression()
        return (self._interval(), "? = " + self.expression(), self.expression())[kind - 1]

    def _one_of(self, options: Sequence[T]) -> T:
        return options[self._choices.below(len(options))]

    def _leaf(self) -> str:
        return self._one_of(self._one_of((LITERALS, NAMES)))

    def _binary(self) -> str:
        return f"{self.expression()}{self._one_of(BINARY)}{self.expression()}"

    def _bracket(self) -> str:
        return f"({self.expression()})"

    def _negative(self) -> str:
        return f"-{self.expression()}"

    def _interval(self) -> str:
        low, high = self.expression(), self.expression()
        return f"{self._one_of('[(]')}{low}..{high}{self._one_of('])[')}"

    def _list(self) -> str:
        return f"[{', '.join(self.expression() for _ in range(self._choices.below(4)))}]"

    def _context(self) -> str:
        keys = ("a", "items", '"b c"', "x")[: self._choices.below(5)]
        return "{" + ", ".join(f"{key}: {self.expression()}" for key in keys) + "}"

    def _path(self) -> str:
        return f"{self.expression()}.{self._one_of(MEMBERS)}"

    def _filter(self) -> str:
        return f"{self.expression()}[{self.expression()}]"

    def _if(self) -> str:
        return f"if {self.expression()} then {self.expression()} else {self.expression()}"

    def _for(self) -> str:
        return f"for x in {self._source()} return {self.expression()}"

    def _quantified(self) -> str:
        word = self._one_of(("some", "every"))
        return f"{word} x in {self._source()} satisfies {self.expression()}"

    def _source(self) -> str:
        return (
            self.expression(),
            f"{self.expression()}..{self.expression()}",
            f"{self._list()}, item in {self.expression()}",
        )[self._choices.below(3)]

    def _between(self) -> str:
        return f"{self.expression()} between {self.expression()} and {self.expression()}"

    def _membership(self) -> str:
        return f"{self.expression()} in ({self.tests()})"

    def _instance(self) -> str:
        return f"{self.expression()} instance of {self._one_of(TYPES)}"

    def _call(self) -> str:
        arguments = ", ".join(self.expression() for _ in range(self._choices.below(4)))
        return f"{self._one_of(FUNCTION_NAMES)}({arguments})"

    def _function(self) -> str:
        body = self.expression()
        return self._one_of((f"function(x) {body}", f"(function(x, n: number) {body})(1, n)"))


_EXPRESSIONS: tuple[Callable[[Grammar], str], ...] = (
    Grammar._leaf,
    Grammar._leaf,
    Grammar._binary,
    Grammar._binary,
    Grammar._bracket,
    Grammar._negative,
    Grammar._interval,
    Grammar._list,
    Grammar._context,
    Grammar._path,
    Grammar._filter,
    Grammar._if,
    Grammar._for,
    Grammar._quantified,
    Grammar._between,
    Grammar._membership,
    Grammar._instance,
    Grammar._call,
    Grammar._call,
    Grammar._function,
)
