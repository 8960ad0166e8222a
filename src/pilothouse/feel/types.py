"""
The types of FEEL: what values they have, which conform to which, and what is converted on the way.

A type is built by the caller (the item definitions of a decision model) or read from text by
`pilothouse.feel.type_parser`. Each can tell whether a value ``conforms`` to it (null conforms to every type, and
allowed values are not asked), whether a conforming value ``allows`` passing its allowed values too, make a
value one of it (``coerced``), and whether it ``covers`` another type. Source: DMN 1.5, section 10.3.2.9.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, TypeAlias

from pilothouse.feel.budget import Fault
from pilothouse.feel.temporal import UNIVERSAL, Date, DateTime, Time
from pilothouse.feel.values import Function, Range, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.feel.budget import Budget
    from pilothouse.feel.values import Declared, Value

_SHOWN = 40


def coerced(wanted: Type, value: Value, budget: Budget) -> Value:
    """
    Make a value one of a type by the conversions of the standard.

    A list of one item becomes the item, a value becomes a list of it, and a date becomes its midnight in UTC,
    where that gives the type. Source: DMN 1.5, section 10.3.2.9.4.

    Parameters
    ----------
    wanted
        The type.
    value
        The value; null stays null.
    budget
        Pays for walking over the value, and notes why it is null.

    Returns
    -------
    Value
        The value, converted or as it is; null where it does not fit or is not allowed.

    Raises
    ------
    FeelBudgetError
        When the value is too big or nested too deeply.

    Examples
    --------
    >>> from pilothouse.feel.budget import Budget
    >>> budget = Budget()
    >>> coerced(NUMBER, (Decimal(3),), budget), coerced(NUMBER, "3", budget)
    (Decimal('3'), None)
    >>> budget.nulls[0].problem
    'the string "3" is not of the type number'
    """
    if value is None or value == (None,):
        return value if value is None or wanted.conforms(value, budget) else None
    if isinstance(value, Function):
        value = _promising(wanted, value)
    fitting = value if wanted.conforms(value, budget) else _converted(wanted, value, budget)
    if fitting is None:
        problem = f"the {described(value)} is not of the type {wanted.name}"
        return budget.null(problem, fault=Fault.TYPE)
    if not wanted.allows(fitting, budget):
        problem = (
            f"the {described(value)} is not among the allowed values of the type {wanted.name}"
        )
        return budget.null(problem, fault=Fault.TYPE)
    return fitting


def _converted(wanted: Type, value: Value, budget: Budget) -> Value:
    candidates: list[Value] = []
    if isinstance(value, tuple):
        candidates += value if len(value) == 1 else ()
    else:
        candidates.append((value,))
    if isinstance(value, Date):
        candidates.append(DateTime(date=value, time=Time(nanoseconds=0, zone=UNIVERSAL)))
    return next((c for c in candidates if c is not None and wanted.conforms(c, budget)), None)


def _promising(wanted: Type, function: Function) -> Function:
    """Hold a function to the result that is wanted, where nothing says what it gives: FEEL text cannot."""
    kind = bare(wanted)
    if isinstance(kind, FunctionType) and type_of_function(function).result is ANY:
        return function if kind.result is ANY else replace(function, result=kind.result)
    return function


def described(value: Value) -> str:
    """
    Name a value for a message: its kind, and what it is where that is short.

    Examples
    --------
    >>> described("low"), described((Decimal(1),))
    ('string "low"', 'list')
    """
    if isinstance(value, str):
        shown = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
        return f'string "{shown}"'
    if isinstance(value, bool):
        return f"boolean {str(value).lower()}"
    if isinstance(value, Decimal):
        return f"number {value}"
    return kind_of(value)


@dataclass(frozen=True, slots=True)
class AnyType:
    """``Any``: every value."""

    name: str = "Any"

    def conforms(self, value: Value, budget: Budget) -> bool:
        """Say yes."""
        return True

    def allows(self, value: Value, budget: Budget) -> bool:
        """Say yes."""
        return True

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Give the value as it is."""
        return value

    def covers(self, other: Type) -> bool:
        """Say yes."""
        return True


@dataclass(frozen=True, slots=True)
class SimpleType:
    """
    A type without parts.

    Parameters
    ----------
    name
        As FEEL writes it: ``number``, ``days and time duration``, ``Null`` …
    """

    name: str

    def conforms(self, value: Value, budget: Budget) -> bool:
        """Say whether the value is of this kind."""
        return value is None or kind_of(value) == self.name

    def allows(self, value: Value, budget: Budget) -> bool:
        """Say yes: every value of the kind is allowed."""
        return True

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Make the value one of this type, else null."""
        return coerced(self, value, budget)

    def covers(self, other: Type) -> bool:
        """Say whether the other is the same kind."""
        return bare(other) in (self, NULL)


@dataclass(frozen=True, slots=True)
class ListType:
    """
    ``list<item>``.

    Parameters
    ----------
    item
        The type of its items.
    """

    item: Type

    @property
    def name(self) -> str:
        """The type as it is written in FEEL."""
        return f"list<{self.item.name}>"

    def conforms(self, value: Value, budget: Budget) -> bool:
        """Say whether the value is a list whose items have the item's type."""
        if not isinstance(value, tuple):
            return value is None
        budget.charge(len(value))
        return all(self.item.conforms(item, budget) for item in value)

    def allows(self, value: Value, budget: Budget) -> bool:
        """Say whether every item is allowed."""
        if not isinstance(value, tuple):
            return True
        budget.charge(len(value))
        return all(self.item.allows(item, budget) for item in value)

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Make the value one of this type, else null."""
        return coerced(self, value, budget)

    def covers(self, other: Type) -> bool:
        """Say whether the other is a list whose items conform."""
        found = bare(other)
        return found == NULL or (isinstance(found, ListType) and self.item.covers(found.item))


@dataclass(frozen=True, slots=True)
class RangeType:
    """
    ``range<end>``.

    Parameters
    ----------
    end
        The type of its ends.
    """

    end: Type

    @property
    def name(self) -> str:
        """The type as it is written in FEEL."""
        return f"range<{self.end.name}>"

    def conforms(self, value: Value, budget: Budget) -> bool:
        """Say whether the value is a range whose ends have the type."""
        if not isinstance(value, Range):
            return value is None
        return self.end.conforms(value.start, budget) and self.end.conforms(value.end, budget)

    def allows(self, value: Value, budget: Budget) -> bool:
        """Say yes: allowed values speak of values, not of ranges of them."""
        return True

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Make the value one of this type, else null."""
        return coerced(self, value, budget)

    def covers(self, other: Type) -> bool:
        """Say whether the other is a range whose ends conform."""
        found = bare(other)
        return found == NULL or (isinstance(found, RangeType) and self.end.covers(found.end))


@dataclass(frozen=True, slots=True)
class ContextType:
    """
    ``context<key: type, …>``: contexts with at least these entries.

    Parameters
    ----------
    entries
        The type of each entry, by its key.
    """

    entries: Mapping[str, Type]

    @property
    def name(self) -> str:
        """The type as it is written in FEEL."""
        return f"context<{', '.join(f'{key}: {kind.name}' for key, kind in self.entries.items())}>"

    def conforms(self, value: Value, budget: Budget) -> bool:
        """Say whether the value is a context that has all the entries, each of its type."""
        if not isinstance(value, dict):
            return value is None
        budget.charge(len(self.entries))
        return all(
            key in value and kind.conforms(value[key], budget) for key, kind in self.entries.items()
        )

    def allows(self, value: Value, budget: Budget) -> bool:
        """Say whether every entry is allowed."""
        if not isinstance(value, dict):
            return True
        budget.charge(len(self.entries))
        return all(kind.allows(value[key], budget) for key, kind in self.entries.items())

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Make the value one of this type, else null."""
        return coerced(self, value, budget)

    def covers(self, other: Type) -> bool:
        """Say whether the other is a context with at least these entries, each of which conforms."""
        found = bare(other)
        if not isinstance(found, ContextType):
            return found == NULL
        return all(
            key in found.entries and kind.covers(found.entries[key])
            for key, kind in self.entries.items()
        )


@dataclass(frozen=True, slots=True)
class FunctionType:
    """
    ``function<parameter, …> -> result``.

    Parameters
    ----------
    parameters
        The types of its parameters, in order.
    result
        The type of what it gives.
    """

    parameters: tuple[Type, ...]
    result: Type

    @property
    def name(self) -> str:
        """The type as it is written in FEEL."""
        return f"function<{', '.join(kind.name for kind in self.parameters)}> -> {self.result.name}"

    def conforms(self, value: Value, budget: Budget) -> bool:
        """Say whether the value is a function that takes and gives these types."""
        if not isinstance(value, Function):
            return value is None
        return self.covers(type_of_function(value))

    def allows(self, value: Value, budget: Budget) -> bool:
        """Say yes: functions have no allowed values."""
        return True

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Make the value one of this type, else null."""
        return coerced(self, value, budget)

    def covers(self, other: Type) -> bool:
        """Say whether the other takes at least these arguments and gives nothing else than this."""
        found = bare(other)
        if not isinstance(found, FunctionType):
            return found == NULL
        return (
            len(found.parameters) == len(self.parameters)
            and all(
                taken.covers(given)
                for taken, given in zip(found.parameters, self.parameters, strict=True)
            )
            and self.result.covers(found.result)
        )


class Allowed(Protocol):
    """The unary tests that allowed values pass."""

    def passes(self, value: Value, scope: Mapping[str, Value], *, budget: Budget) -> bool:
        """Say whether a value passes."""
        ...


@dataclass(frozen=True, slots=True)
class Constrained:
    """
    The values of another type that pass unary tests.

    Parameters
    ----------
    base
        The other type.
    allowed
        The tests; they see no variables but ``?``.
    """

    base: Type
    allowed: Allowed

    @property
    def name(self) -> str:
        """The type as it is written in FEEL."""
        return self.base.name

    def conforms(self, value: Value, budget: Budget) -> bool:
        """Say whether the value has the other type: ``instance of`` does not ask for allowed values."""
        return self.base.conforms(value, budget)

    def allows(self, value: Value, budget: Budget) -> bool:
        """Say whether the value passes the tests; null does."""
        if value is None:
            return True
        return self.base.allows(value, budget) and self.allowed.passes(value, {}, budget=budget)

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Make the value one of this type, else null."""
        return coerced(self, value, budget)

    def covers(self, other: Type) -> bool:
        """Say whether the other type conforms to the base."""
        return self.base.covers(other)


@dataclass(frozen=True, slots=True)
class Named:
    """
    A type under a name of its own.

    Parameters
    ----------
    name
        What the decision model calls it.
    base
        The type.
    """

    name: str
    base: Type

    def conforms(self, value: Value, budget: Budget) -> bool:
        """Say whether the value has the type."""
        return self.base.conforms(value, budget)

    def allows(self, value: Value, budget: Budget) -> bool:
        """Say whether the value is allowed."""
        return self.base.allows(value, budget)

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Make the value one of this type, else null."""
        return coerced(self, value, budget)

    def covers(self, other: Type) -> bool:
        """Say whether the other type conforms to it."""
        return self.base.covers(other)


@dataclass(frozen=True, slots=True)
class Inferred:
    """
    What a function is known to give from its text; nothing needs to be held to it.

    Parameters
    ----------
    found
        Finds the type, when somebody asks for it.
    """

    found: Callable[[], Type]

    def coerced(self, value: Value, budget: Budget) -> Value:
        """Give the value as it is."""
        return value


Type: TypeAlias = (
    AnyType | SimpleType | ListType | RangeType | ContextType | FunctionType | Constrained | Named
)

ANY = AnyType()
NULL = SimpleType("Null")
NUMBER = SimpleType("number")
STRING = SimpleType("string")
BOOLEAN = SimpleType("boolean")
DATE = SimpleType("date")
TIME = SimpleType("time")
DATE_AND_TIME = SimpleType("date and time")
DAYS_TIME = SimpleType("days and time duration")
YEARS_MONTHS = SimpleType("years and months duration")
_PLAIN = (ANY, NULL, NUMBER, STRING, BOOLEAN)
_MOMENTS = (DATE, TIME, DATE_AND_TIME, DAYS_TIME, YEARS_MONTHS)
SIMPLE_TYPES: Mapping[str, Type] = {kind.name: kind for kind in (*_PLAIN, *_MOMENTS)}
"""The types that need no parameters, by their names."""


def bare(kind: Type) -> Type:
    """Give a type without its name and its allowed values."""
    while isinstance(kind, (Named, Constrained)):
        kind = kind.base
    return kind


def type_of_function(function: Function) -> FunctionType:
    """
    Give the type of a function; what it does not declare is ``Any``.

    Parameters
    ----------
    function
        The function.
    """
    declared = function.types or (None,) * len(function.parameters)
    return FunctionType(tuple(_declared(kind) for kind in declared), _declared(function.result))


def _declared(declared: Declared | None) -> Type:
    if isinstance(declared, Inferred):
        return declared.found()
    return declared if isinstance(declared, Type) else ANY
