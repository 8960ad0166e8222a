"""The elements of a decision model: inputs, decisions, business knowledge models and decision services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pilothouse.dmn.boxed.functions import FunctionDefinition
    from pilothouse.dmn.errors import Problem
    from pilothouse.dmn.taking import Logic
    from pilothouse.feel.types import Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """
    One requirement of an element.

    Parameters
    ----------
    id
        The id of what is required, as the whole model knows it.
    path
        How the element calls it: its name, after the name of an import where it comes from one.
    """

    id: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputData:
    """
    An input that the model declares.

    Parameters
    ----------
    id
        How the whole model knows it: its id, after the namespace and ``#`` where its file is imported.
    name
        The variable.
    type
        What its value must be.
    namespace
        The namespace of its file; empty for the model's own file.
    problems
        Why it cannot be used.
    """

    id: str
    name: str
    type: Type
    namespace: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def variable(self) -> str:
        """The variable that holds its value."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """
    One decision.

    Parameters
    ----------
    id
        How the whole model knows it: its id, after the namespace and ``#`` where its file is imported.
    name
        How people know it.
    variable
        The variable that holds its value for decisions that require it.
    type
        What its value must be.
    namespace
        The namespace of its file; empty for the model's own file.
    logic
        What gives its value; None where the file says nothing.
    inputs, requires, knowledge
        The inputs, decisions and functions that it requires, directly.
    free
        The variables that it may read and that no element of its file provides: the caller does.
    problems
        Why it cannot be taken.
    """

    id: str
    name: str
    variable: str
    type: Type
    logic: Logic | None
    namespace: str = ""
    inputs: tuple[Need, ...] = ()
    requires: tuple[Need, ...] = ()
    knowledge: tuple[Need, ...] = ()
    free: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The variables that its logic reads."""
        return frozenset() if self.logic is None else self.logic.names


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """
    A business knowledge model: a function that decisions call.

    Parameters
    ----------
    id
        How the whole model knows it: its id, after the namespace and ``#`` where its file is imported.
    name
        What decisions call it by.
    definition
        The function; None where the file says nothing, or nothing that runs.
    knowledge
        The functions that it requires itself.
    problems
        Why it cannot be called.
    """

    id: str
    name: str
    definition: FunctionDefinition | None
    knowledge: tuple[Need, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    A decision service: decisions that are called together as a function.

    Parameters
    ----------
    id
        How the whole model knows it: its id, after the namespace and ``#`` where its file is imported.
    name
        What it is called by.
    type
        What its value must be.
    outputs
        The decisions whose values it gives.
    parameters
        The inputs and decisions whose values are its arguments, in order: input data, then input decisions.
    problems
        Why it cannot be called.
    """

    id: str
    name: str
    type: Type
    outputs: tuple[Need, ...]
    parameters: tuple[Need, ...]
    problems: tuple[Problem, ...] = ()


Element: TypeAlias = InputData | Decision | Knowledge | Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    What must be done to give the values of some decisions.

    Parameters
    ----------
    inputs
        The inputs that are needed, in the order in which they are met.
    decisions
        The decisions to take, each after those that it requires.
    problems
        Why it cannot be done: the problems of all elements that are needed.
    """

    inputs: tuple[InputData, ...]
    decisions: tuple[Decision, ...]
    problems: tuple[Problem, ...]
