"""
The built-in functions by name, and how arguments meet parameters. Source: DMN 1.5, sections 10.3.2.9.4 and 10.3.4.

A call whose arguments do not fit the function is null by the standard; the budget is told why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pilothouse.feel.functions.parameters import Kind, Parameter, refusal, taken
from pilothouse.feel.values import Function, Value, kind_of

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

Implementation: TypeAlias = Callable[..., Value]
Wrapper: TypeAlias = Callable[[Implementation], Implementation]


class Calls(StrEnum):
    """Which calls a form is there for."""

    ALL = "all"
    BY_NAME = "by name"
    BY_POSITION = "by position"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """
    One of the forms that a function has.

    Parameters
    ----------
    parameters
        Its parameters, in order.
    required
        How many of them must be given.
    run
        The function itself: the budget, then one value for each parameter (`None` where it was not given). It holds
        the values to the parameters' kinds itself.
    variadic
        Whether the last parameter takes all remaining arguments, as a list.
    aliases
        Other names of parameters.
    takes_null
        Whether null for an optional parameter means that it was not given; else the answer is null.
    calls
        Which calls it is there for.
    """

    parameters: tuple[Parameter, ...]
    required: int
    run: Implementation
    variadic: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    takes_null: bool = False
    calls: Calls = Calls.ALL

    def arranged(
        self, arguments: tuple[Value, ...], names: tuple[str, ...]
    ) -> tuple[Value, ...] | None:
        """
        Give one value for each parameter; `None` instead of all where the arguments are not for this form.

        Parameters
        ----------
        arguments
            The arguments.
        names
            Their names, or nothing where they are given in order.
        """
        if names:
            return None if self.calls is Calls.BY_POSITION else self._by_name(arguments, names)
        return None if self.calls is Calls.BY_NAME else self._by_position(arguments)

    def _by_position(self, arguments: tuple[Value, ...]) -> tuple[Value, ...] | None:
        count, all_of_them = len(arguments), len(self.parameters)
        if count < self.required:
            return None
        if self.variadic:
            fixed = all_of_them - 1
            return (*arguments[:fixed], arguments[fixed:])
        return (*arguments, *[None] * (all_of_them - count)) if count <= all_of_them else None

    def _by_name(
        self, arguments: tuple[Value, ...], names: tuple[str, ...]
    ) -> tuple[Value, ...] | None:
        given = {
            self.aliases.get(name, name): value
            for name, value in zip(names, arguments, strict=True)
        }
        own = [parameter.name for parameter in self.parameters]
        if len(given) != len(names) or not given.keys() <= set(own):
            return None
        if not given.keys() >= set(own[: self.required]):
            return None
        values = [given.get(name) for name in own]
        if self.variadic:
            values[-1] = (values[-1],)
        return tuple(values)

    def lost(
        self, arguments: tuple[Value, ...], names: tuple[str, ...], values: tuple[Value, ...]
    ) -> str | None:
        """Name the first optional parameter that was given as null, where that is no value for it."""
        if self.takes_null or self.variadic or self.required == len(self.parameters):
            return None
        given = {self.aliases.get(name, name) for name in names}
        for i in range(self.required, len(values)):
            name = self.parameters[i].name
            if values[i] is None and (name in given if names else i < len(arguments)):
                return name
        return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BuiltIn:
    """
    One function of the standard.

    Parameters
    ----------
    name
        As it is written in FEEL.
    forms
        Its forms, one or more; a call takes the first that its arguments fit.
    fixed
        By the number of arguments: what a call by position runs as it is, where the number alone tells the form.
    """

    name: str
    forms: tuple[Form, ...]
    fixed: Mapping[int, Implementation]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters of its first form."""
        return tuple(parameter.name for parameter in self.forms[0].parameters)

    @property
    def signature(self) -> str:
        """All its forms as they are written, for messages."""
        forms = [f for f in self.forms if f.calls is not Calls.BY_POSITION]
        return " or ".join(
            f"{self.name}({', '.join(p.name for p in form.parameters)}{', …' if form.variadic else ''})"
            for form in forms
        )

    def named(self, names: tuple[str, ...]) -> tuple[Form, ...]:
        """
        Give the forms in the order in which a call by name tries them.

        ``before(point, range)`` and ``before(range, point)`` have the same names: their order tells them apart.
        """
        exact = [form for form in self.forms if tuple(p.name for p in form.parameters) == names]
        return (*exact, *self.forms)

    @property
    def value(self) -> Function:
        """The function as a value of FEEL; always the same one."""
        return _as_value(self)


@cache
def _as_value(function: BuiltIn) -> Function:
    def run(budget: Budget, values: tuple[Value, ...]) -> Value:
        return call(function, values, (), budget)

    first = function.forms[0]
    fixed = len(function.forms) == 1 and first.required == len(first.parameters)
    return Function(
        name=function.name,
        parameters=function.parameters,
        run=run,
        variadic=first.variadic or not fixed,
    )


class Registry:
    """A collection of built-in functions, filled by decorators."""

    def __init__(self) -> None:
        self.functions: dict[str, BuiltIn] = {}

    def add(
        self,
        name: str,
        *parameters: Parameter | str,
        optional: int = 0,
        variadic: bool = False,
        aliases: Mapping[str, str] | None = None,
        takes_null: bool = False,
    ) -> Wrapper:
        """
        Make the decorator that enters a function, or one more form of a function that is there.

        Parameters
        ----------
        name, parameters
            As the standard writes them; a parameter by its name alone takes values of every kind.
        optional
            How many of the last parameters may be left out.
        variadic
            Whether the last parameter takes all remaining arguments as a list; it needs one at least.
        aliases
            Other names of parameters.
        takes_null
            Whether null for an optional parameter means that it was not given.
        """
        own = _parameters(parameters)
        required = len(own) - optional

        def enter(run: Implementation) -> Implementation:
            form = Form(
                parameters=own,
                required=required,
                run=_held(name, own, required, run),
                variadic=variadic,
                aliases=aliases or {},
                takes_null=takes_null,
            )
            self._enter(name, form)
            return run

        return enter

    def add_for(self, calls: Calls, name: str, *parameters: Parameter | str) -> Wrapper:
        """Make the decorator that enters a form for calls by name alone, or by position alone."""
        own = _parameters(parameters)

        def enter(run: Implementation) -> Implementation:
            held = _held(name, own, len(own), run)
            self._enter(name, Form(parameters=own, required=len(own), run=held, calls=calls))
            return run

        return enter

    def add_over(self, name: str, kind: Kind = Kind.ANY) -> Wrapper:
        """
        Make the decorator that enters a function of a list, whose items can also be its arguments.

        The function gets the items in one tuple, all of the kind; each costs a step.
        """

        def enter(run: Implementation) -> Implementation:
            def over(budget: Budget, values: tuple[Value, ...]) -> Value:
                if values == (None,):
                    return budget.null(f"{name}() has no value: 'list' is null")
                given = items = spread(values)
                budget.charge(len(items))
                if items is values:  # arguments are converted, what is inside a list is not
                    items = tuple([taken(kind, item) for item in values])
                for i, item in enumerate(items):
                    if kind is not Kind.ANY and (item is None or taken(kind, item) is not item):
                        said = f"item {i + 1} is {_named(given[i])}, not a {kind}"
                        return budget.null(f"{name}() has no value: {said}")
                return run(budget, items)

            self.add(name, "list", variadic=True)(over)
            return run

        return enter

    def _enter(self, name: str, form: Form) -> None:
        known = self.functions.get(name)
        forms = (form,) if known is None else (*known.forms, form)
        self.functions[name] = BuiltIn(name=name, forms=forms, fixed=_fixed(forms))


def _fixed(forms: tuple[Form, ...]) -> Mapping[int, Implementation]:
    """List the first form for each number of arguments, up to one that takes several numbers of them."""
    fixed: dict[int, Implementation] = {}
    for form in forms:
        if form.calls is Calls.BY_NAME:
            continue
        if form.variadic or form.required < len(form.parameters):
            break
        fixed.setdefault(form.required, form.run)
    return fixed


def _parameters(parameters: tuple[Parameter | str, ...]) -> tuple[Parameter, ...]:
    return tuple(Parameter(name=p) if isinstance(p, str) else p for p in parameters)


def _named(value: Value) -> str:
    return "null" if value is None else f"a {kind_of(value)}"


def _held(
    name: str, parameters: tuple[Parameter, ...], required: int, run: Implementation
) -> Implementation:
    """Let a function see only values that fit its parameters."""
    if all(parameter.kind is Kind.ANY for parameter in parameters):
        return run

    def held(budget: Budget, *values: Value) -> Value:
        fitting: list[Any] = []
        for i, value in enumerate(values):
            parameter = parameters[i]
            fit = value if parameter.kind is Kind.ANY else taken(parameter.kind, value)
            if (
                fit is None
                and parameter.kind is not Kind.ANY
                and (value is not None or i < required)
            ):
                return budget.null(refusal(name, parameter, value))
            fitting.append(fit)
        return run(budget, *fitting)

    return held


def spread(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """
    Give the items that a function on lists works on: ``f([1, 2])`` and ``f(1, 2)`` mean the same.

    Examples
    --------
    >>> spread(((1, 2),)), spread((1, 2))
    ((1, 2), (1, 2))
    """
    if len(values) == 1 and isinstance(values[0], tuple):
        return values[0]
    return values


def call(
    function: BuiltIn, arguments: tuple[Value, ...], names: tuple[str, ...], budget: Budget
) -> Value:
    """
    Call a function with values.

    Parameters
    ----------
    function
        The function.
    arguments
        The arguments.
    names
        Their names in the same order, or nothing where they are given by position.
    budget
        What the call may do; it learns why the answer is null.

    Raises
    ------
    FeelBudgetError
        When the function needs more than is left.
    """
    fixed = None if names else function.fixed.get(len(arguments))
    if fixed is not None:
        return fixed(budget, *arguments)
    for form in function.named(names) if names else function.forms:
        values = form.arranged(arguments, names)
        if values is None:
            continue
        lost = form.lost(arguments, names, values)
        if lost is not None:
            return budget.null(f"{function.name}() has no value: '{lost}' is null")
        return form.run(budget, *values)
    count = len(arguments)
    said = ", ".join(names) if names else f"{count} argument{'' if count == 1 else 's'}"
    return budget.null(f"{function.signature} cannot take {said}")


def merged(*registries: Registry) -> Mapping[str, BuiltIn]:
    """
    Put the functions of several registries together.

    Raises
    ------
    ValueError
        When two of them have a function of the same name.
    """
    together: dict[str, BuiltIn] = {}
    for registry in registries:
        twice = together.keys() & registry.functions.keys()
        if twice:
            raise ValueError(f"built in twice: {', '.join(sorted(twice))}")
        together.update(registry.functions)
    return together
