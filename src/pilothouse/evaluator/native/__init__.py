"""The way from a form to the kernel in C, where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.evaluator.checking import check
from pilothouse.evaluator.errors import FormInvalidError
from pilothouse.evaluator.ir import Kind
from pilothouse.evaluator.operations import (
    Apply,
    Bins,
    Constant,
    Distances,
    Fill,
    Interpolate,
    Linear,
    Lookup,
    OneHot,
    Pair,
    Products,
    Refuse,
    Row,
    Trees,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from numpy.typing import NDArray

    from pilothouse.evaluator._kernel import Program
    from pilothouse.evaluator.ir import Form
    from pilothouse.evaluator.operations import Operation

    Arrays = tuple[NDArray[np.generic], ...]
    Parameters = tuple[int, Arrays, Arrays]

kernel: ModuleType | None
try:
    from pilothouse.evaluator import _kernel as kernel
except ImportError:  # no compiler was there when the package was installed
    kernel = None

KINDS = {Kind.NUMBER: 0, Kind.TEXT: 1, Kind.BOOLEAN: 2}


def program(form: Form, words: list[dict[str, float]]) -> Program | None:
    """
    Give the form to the kernel, which checks and copies its arrays; None where there is no kernel.

    Raises
    ------
    FormInvalidError
        When the form cannot be evaluated.
    """
    if kernel is None:
        return None
    check(form)
    try:
        made: Program = kernel.Program(
            [(KINDS[i.kind], w) for i, w in zip(form.inputs, words, strict=True)],
            [_given(o) for o in form.operations],
            [(o.column, o.labels) for o in form.outputs],
        )
    except ValueError as problem:  # a file that was mapped has changed since it was checked
        raise FormInvalidError(place="kernel", problem=str(problem)) from None
    return made


def _given(operation: Operation) -> tuple[int, int, int, int, NDArray[np.int32], Arrays, Arrays]:
    mode, floats, ints = PARAMETERS[type(operation)](operation)
    leaf_width = operation.leaves.shape[1] if isinstance(operation, Trees) else 0
    return (
        operation.code,
        mode,
        leaf_width,
        operation.width,
        np.ascontiguousarray(operation.source),
        tuple(np.ascontiguousarray(a) for a in floats),
        tuple(np.ascontiguousarray(a) for a in ints),
    )


def _trees(o: Trees) -> Parameters:
    return (
        int(o.single) | int(o.single_sum) << 1,
        (o.threshold, o.leaves, o.start),
        (o.roots, o.targets, o.feature, o.left, o.right, o.missing_left, o.categories, o.words),
    )


PARAMETERS: dict[type[Operation], Callable[..., Parameters]] = {
    Fill: lambda o: (0, (o.value, np.array([o.marker])), ()),
    Constant: lambda o: (o.function, (o.constant,), ()),
    Apply: lambda o: (o.function, (), ()),
    Pair: lambda o: (o.function, (), ()),
    Row: lambda o: (o.function, (), ()),
    Lookup: lambda o: (0, (o.keys, o.table), ()),
    OneHot: lambda _: (0, (), ()),
    Bins: lambda o: (0, (o.edges,), ()),
    Linear: lambda o: (0, (o.weights, o.bias), ()),
    Products: lambda o: (0, (), (o.ends, o.factors)),
    Distances: lambda o: (0, (o.centres, o.scales), ()),
    Interpolate: lambda o: (0, (o.x, o.y), ()),
    Refuse: lambda o: (o.reason, (), ()),
    Trees: _trees,
}
