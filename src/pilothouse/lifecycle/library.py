"""Compiled definitions, kept at hand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from pilothouse.bpmn.read import read
from pilothouse.lifecycle.expressions import FeelExpressions

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.bpmn.definition import Definition as Process
    from pilothouse.ports.unit_of_work import UnitOfWork

K = TypeVar("K")
V = TypeVar("V")


class Shelf(Generic[K, V]):
    """
    The values that were used last, at most `size` of them; any thread may ask.

    Examples
    --------
    >>> shelf = Shelf(size=1)
    >>> shelf.get("a", lambda: 1), shelf.get("a", lambda: 2), shelf.get("b", lambda: 3), len(shelf)
    (1, 1, 3, 1)
    """

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Give the value of a key, made now where it is not at hand."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = (
            make()
        )  # outside the lock: two threads may both compile, which costs time and nothing else
        with self._lock:
            self._values[key] = made
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return made


class Library:
    """
    The processes of stored definitions, compiled once.

    A stored definition's XML never changes, so its id is as good a key as its digest and saves reading
    the file.
    """

    def __init__(self, *, size: int = 128) -> None:
        self._processes: Shelf[str, Process] = Shelf(size=size)
        self._expressions = FeelExpressions()

    def process(self, work: UnitOfWork, definition_id: str) -> Process:
        """Give the process that a run was started with; its topics were checked when it was uploaded."""
        return self._processes.get(
            definition_id,
            lambda: read(work.definitions.get(definition_id).source, expressions=self._expressions),
        )
