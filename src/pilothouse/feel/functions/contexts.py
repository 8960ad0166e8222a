"""Functions on contexts. Source: DMN 1.5, section 10.3.4.8 (table 80)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.functions.parameters import context, items, single, string
from pilothouse.feel.functions.registry import Calls, Registry
from pilothouse.feel.values import Value, kind_of

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

CONTEXTS = Registry()

_KEY, _VALUE = "key", "value"


@CONTEXTS.add("get value", context("m"), string("key"))
def get_value(budget: Budget, entries: dict[str, Value], key: str) -> Value:
    """Give the entry of a context by its key; null where there is none."""
    if key not in entries:
        return budget.null(f"get value() has no value: the context has no entry {key!r}")
    return entries[key]


@CONTEXTS.add("get entries", context("m"))
def get_entries(budget: Budget, entries: dict[str, Value]) -> Value:
    """List the entries of a context as contexts of ``key`` and ``value``."""
    budget.charge(len(entries))
    return tuple({_KEY: key, _VALUE: value} for key, value in entries.items())


@CONTEXTS.add("context", items("entries"))
def make_context(budget: Budget, entries: tuple[Value, ...]) -> Value:
    """Make a context of contexts that each have ``key`` and ``value``; what else is in them does not count."""
    budget.charge(len(entries))
    made: dict[str, Value] = {}
    for i, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or _VALUE not in entry:
            return budget.null(f"context() has no value: entry {i} has no 'key' and 'value'")
        key = entry.get(_KEY)
        if not isinstance(key, str):
            return budget.null(f"context() has no value: the key of entry {i} is not a string")
        if key in made:
            return budget.null(f"context() has no value: the key {key!r} is there twice")
        made[key] = entry[_VALUE]
    return made


@CONTEXTS.add_for(Calls.BY_POSITION, "context put", context("context"), "key", "value")
def put(budget: Budget, entries: dict[str, Value], key: Value, value: Value) -> Value:
    """Set an entry by its key, or one deeper inside by the keys on the way to it."""
    if isinstance(key, str):
        return put_one(budget, entries, key, value)
    if isinstance(key, tuple):
        return put_inside(budget, entries, key, value)
    found = "null" if key is None else f"a {kind_of(key)}"
    return budget.null(f"context put() has no value: a key must be a string, not {found}")


@CONTEXTS.add_for(Calls.BY_NAME, "context put", context("context"), string("key"), "value")
def put_one(budget: Budget, entries: dict[str, Value], key: str, value: Value) -> Value:
    """Set an entry of a context."""
    budget.charge(len(entries))
    return {**entries, key: value}


@CONTEXTS.add_for(Calls.BY_NAME, "context put", context("context"), items("keys"), "value")
def put_inside(
    budget: Budget, entries: dict[str, Value], keys: tuple[Value, ...], value: Value
) -> Value:
    """Set an entry of a context in a context, by the keys on the way to it."""
    budget.check_depth(len(keys))
    if not keys:
        return budget.null("context put() has no value: 'keys' is empty")
    on_the_way: list[tuple[dict[str, Value], str]] = []
    inner: Value = entries
    for key in keys:
        if not isinstance(key, str):
            return budget.null("context put() has no value: a key on the way is not a string")
        if not isinstance(inner, dict):
            return budget.null(f"context put() has no value: there is no context that has {key!r}")
        budget.charge(len(inner))
        on_the_way.append((inner, key))
        inner = inner.get(key)
    for outer, key in reversed(on_the_way):
        value = {**outer, key: value}
    return value


@CONTEXTS.add("context merge", items("contexts"))
def merge(budget: Budget, contexts: tuple[Value, ...]) -> Value:
    """Put the entries of several contexts into one; of entries with the same key the last counts."""
    made: dict[str, Value] = {}
    for i, entries in enumerate(contexts, 1):
        inner = single(entries)
        if not isinstance(inner, dict):
            return budget.null(f"context merge() has no value: item {i} is not a context")
        budget.charge(1 + len(inner))
        made.update(inner)
    return made
