"""One element being read: what is in its scope, and what its FEEL texts compile to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from pilothouse.feel import (
    Expression,
    FeelSyntaxError,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
)
from pilothouse.feel.errors import ExternalFunctionError, UnknownFunctionError
from pilothouse.feel.names import KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lxml import etree

    from pilothouse.dmn.document import Document
    from pilothouse.dmn.type_reader import TypeReader

MAXIMUM_NESTING = 30
"""How many boxed expressions may stand inside one another."""

MAXIMUM_NAMES = 1_000
"""How many variables may be in scope."""

_FEW_NAMES = 64
_FORGIVEN = 3  # unknown functions in one text; each is one more reading of it
_Compiled = TypeVar("_Compiled", Expression, UnaryTests)

SILENT = ("description", "extensionElements")
"""Children that say something to people and nothing to an engine."""

NOTHING = compile_expression("null")
EVERYTHING = compile_unary_tests("-")
_WORD = re.compile(r"[\w?]+")
_PLAIN = re.compile(r"(?:(?!\d)[\w?]+(?: (?!\d)[\w?]+)*)?")


def hard_names(names: Iterable[str]) -> frozenset[str]:
    """
    Give the names that FEEL text can only use where they are announced: those with signs, keywords or numbers in them.

    Examples
    --------
    >>> sorted(hard_names(["Monthly Salary", "profit-loss", "terms and conditions", "line 2"]))
    ['line 2', 'profit-loss', 'terms and conditions']
    """
    return frozenset(
        n for n in names if not _PLAIN.fullmatch(n) or not KEYWORDS.isdisjoint(n.split())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """
    What the FEEL texts of a file compiled to, so that the same text is compiled once.

    Parameters
    ----------
    expressions, tests
        What was compiled, by text and variables in scope.
    by_word
        For sets of many variables, the variables by their first words.
    """

    expressions: dict[tuple[str, frozenset[str]], Expression] = field(default_factory=dict)
    tests: dict[tuple[str, frozenset[str]], UnaryTests] = field(default_factory=dict)
    by_word: dict[frozenset[str], dict[str, list[str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    The reading of one element: a decision, a business knowledge model, or a part of them.

    Parameters
    ----------
    document
        The file; problems are noted there.
    types
        Its types.
    names
        The variables in scope.
    heard
        All names that the texts read so far, possibly or surely; shared by all parts of the element.
    members
        Names that stand in the texts after a dot or in a filter, as `hard_names` gives them.
    compiled
        What was compiled before.
    depth
        How many boxed expressions are around this one.
    """

    document: Document
    types: TypeReader
    names: frozenset[str]
    heard: set[str] = field(default_factory=set)
    members: frozenset[str] = frozenset()
    compiled: Compiled = field(default_factory=Compiled)
    depth: int = 0

    def with_names(self, names: Iterable[str]) -> Reading:
        """Give the reading of a part that sees these names too."""
        return replace(self, names=self.names | frozenset(names))

    def inside(self) -> Reading:
        """Give the reading of a boxed expression one level further in."""
        return replace(self, depth=self.depth + 1)

    def expression(self, element: etree._Element) -> Expression:
        """Compile the ``text`` of an element; where it is no FEEL, note the problem and give ``null``."""
        self.document.refuse_strangers(element, "text", *SILENT)
        text = self.document.text(element)
        if not text:
            cure = "Write a FEEL expression; null says nothing"
            self.document.refuse(element, "it has no text", cure, runs=True)
            return NOTHING
        return self.expression_of(element, text)

    def expression_of(self, element: etree._Element, text: str) -> Expression:
        """Compile a text that stands at an element; where it is no FEEL, note the problem and give ``null``."""
        names = self._names_for(text)
        found = self.compiled.expressions.get((text, names))
        if found is None:
            try:
                used, found = self._compiled(element, text, names, compile_expression)
            except FeelSyntaxError as error:
                self._refuse(element, error, "Correct the expression")
                return NOTHING
            self.compiled.expressions[text, used] = found
        self.heard.update(found.names, found.possible_names)
        return found

    def tests(self, element: etree._Element) -> UnaryTests:
        """Compile the ``text`` of an input entry; where it is no FEEL, note the problem and let all values pass."""
        self.document.refuse_strangers(element, "text", *SILENT)
        # Modellers write an empty text where anything matches.
        text = self.document.text(element) or "-"
        names = self._names_for(text)
        found = self.compiled.tests.get((text, names))
        if found is None:
            try:
                used, found = self._compiled(element, text, names, compile_unary_tests)
            except FeelSyntaxError as error:
                self._refuse(element, error, "Correct the condition")
                return EVERYTHING
            self.compiled.tests[text, used] = found
        self.heard.update(found.names)
        return found

    def crowded(self, element: etree._Element, *, more: int = 0) -> bool:
        """Note a problem where so many variables are in scope, or will be, that reading would take long."""
        if len(self.names) + more <= MAXIMUM_NAMES:
            return False
        problem = f"more than {MAXIMUM_NAMES} variables are in its scope"
        self.document.refuse(element, problem, "Split it")
        return True

    def _names_for(self, text: str) -> frozenset[str]:
        """Give the variables that the text may use; of many only these, since each costs the parser time."""
        if len(self.names) <= _FEW_NAMES:
            return self.names
        by_word = self.compiled.by_word.get(self.names)
        if by_word is None:
            by_word = {}
            for name in self.names:
                by_word.setdefault(_first_word(name), []).append(name)
            self.compiled.by_word[self.names] = by_word
        words = set(_WORD.findall(text))
        return frozenset(name for word in words for name in by_word.get(word, ()))

    def _compiled(
        self,
        element: etree._Element,
        text: str,
        names: frozenset[str],
        compiling: Callable[..., _Compiled],
    ) -> tuple[frozenset[str], _Compiled]:
        """Compile a text; where it calls unknown functions, note the problem, and let them be variables without a value."""
        unknown: list[UnknownFunctionError] = []
        while True:
            try:
                found = compiling(text, names=names, members=self.members, types=self.types.named)
            except UnknownFunctionError as error:
                unknown.append(error)
                names |= {error.name}
            except FeelSyntaxError as error:
                raise unknown[0] if unknown else error from None
            else:
                break
            if len(unknown) > _FORGIVEN:
                raise unknown[0]
        for each in unknown:
            self._refuse(element, each, "Correct the call", runs=True)
        return names, found

    def _refuse(
        self, element: etree._Element, error: FeelSyntaxError, cure: str, *, runs: bool = False
    ) -> None:
        external = isinstance(error, ExternalFunctionError)
        self.document.refuse(element, error.message, cure, by_design=external, runs=runs)


@lru_cache(maxsize=16_384)
def _first_word(name: str) -> str:
    found = _WORD.search(name)
    return found[0] if found else ""
