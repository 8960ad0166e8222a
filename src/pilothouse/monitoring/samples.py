"""What every method asks of its arrays before it measures anything."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pilothouse.domain.errors import InvalidError

Floats = NDArray[np.float64]


class ShapesDifferError(InvalidError):
    """Two arrays that must go row by row are not of one length, or are not flat."""

    code = "shapes-differ"

    def __init__(self, *, first: tuple[int, ...], second: tuple[int, ...]) -> None:
        self.first, self.second = first, second
        super().__init__(
            f"The arrays have shapes {first} and {second}; give two flat arrays with one value per row."
        )


class ValuesOutsideError(InvalidError):
    """An array holds values that the method is not defined for."""

    code = "values-outside"

    def __init__(self, *, name: str, allowed: str, found: float) -> None:
        self.name, self.allowed, self.found = name, allowed, found
        super().__init__(
            f"The {name} hold {found:g}, and must be {allowed}. Leave such rows out or correct them."
        )


def paired(first: NDArray[np.generic], second: NDArray[np.generic]) -> None:
    """
    Check that two arrays go row by row.

    Raises
    ------
    ShapesDifferError
        When they are not flat or not of one length.
    """
    if first.ndim != 1 or first.shape != second.shape:
        raise ShapesDifferError(first=first.shape, second=second.shape)


def finite(values: NDArray[np.generic], *, name: str) -> Floats:
    """
    Give the values as binary64.

    Raises
    ------
    ValuesOutsideError
        When one is NaN or infinite.

    Examples
    --------
    >>> finite(np.array([1, 2]), name="labels")
    array([1., 2.])
    """
    converted = values.astype(np.float64)
    wrong = converted[~np.isfinite(converted)]
    if wrong.size:
        raise ValuesOutsideError(name=name, allowed="finite numbers", found=float(wrong[0]))
    return converted


def binary(labels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """
    Give labels of 0 and 1 (or False and True) as booleans.

    Raises
    ------
    ValuesOutsideError
        When a label is neither.

    Examples
    --------
    >>> binary(np.array([0, 1, 1]))
    array([False,  True,  True])
    """
    converted = finite(labels, name="labels")
    wrong = converted[(converted != 0.0) & (converted != 1.0)]
    if wrong.size:
        raise ValuesOutsideError(name="labels", allowed="0 or 1", found=float(wrong[0]))
    return np.equal(converted, 1.0)


def probabilities(scores: NDArray[np.generic]) -> Floats:
    """
    Give scores that are probabilities as binary64.

    Raises
    ------
    ValuesOutsideError
        When one is not finite or not in ``[0, 1]``.

    Examples
    --------
    >>> probabilities(np.array([0, 0.5]))
    array([0. , 0.5])
    """
    converted = finite(scores, name="scores")
    wrong = converted[(converted < 0.0) | (converted > 1.0)]
    if wrong.size:
        raise ValuesOutsideError(name="scores", allowed="in [0, 1]", found=float(wrong[0]))
    return converted
