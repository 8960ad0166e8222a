"""In what order decisions must be taken."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def ordered_requirements(
    direct: Mapping[str, tuple[str, ...]],
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """
    List for each decision all that it requires, each after what it requires itself.

    Parameters
    ----------
    direct
        What each decision requires directly.

    Returns
    -------
    tuple
        The orders, and the decisions of a circle if there is one (then there are no orders).

    Examples
    --------
    >>> ordered_requirements({"a": ("b", "c"), "b": ("c",), "c": ()})[0]["a"]
    ('c', 'b')
    >>> sorted(ordered_requirements({"a": ("b",), "b": ("a",)})[1])
    ['a', 'b']
    """
    try:
        order = tuple(TopologicalSorter(direct).static_order())
    except CycleError as error:
        return {}, tuple(dict.fromkeys(error.args[1]))
    reach: dict[str, set[str]] = {}
    for name in order:
        required = direct.get(name, ())
        reach[name] = set(required).union(*(reach[r] for r in required))
    return {n: tuple(o for o in order if o in reach[n]) for n in direct}, ()
