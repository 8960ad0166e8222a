"""Closures that fetch variables: from the caller's context, from slots, from the item of a filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from pilothouse.feel.budget import Fault, Place
from pilothouse.feel.members import member
from pilothouse.feel.values import QUICK, Function, Value, admit

if TYPE_CHECKING:
    from pilothouse.feel.scope import Closure, State


def slot_closure(slot: int) -> Closure:
    """Fetch one of the text's own names."""
    return lambda state: state.frame[slot]


def variable_closure(
    name: str, place: Place, *, default: Function | None = None, fault: Fault = Fault.MISSING
) -> Closure:
    """
    Fetch a variable of the context; null, with its reason, where there is none.

    Parameters
    ----------
    name, place
        Its name, and where in which text it is read.
    default
        The built-in function of this name.
    fault
        What sort of reason its absence is.
    """

    def fetch(state: State) -> Value:
        raw = state.variables.get(name)
        if raw is None:
            return default if name not in state.variables and default else _absent(state)
        if state.trusted:
            return cast("Value", raw)
        quick = QUICK.get(type(raw))
        return quick(raw, name) if quick is not None else admit(raw, name=name, budget=state.budget)

    def _absent(state: State) -> None:
        if name not in state.variables:
            state.budget.null(f"there is no variable {name!r}", place=place, fault=fault)

    return fetch


def path_closure(name: str, members: tuple[str, ...], place: Place) -> Closure:
    """Fetch a member of a member of a variable, touching nothing else of it."""
    whole = ".".join((name, *members))

    def fetch(state: State) -> Value:
        raw = state.variables.get(name)
        for i, key in enumerate(members):
            if type(raw) is not dict and not isinstance(raw, Mapping):
                if raw is None:
                    break
                return _within(state, raw, name, members[i:], place)
            raw = raw.get(key)
        if raw is None:
            return _unfound(state, name, members, place)
        if state.trusted:
            return cast("Value", raw)
        quick = QUICK.get(type(raw))
        return (
            quick(raw, whole) if quick is not None else admit(raw, name=whole, budget=state.budget)
        )

    return fetch


def _unfound(state: State, name: str, members: tuple[str, ...], place: Place) -> None:
    """Note which part of a path is not there, if one is not; a null that was given is no fault."""
    if name not in state.variables:
        state.budget.null(f"there is no variable {name!r}", place=place, fault=Fault.MISSING)
        return
    raw: object = state.variables[name]
    said = name
    for key in members:
        if not isinstance(raw, Mapping) or key not in raw:
            empty = f"{said} is null: it" if raw is None else said
            state.budget.null(f"{empty} has no entry {key!r}", place=place)
            return
        raw, said = raw[key], f"{said}.{key}"


def _within(state: State, raw: object, name: str, members: tuple[str, ...], place: Place) -> Value:
    """Follow the rest of a path inside a list, a date or another value that is no context."""
    value = cast("Value", raw) if state.trusted else admit(raw, name=name, budget=state.budget)
    return followed(state, value, members, place)


def followed(state: State, value: Value, members: tuple[str, ...], place: Place) -> Value:
    """Take members inside members of a value; null, with its reason, where one is not there."""
    for key in members:
        value = member(value, key, state.budget)
        if value is None or isinstance(value, tuple):
            state.budget.locate(place)
        if value is None:
            return None
    return value


def presence(name: str, members: tuple[str, ...]) -> Closure:
    """Say whether a variable, or a member of it, is there, be it null."""

    def present(state: State) -> Value:
        raw: object = state.variables
        for key in (name, *members):
            if not isinstance(raw, Mapping) or key not in raw:
                return False
            raw = raw[key]
        return True

    return present


def through_items(name: str, items: list[int], outer: Closure) -> Closure:
    """Let the items of filters, where they are contexts with this key, come before the outer meaning."""
    for slot in reversed(items):
        outer = _item_closure(name, slot, outer)
    return outer


def _item_closure(name: str, slot: int, outer: Closure) -> Closure:
    def fetch(state: State) -> Value:
        item = state.frame[slot]
        if isinstance(item, dict) and name in item:
            return item[name]
        return outer(state)

    return fetch
