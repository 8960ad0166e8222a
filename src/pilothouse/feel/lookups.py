"""Closures that fetch variables: from the caller's context, from slots, from the item of a filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pilothouse.feel.members import member
from pilothouse.feel.values import QUICK, Value, admit

if TYPE_CHECKING:
    from pilothouse.feel.scope import Closure, State


def slot_closure(slot: int) -> Closure:
    """Fetch one of the text's own names."""
    return lambda state: state.frame[slot]


def variable_closure(name: str) -> Closure:
    """Fetch a variable of the context; null where there is none."""

    def fetch(state: State) -> Value:
        raw = state.variables.get(name)
        quick = QUICK.get(type(raw))
        return quick(raw, name) if quick is not None else admit(raw, name=name, budget=state.budget)

    return fetch


def path_closure(name: str, members: tuple[str, ...]) -> Closure:
    """Fetch a member of a member of a variable, touching nothing else of it."""
    whole = ".".join((name, *members))

    def fetch(state: State) -> Value:
        raw = state.variables.get(name)
        for i, key in enumerate(members):
            if type(raw) is not dict and not isinstance(raw, Mapping):
                return _within(state, raw, name, members[i:])
            raw = raw.get(key)
        quick = QUICK.get(type(raw))
        return (
            quick(raw, whole) if quick is not None else admit(raw, name=whole, budget=state.budget)
        )

    return fetch


def _within(state: State, raw: object, name: str, members: tuple[str, ...]) -> Value:
    """Follow the rest of a path inside a list, a date or another value that is no context."""
    value = admit(raw, name=name, budget=state.budget)
    for key in members:
        value = member(value, key, state.budget)
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
