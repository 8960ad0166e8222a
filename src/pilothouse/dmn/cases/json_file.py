"""Test cases as JSON: a list of objects."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from pilothouse.dmn.cases.case import EXACT, Case, Expected, Kind
from pilothouse.dmn.cases.errors import CaseFileError
from pilothouse.dmn.cases.values import CaseValueError, json_value
from pilothouse.domain.errors import PilothouseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilothouse.feel import Budget, Value

_FIELDS = (
    *("name", "decision", "service", "function", "inputs", "imported"),
    *("expected", "rules", "tolerance", "now"),
)
_SPACE = re.compile(r"[ \t\n\r]*")


def read_json(text: str, *, file: str, budget: Budget) -> tuple[Case, ...]:
    """
    Read the cases of a JSON file.

    Parameters
    ----------
    text
        A list of objects with ``name``, one of ``decision``, ``service`` and ``function``, ``inputs``, and ``expected`` or ``rules`` or both;
        further ``imported`` (inputs of imported files by namespace), ``tolerance`` (of numbers) and ``now``.
    file
        Its name, for messages.
    budget
        Pays for the values of the whole file.

    Raises
    ------
    CaseFileError
        When it is no such list.
    """
    return tuple(_Reader(file, line, budget).case(raw) for line, raw in _objects(text, file))


def _objects(text: str, file: str) -> Iterator[tuple[int, object]]:
    """Decode the items of the list one by one, since the decoder does not tell where one stood."""
    decoder = json.JSONDecoder(
        parse_float=Decimal,
        parse_int=Decimal,
        parse_constant=_refuse_constant,
        object_pairs_hook=_once,
    )
    place, line, seen = _after_space(text, 0), 1, 0
    if text[place : place + 1] != "[":
        _refuse(file, 1, "it is no list of cases", "Start it with [ and end it with ]")
    place = _after_space(text, place + 1)
    while text[place : place + 1] != "]":
        line, seen = line + text.count("\n", seen, place), place
        raw, place = _decoded(decoder, text, place, file)
        yield line, raw
        place = _after_item(text, _after_space(text, place), file)
    end = _after_space(text, place + 1)
    if end != len(text):
        _refuse(file, _line(text, end), "something follows the list", "End the file after ]")


def _decoded(decoder: json.JSONDecoder, text: str, place: int, file: str) -> tuple[object, int]:
    try:
        return decoder.raw_decode(text, place)
    except json.JSONDecodeError as error:
        _refuse(file, error.lineno, f"it is not JSON: {error.msg}", "Correct it there")
    except RecursionError:
        line = _line(text, place)
        _refuse(file, line, "it is nested too deeply", "Nest at most 100 levels")
    except (CaseValueError, ArithmeticError) as error:
        line = _line(text, place)
        _refuse(file, line, f"in the case that starts there, {_said(error)}", "Correct it")


def _said(error: Exception) -> str:
    return error.problem if isinstance(error, CaseValueError) else "a number is too big"


def _after_item(text: str, place: int, file: str) -> int:
    following = text[place : place + 1]
    if following == "]":
        return place
    if following != ",":
        _refuse(file, _line(text, place), "the list does not go on", "Put a comma or ] there")
    place = _after_space(text, place + 1)
    if text[place : place + 1] == "]":
        line = _line(text, place)
        _refuse(file, line, "no case follows the last comma", "Take the comma out")
    return place


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return place if found is None else found.end()


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _refuse(file: str, line: int, problem: str, cure: str) -> NoReturn:
    raise CaseFileError(file=file, line=line, problem=problem, cure=cure)


def _refuse_constant(word: str) -> NoReturn:
    raise CaseValueError(f"{word} is no number of FEEL")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise CaseValueError(f"the key {key[:80]!r} stands twice in one object")
        found[key] = value
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """One case being read."""

    file: str
    line: int
    budget: Budget

    def case(self, raw: object) -> Case:
        if not isinstance(raw, dict):
            self._refuse("a case is no object", 'Write {"name": …, "decision": …, …}')
        self._check_fields(raw)
        kind, target = self._target(raw)
        return Case(
            name=self._text(raw, "name"),
            kind=kind,
            target=target,
            inputs=self._values(raw.get("inputs", {}), "inputs"),
            imported=self._imported(raw.get("imported", {}), kind),
            expected=self._expected(raw),
            rules=self._rules(raw),
            now=self._now(raw),
            line=self.line,
        )

    def _refuse(self, problem: str, cure: str) -> NoReturn:
        _refuse(self.file, self.line, problem, cure)

    def _check_fields(self, raw: Mapping[str, object]) -> None:
        for name in raw:
            if name not in _FIELDS:
                near = get_close_matches(name[:80], _FIELDS, n=1)
                meant = f"Did you mean {near[0]!r}" if near else f"Use {', '.join(_FIELDS)}"
                self._refuse(f"a case has no field {name[:80]!r}", meant)
        if "expected" not in raw and "rules" not in raw:
            self._refuse(
                "the case expects nothing", 'Give "expected" (null where null must come) or "rules"'
            )

    def _text(self, raw: Mapping[str, object], field: str) -> str:
        value = raw.get(field)
        if not isinstance(value, str) or not value.strip():
            self._refuse(f"{field!r} is no text", f'Give the case a "{field}"')
        return value

    def _target(self, raw: Mapping[str, object]) -> tuple[Kind, str]:
        kinds = [kind for kind in Kind if kind.value in raw]
        if len(kinds) != 1:
            names = ", ".join(kind.value for kind in Kind)
            self._refuse(f"the case names {len(kinds)} of {names}", "Name exactly one of them")
        return kinds[0], self._text(raw, kinds[0].value)

    def _values(self, raw: object, field: str) -> dict[str, Value]:
        if not isinstance(raw, dict):
            self._refuse(f"{field!r} is no object", "Give values by the names of the inputs")
        return {name: self._value(item, name) for name, item in raw.items()}

    def _value(self, raw: object, name: str) -> Value:
        try:
            return json_value(raw, budget=self.budget)
        except CaseValueError as error:
            self._refuse(
                f"{name[:80]!r}: {error.problem}", "Write JSON's values, or a FEEL literal"
            )
        except PilothouseError as error:
            self._refuse(f"{name[:80]!r} is too big: {error.message}", "Make it smaller")

    def _imported(self, raw: object, kind: Kind) -> dict[str, dict[str, Value]]:
        if raw and kind is Kind.FUNCTION:
            self._refuse("a function has no imported inputs", "Give its arguments in 'inputs'")
        if not isinstance(raw, dict):
            self._refuse("'imported' is no object", "Give inputs by the namespaces of files")
        return {namespace: self._values(item, namespace) for namespace, item in raw.items()}

    def _expected(self, raw: Mapping[str, object]) -> Expected | None:
        if "expected" not in raw:
            return None
        tolerance = raw.get("tolerance", EXACT)
        if not isinstance(tolerance, Decimal) or tolerance < 0:
            self._refuse("'tolerance' is no number from 0", "Give it as 0.01, or leave it out")
        return Expected(value=self._value(raw["expected"], "expected"), tolerance=tolerance)

    def _rules(self, raw: Mapping[str, object]) -> tuple[str, ...]:
        rules = raw.get("rules")
        if rules is None and "rules" not in raw:
            return ()
        if not isinstance(rules, list) or not rules:
            self._refuse("'rules' lists no rule", "List the ids of rules, or leave it out")
        return tuple(self._rule(rule) for rule in rules)

    def _rule(self, rule: object) -> str:
        if not isinstance(rule, str):
            self._refuse("a rule's id is no text", "Give the ids as texts")
        return rule

    def _now(self, raw: Mapping[str, object]) -> datetime | None:
        return None if "now" not in raw else moment(self._text(raw, "now"), self.file, self.line)


def moment(text: str, file: str, line: int) -> datetime:
    """
    Read a moment with its zone (RFC 3339).

    Raises
    ------
    CaseFileError
        When it is none.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        cure = "Write it as 2024-01-31T12:00:00Z"
        _refuse(file, line, f"'now' is no moment with a zone: {text[:80]!r}", cure)
    return found
