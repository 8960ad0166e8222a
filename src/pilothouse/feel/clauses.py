"""The parts of FEEL that begin with a keyword or a bracket of their own: contexts, calls, functions, ``if``, loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pilothouse.feel.errors import ExternalFunctionError
from pilothouse.feel.names import KnownNames, new_name_length, spelled
from pilothouse.feel.syntax import (
    Call,
    ContextOf,
    Expr,
    For,
    FunctionOf,
    If,
    Iteration,
    Parameter,
    Quantified,
    Quantifier,
)
from pilothouse.feel.tokens import TokenKind
from pilothouse.feel.type_parser import read_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.feel.cursor import Cursor
    from pilothouse.feel.types import Type


MAXIMUM_LOOP_VARIABLES = 20
"""How many variables one loop may have."""


class Reading(Protocol):
    """What a clause needs of the parser that it stands in."""

    cursor: Cursor
    known: KnownNames
    types: Mapping[str, Type]

    def expression(self) -> Expr:
        """Read the expression that stands next."""


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
    entries: list[tuple[str, Expr]] = []
    reading.known.enter()
    while not c.at_sign("}") or entries:
        _entry(reading, entries)
        if not c.accept(","):
            break
    reading.known.leave()
    c.expect("}")
    height = c.above(*(value for _, value in entries))
    return ContextOf(place=place, entries=tuple(entries), height=height)


def _entry(reading: Reading, entries: list[tuple[str, Expr]]) -> None:
    c = reading.cursor
    token = c.token
    key = c.advance().text if token.kind is TokenKind.TEXT else new_name(reading)
    c.expect(":")
    reading.known.add_member(key)
    if c.at_word("function"):
        reading.known.add(key)  # a function may call itself
    entries.append((key, reading.expression()))
    reading.known.add(key)


def new_name(reading: Reading, *, keywords: bool = True) -> str:
    """
    Read a name that is being made known: a key, a parameter, a loop variable.

    Parameters
    ----------
    reading
        Where the parser stands.
    keywords
        Whether it may have keywords inside it.

    Raises
    ------
    FeelSyntaxError
        When none stands there.
    """
    c = reading.cursor
    count = new_name_length(c.tokens, c.index, keywords=keywords)
    if not count:
        raise c.failure("a name")
    words = c.tokens[c.index : c.index + count]
    c.index += count
    return spelled(words)


def read_call(reading: Reading, function: Expr) -> Call:
    """
    Read the arguments of a call.

    Parameters
    ----------
    reading
        Where the parser stands, before the opening bracket.
    function
        What is called.

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
        place=function.place,
        function=function,
        arguments=tuple(arguments),
        parameters=tuple(parameters),
        height=c.above(function, *arguments),
    )


def _parameter(reading: Reading) -> str | None:
    c = reading.cursor
    count = new_name_length(c.tokens, c.index, keywords=True)
    colon = c.tokens[c.index + count]
    if not count or colon.kind is not TokenKind.SIGN or colon.text != ":":
        return None
    name = spelled(c.tokens[c.index : c.index + count])
    c.index += count + 1
    return name


def read_function(reading: Reading) -> Expr:
    """
    Read ``function(parameter: type, …) body``.

    Raises
    ------
    FeelSyntaxError
        When something else stands there.
    ExternalFunctionError
        When the body is in another language.
    """
    c = reading.cursor
    place = c.advance().start
    c.expect("(")
    parameters: dict[str, Parameter] = {}
    while not c.at_sign(")") or parameters:
        _declared(reading, parameters)
        if not c.accept(","):
            break
    c.expect(")")
    if c.at_word("external"):
        failure = c.failure("a body in FEEL")
        raise ExternalFunctionError(
            line=failure.line, column=failure.column, found=failure.found, expected=failure.expected
        )
    reading.known.enter(parameters)
    body = reading.expression()
    reading.known.leave()
    return FunctionOf(
        place=place, parameters=tuple(parameters.values()), body=body, height=c.above(body)
    )


def _declared(reading: Reading, parameters: dict[str, Parameter]) -> None:
    c = reading.cursor
    token = c.token
    name = new_name(reading)
    if name in parameters:
        raise c.failure("a parameter that is not there already", token=token)
    kind = read_type(reading) if c.accept(":") else None
    parameters[name] = Parameter(name=name, type=kind)


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
    reading.known.enter()
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
    reading.known.enter()
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
    name = new_name(reading, keywords=False)
    c.expect_word("in")
    source = reading.expression()
    end = reading.expression() if c.accept("..") else None
    reading.known.add(name)
    return Iteration(place=place, name=name, source=source, end=end)


def _sources(iterations: tuple[Iteration, ...]) -> list[Expr]:
    return [e for i in iterations for e in (i.source, i.end) if e is not None]
