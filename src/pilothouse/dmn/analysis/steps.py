"""The steps that a search of the analysis may take, so that every analysis ends."""

from __future__ import annotations


class Steps:
    """
    The steps that a search may still take.

    Parameters
    ----------
    left
        How many.
    """

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, count: int) -> None:
        """
        Take steps.

        Raises
        ------
        GaveUpError
            When fewer are left.
        """
        self.left -= count
        if self.left < 0:
            raise GaveUpError


class GaveUpError(Exception):
    """The steps were used up: the answer is not known."""
