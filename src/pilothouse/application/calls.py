"""Calls that may be repeated: the same key gives the same answer, and changes things once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pilothouse.domain.plain import from_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.domain.access import Principal
    from pilothouse.ports.unit_of_work import OpenWork

T = TypeVar("T")


class Calls:
    """Remember what keyed calls came to."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def answer(self, who: Principal) -> object | None:
        """
        Give the plain result of the same call made before, or None.

        Raises
        ------
        KeyReusedError
            When the caller's key came with another request.
        """
        if who.call is None:
            return None
        with self._open_work.reading(who) as work:
            return work.calls.answer(who)

    def once(self, who: Principal, kind: type[T], act: Callable[[], T]) -> T:
        """Give the former result of this keyed call, or act and let its commit keep the result."""
        former = self.answer(who)
        return act() if former is None else from_plain(kind, former)
