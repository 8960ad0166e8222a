"""The parts of FEEL that begin with a keyword or a bracket of their own: contexts, calls, ``if``, loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pilothouse.feel.names import KnownNames, spelled
from pilothouse.feel.syntax import (
    Call,
    ContextOf,
    Expr,
    For,
    If,
    Iteration,
    Quantified,
    Quantifier,
)
from pilothouse.feel.tokens import TokenKind

if TYPE_CHECKING:
    from pilothouse.feel.cursor import Cursor


MAXIMUM_LOOP_VARIABLES = 20
"""How many variables one loop may have."""


class Reading(Protocol):
    """What a clause needs of the parser that it stands in."""

    cursor: Cursor
    known: KnownNames

    def expression(self) -> Expr:
        """Read the expression that stands next."""

    def name(self) -> str:
        """Read the name that stands next."""


def read_context(reading: Reading) -> Expr:
    """
    Read ``{key: value, …}``.

    Raises
    ------
    FeelSyntaxError
        When something else stands there.
    """
    c = reading.cursor
    place = c.advance().start
    entries: dict[str, Expr] = {}
    reading.known.enter(())
    while not c.at_sign("}") or entries:
        _entry(reading, entries)
        if not c.accept(","):
            break
    reading.known.leave()
    c.expect("}")
    height = c.above(*entries.values())
    return ContextOf(place=place, entries=tuple(entries.items()), height=height)


def _entry(reading: Reading, entries: dict[str, Expr]) -> None:
    c = reading.cursor
    token = c.token
    key = _key(reading)
    if key in entries:
        raise c.failure("a key that is not there already", token=token)
    c.expect(":")
    entries[key] = reading.expression()
    reading.known.add((key,))


def _key(reading: Reading) -> str:
    c = reading.cursor
    if c.token.kind is TokenKind.TEXT:
        return c.advance().text
    start = c.index
    while c.token.kind is TokenKind.NAME or (
        c.index > start
        and (c.at_sign("-", "+", "*", "/", ".", "'") or c.token.kind is TokenKind.NUMBER)
    ):
        c.advance()
    if c.index == start:
        raise c.failure("a key: a name or a string")
    return spelled(c.tokens[start : c.index])


def read_call(reading: Reading, place: int, name: str) -> Expr:
    """
    Read the arguments of a call, whose function's name was just read.

    Raises
    ------
    FeelSyntaxError
        When something else stands there.
    """
    c = reading.cursor
    c.expect("(")
    arguments: list[Expr] = []
    parameters: list[str] = []
    while not c.at_sign(")") or arguments:
        parameter = _parameter(reading)
        if arguments and (parameter is not None) != bool(parameters):
            raise c.failure("arguments that are all named, or none of them")
        if parameter is not None:
            parameters.append(parameter)
        arguments.append(reading.expression())
        if not c.accept(","):
            break
    c.expect(")")
    return Call(
        place=place,
        function=name,
        arguments=tuple(arguments),
        parameters=tuple(parameters),
        height=c.above(*arguments),
    )


def _parameter(reading: Reading) -> str | None:
    c = reading.cursor
    end = c.index
    while c.tokens[end].kind is TokenKind.NAME:
        end += 1
    colon = c.tokens[end]
    if end == c.index or colon.kind is not TokenKind.SIGN or colon.text != ":":
        return None
    name = spelled(c.tokens[c.index : end])
    c.index = end + 1
    return name


def read_if(reading: Reading) -> Expr:
    """
    Read ``if … then … else …``.

    Raises
    ------
    FeelSyntaxError
        When something else stands there.
    """
    c = reading.cursor
    place = c.advance().start
    condition = reading.expression()
    c.expect_word("then")
    chosen = reading.expression()
    c.expect_word("else")
    otherwise = reading.expression()
    height = c.above(condition, chosen, otherwise)
    return If(place=place, condition=condition, chosen=chosen, otherwise=otherwise, height=height)


def read_for(reading: Reading) -> Expr:
    """
    Read ``for … in … return …``.

    Raises
    ------
    FeelSyntaxError
        When something else stands there.
    """
    c = reading.cursor
    place = c.advance().start
    reading.known.enter(())
    iterations = _iterations(reading)
    c.expect_word("return")
    result = reading.expression()
    reading.known.leave()
    height = c.above(result, *_sources(iterations))
    return For(place=place, iterations=iterations, result=result, height=height)


def read_quantified(reading: Reading) -> Expr:
    """
    Read ``some|every … in … satisfies …``.

    Raises
    ------
    FeelSyntaxError
        When something else stands there.
    """
    c = reading.cursor
    token = c.advance()
    reading.known.enter(())
    iterations = _iterations(reading)
    c.expect_word("satisfies")
    condition = reading.expression()
    reading.known.leave()
    return Quantified(
        place=token.start,
        quantifier=Quantifier(token.text),
        iterations=iterations,
        condition=condition,
        height=c.above(condition, *_sources(iterations)),
    )


def _iterations(reading: Reading) -> tuple[Iteration, ...]:
    iterations = [_iteration(reading)]
    while reading.cursor.accept(","):
        iterations.append(_iteration(reading))
    if len(iterations) > MAXIMUM_LOOP_VARIABLES:
        raise reading.cursor.failure(f"at most {MAXIMUM_LOOP_VARIABLES} loop variables before it")
    return tuple(iterations)


def _iteration(reading: Reading) -> Iteration:
    c = reading.cursor
    place = c.token.start
    name = reading.name()
    c.expect_word("in")
    source = reading.expression()
    end = reading.expression() if c.accept("..") else None
    reading.known.add((name,))
    return Iteration(place=place, name=name, source=source, end=end)


def _sources(iterations: tuple[Iteration, ...]) -> list[Expr]:
    return [e for i in iterations for e in (i.source, i.end) if e is not None]
