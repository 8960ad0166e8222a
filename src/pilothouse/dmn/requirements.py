"""In what order decisions must be taken, and requirements that go in a circle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


def circles(direct: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, ...]]:
    """
    Find circles of requirements, until none is left.

    Parameters
    ----------
    direct
        What each element requires directly.

    Yields
    ------
    tuple
        The members of a circle, in order; no member is in two circles.

    Examples
    --------
    >>> [sorted(c) for c in circles({"a": ("b",), "b": ("a",), "c": ("c",), "d": ("a",)})]
    [['a', 'b'], ['c']]
    """
    left = {name: set(required) for name, required in direct.items()}
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle = tuple(dict.fromkeys(error.args[1]))
            yield circle
            left = {n: r.difference(circle) for n, r in left.items() if n not in circle}
        else:
            return


def ordered(
    wanted: Iterable[str], requires: Callable[[str], Iterable[str]], *, given: frozenset[str]
) -> tuple[str, ...]:
    """
    List elements and all that they require, each after what it requires itself.

    Parameters
    ----------
    wanted
        The elements.
    requires
        What one requires directly.
    given
        What is there already: neither listed nor looked into.

    Examples
    --------
    >>> direct = {"a": ("b", "c"), "b": ("c",), "c": (), "d": ("a",)}
    >>> ordered(["a"], direct.__getitem__, given=frozenset()), ordered(["d"], direct.__getitem__, given=frozenset("b"))
    (('c', 'b', 'a'), ('c', 'a', 'd'))
    """
    order: dict[str, None] = {}
    met = set(given)
    for name in wanted:
        # Not by recursion: chains of requirements may be longer than Python's stack.
        under_way: list[tuple[str, Iterator[str]]] = []
        if name not in met:
            met.add(name)
            under_way.append((name, iter(tuple(requires(name)))))
        while under_way:
            current, rest = under_way[-1]
            following = next((r for r in rest if r not in met), None)
            if following is None:
                order[current] = None
                under_way.pop()
            else:
                met.add(following)
                under_way.append((following, iter(tuple(requires(following)))))
    return tuple(order)
