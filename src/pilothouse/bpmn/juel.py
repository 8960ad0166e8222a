"""
Simple expressions of Camunda 7 (``${…}``, the Unified Expression Language) as FEEL.

Taken are paths of names and indices, literals, comparisons, ``and``, ``or``, ``not``, ``? :`` and arithmetic with
numbers. What would run code is refused: calls of methods and functions, and the objects of the engine such as
``execution``. Where FEEL is stricter, so is the result: a comparison of different types, or with null, is null in
FEEL and stops a gateway with an incident, where Camunda 7 goes on with a value that it has converted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ENGINE_OBJECTS = frozenset(
    {
        "execution",
        "task",
        "externalTask",
        "caseExecution",
        "authenticatedUserId",
        "currentUser",
        "currentUserGroups",
        "connector",
        "now",
        "dateTime",
    }
)
MAXIMUM_LENGTH = 2000
MAXIMUM_DEPTH = 32
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%<>!?:().\[\]]))"
)
_ORDER = {"<": "<", "lt": "<", "<=": "<=", "le": "<=", ">": ">", "gt": ">", ">=": ">=", "ge": ">="}
_BINARY = (
    {"||": "or", "or": "or"},
    {"&&": "and", "and": "and"},
    {"==": "=", "eq": "=", "!=": "!=", "ne": "!="},
    _ORDER,
    {"+": "+", "-": "-"},
    {"*": "*", "/": "/", "div": "/", "%": "%", "mod": "%"},
)
"""The operators by how tightly they bind, the loosest first, each with its sign in FEEL."""
_WORDS = frozenset(word for level in _BINARY for word in level if word.isalpha()) | {"not", "empty"}
_COMPARING = frozenset({"=", "!=", *_ORDER.values()})
_CONSTANTS = frozenset({"true", "false", "null"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    kind: str
    text: str


def feel_of_template(text: str) -> str:
    """
    Give the value of an attribute or parameter as Camunda 8 writes it: plain text, or FEEL behind ``=``.

    Raises
    ------
    ValueError
        When an expression in it is not simple.

    Examples
    --------
    >>> feel_of_template("DEV"), feel_of_template("${model.tier == 'high'}"), feel_of_template("=x")
    ('DEV', '=model.tier = "high"', '="=x"')
    >>> feel_of_template("Deploy ${name}")
    '="Deploy " + (if name = null then "" else string(name))'
    """
    parts = _parts(text)
    if not any(is_expression for is_expression, _ in parts):
        return f"={_quoted(text)}" if text.startswith("=") else text
    if len(parts) == 1:
        return f"={feel_of(parts[0][1])}"
    return "=" + " + ".join(_as_text(part) if code else _quoted(part) for code, part in parts)


def _as_text(part: str) -> str:
    feel = feel_of(part)
    return f'(if {feel} = null then "" else string({feel}))'


def _parts(text: str) -> list[tuple[bool, str]]:
    """Part a text into plain pieces (False) and what stands inside ``${…}`` (True)."""
    parts, at = [], 0
    while at < len(text):
        begin = re.compile(r"[$#]\{").search(text, at)
        if begin is None:
            parts.append((False, text[at:]))
            break
        if begin.start() > at:
            parts.append((False, text[at : begin.start()]))
        end = _closing(text, begin.end())
        parts.append((True, text[begin.end() : end]))
        at = end + 1
    return parts


def _closing(text: str, begin: int) -> int:
    quote, at = "", begin
    while at < len(text):
        sign = text[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "}":
            return at
        at += 1
    raise ValueError(f"the expression in {text!r} has no end")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def feel_of(text: str) -> str:
    """
    Give a simple expression, without its ``${`` and ``}``, as FEEL.

    Raises
    ------
    ValueError
        When it is not simple, or none.

    Examples
    --------
    >>> feel_of("auc >= 0.8 && !(tier eq 'high' || scores[0] < 3)")
    'auc >= 0.8 and not(tier = "high" or scores[1] < 3)'
    """
    if len(text) > MAXIMUM_LENGTH:
        raise ValueError(f"the expression has more than {MAXIMUM_LENGTH:,} characters")
    reader = _Reader(text)
    feel = reader.choice(0)
    if reader.here is not None:
        raise ValueError(f"{text.strip()!r} goes on with {reader.here.text!r}")
    return feel


def _tokens(text: str) -> list[_Token]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"{text[at:].strip()[:20]!r} is not understood")
        kind = str(found.lastgroup)
        tokens.append(_Token(kind=kind, text=found[kind]))
        at = found.end()
    return tokens


class _Reader:
    """Reads by recursive descent; each method gives FEEL."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens, self._at = text.strip(), _tokens(text), 0
        self._comparisons: set[str] = set()

    @property
    def here(self) -> _Token | None:
        """The token that comes next."""
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _takes(self, *texts: str) -> str | None:
        here = self.here
        if here is None or here.kind == "text" or here.text not in texts:
            return None
        self._at += 1
        return here.text

    def _needs(self, text: str) -> None:
        if self._takes(text) is None:
            found = repr(self.here.text) if self.here else "its end"
            raise ValueError(f"{self._text!r} has {found} where {text!r} should be")

    def choice(self, depth: int) -> str:
        """Read a whole expression."""
        if depth > MAXIMUM_DEPTH:
            raise ValueError(f"the expression is nested deeper than {MAXIMUM_DEPTH} levels")
        condition = self._binary(0, depth)
        if self._takes("?") is None:
            return condition
        one = self.choice(depth + 1)
        self._needs(":")
        return f"(if {condition} then {one} else {self.choice(depth + 1)})"

    def _binary(self, level: int, depth: int) -> str:
        if level == len(_BINARY):
            return self._unary(depth)
        left, signs = self._binary(level + 1, depth), _BINARY[level]
        while (sign := self._takes(*signs)) is not None:
            left = self._joined(left, signs[sign], self._binary(level + 1, depth))
        return left

    def _joined(self, left: str, sign: str, right: str) -> str:
        if sign == "%":
            return f"modulo({left}, {right})"
        if sign == "+" and not (_is_number(left) or _is_number(right)):
            # Camunda 7 adds texts as numbers, FEEL puts them one behind the other.
            raise ValueError(f"{self._text!r} adds what may be texts")
        if sign not in _COMPARING:
            return f"{left} {sign} {right}"
        # FEEL does not compare what a comparison gives without parentheses.
        one, other = (f"({side})" if side in self._comparisons else side for side in (left, right))
        self._comparisons.add(f"{one} {sign} {other}")
        return f"{one} {sign} {other}"

    def _unary(self, depth: int) -> str:
        if depth > MAXIMUM_DEPTH:
            raise ValueError(f"the expression is nested deeper than {MAXIMUM_DEPTH} levels")
        if self._takes("!", "not") is not None:
            inner = self._unary(depth + 1)
            return f"not{inner}" if inner.startswith("(") else f"not({inner})"
        if self._takes("-") is not None:
            return f"-{self._unary(depth + 1)}"
        if self._takes("empty") is not None:
            raise ValueError(f"{self._text!r} asks whether something is empty; compare with null")
        return self._value(depth)

    def _value(self, depth: int) -> str:
        if self._takes("(") is not None:
            inner = self.choice(depth + 1)
            self._needs(")")
            return f"({inner})"
        here = self.here
        if here is None or here.kind == "sign" or here.text in _WORDS:
            found = repr(here.text) if here else "its end"
            raise ValueError(f"{self._text!r} has {found} where a value should be")
        self._at += 1
        if here.kind == "text":
            return _quoted(re.sub(r"\\(.)", r"\1", here.text[1:-1]))
        return self._path(here.text) if here.kind == "name" else here.text

    def _path(self, name: str) -> str:
        if name in ENGINE_OBJECTS:
            raise ValueError(f"{name!r} is an object of the engine, not a variable")
        path = name
        while (sign := self._takes(".", "[", "(")) is not None:
            match sign:
                case ".":
                    path += f".{self._name()}"
                case "[":
                    path += self._index()
                case _:
                    raise ValueError(f"{path}(…) is a call, which would run code")
        if path != name and name in _CONSTANTS:
            raise ValueError(f"{path!r} is no path")
        return path

    def _name(self) -> str:
        here = self.here
        if here is None or here.kind != "name":
            raise ValueError(f"{self._text!r} has no name behind a point")
        self._at += 1
        return here.text

    def _index(self) -> str:
        here = self.here
        if here is None or here.kind not in ("number", "text"):
            raise ValueError(f"{self._text!r} has an index that is neither a number nor a text")
        self._at += 1
        self._needs("]")
        if here.kind == "number":
            # Lists begin at 0 there, and at 1 in FEEL.
            return f"[{int(here.text) + 1}]"
        name = here.text[1:-1]
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no plain name of an entry")
        return f".{name}"


def _is_number(feel: str) -> bool:
    return feel.lstrip("-").replace(".", "", 1).isdigit()
