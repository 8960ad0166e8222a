"""
Sets of values on a line: points, intervals and what is left between them.

A set is written by the cuts at which it begins and ends, in turn: ``[1..5)`` begins just before 1 and ends just
before 5. So a set of any number of pieces is one sorted tuple, and its complement is the same cuts begun elsewhere.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Cut: TypeAlias = tuple[int, Any, int]
"""A place between values: -1 and 1 first for the two ends of the line, else 0, the key, and 0 before it or 1 after."""

Spans: TypeAlias = tuple[Cut, ...]
"""A set of values: where it begins, where it ends, and so on, ascending."""

LOWEST: Cut = (-1, 0, 0)
HIGHEST: Cut = (1, 0, 0)
NOTHING: Spans = ()
EVERYTHING: Spans = (LOWEST, HIGHEST)


def before(key: Any) -> Cut:  # noqa: ANN401  # keys are whatever the values of one kind are ordered by
    """Cut just before a key."""
    return (0, key, 0)


def after(key: Any) -> Cut:  # noqa: ANN401  # see `before`
    """Cut just after a key."""
    return (0, key, 1)


def between(start: Cut, end: Cut) -> Spans:
    """
    Give everything between two cuts; nothing where they stand the wrong way round.

    Examples
    --------
    >>> between(before(1), after(5))
    ((0, 1, 0), (0, 5, 1))
    >>> between(after(1), before(1))
    ()
    """
    return (start, end) if start < end else NOTHING


def point(key: Any) -> Spans:  # noqa: ANN401  # see `before`
    """Give the set of one value."""
    return (before(key), after(key))


def union(sets: Iterable[Spans]) -> Spans:
    """
    Join sets.

    Examples
    --------
    >>> union([between(before(1), before(5)), point(5), point(9)])
    ((0, 1, 0), (0, 5, 1), (0, 9, 0), (0, 9, 1))
    """
    turns: Counter[Cut] = Counter()
    for spans in sets:
        for place, cut in enumerate(spans):
            turns[cut] += -1 if place % 2 else 1
    cuts: list[Cut] = []
    inside = 0
    for cut in sorted(turns):
        was, inside = inside, inside + turns[cut]
        if bool(was) != bool(inside):
            cuts.append(cut)
    return tuple(cuts)


def complement(spans: Spans) -> Spans:
    """
    Give what is not in a set.

    Examples
    --------
    >>> complement(point(5))
    ((-1, 0, 0), (0, 5, 0), (0, 5, 1), (1, 0, 0))
    >>> complement(complement(point(5))) == point(5)
    True
    """
    start = spans[1:] if spans[:1] == (LOWEST,) else (LOWEST, *spans)
    return start[:-1] if start[-1:] == (HIGHEST,) else (*start, HIGHEST)


def intersection(sets: Iterable[Spans]) -> Spans:
    """
    Give what is in all sets.

    Examples
    --------
    >>> intersection([between(before(1), before(5)), between(before(3), HIGHEST)])
    ((0, 3, 0), (0, 5, 0))
    """
    return complement(union(complement(spans) for spans in sets))


def pieces(spans: Spans) -> Iterator[tuple[Cut, Cut]]:
    """
    Go through the unbroken pieces of a set.

    Examples
    --------
    >>> list(pieces(point(5)))
    [((0, 5, 0), (0, 5, 1))]
    """
    return zip(spans[::2], spans[1::2], strict=True)
