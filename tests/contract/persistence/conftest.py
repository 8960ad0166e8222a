"""A database of each kind, with time and ids moved by hand, and values to put into it."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.events import EventType
from pilothouse.domain.ids import sortable_id
from pilothouse.persistence.engine import Database
from tests.contract.persistence.values import NOON, principal, seed

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBSCRIBERS = {
    EventType.SNAPSHOT_CREATED: ("starter", "reporter"),
    EventType.JOB_FINISHED: ("starter",),
}


@dataclass
class HandClock:
    """Stands still until it is moved."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


@dataclass
class CountingIds:
    """Ids in the order of their making, whatever the clock says; from any thread."""

    numbers: Iterator[int] = field(default_factory=count)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def new(self, prefix: str) -> str:
        with self.lock:
            number = next(self.numbers)
        return sortable_id(prefix, at=NOON, entropy=number.to_bytes(10))

    def entropy(self, size: int) -> bytes:
        return hashlib.shake_256(self.new("ent").encode()).digest(size)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


@pytest.fixture
def database(database_url: str, clock: HandClock, ids: CountingIds) -> Iterator[Database]:
    connected = Database.connect(database_url, subscribers=SUBSCRIBERS, clock=clock, ids=ids)
    yield connected
    connected.dispose()


@pytest.fixture
def company(database: Database) -> Database:
    """The database with what everything else refers to."""
    with database.open_work(principal()) as work:
        seed(work)
        work.commit(None)
    return database


@pytest.fixture
def postgresql_company(
    postgresql_url: str, clock: HandClock, ids: CountingIds
) -> Iterator[Database]:
    """The same on PostgreSQL alone, for what SQLite's single writer rules out."""
    connected = Database.connect(postgresql_url, subscribers=SUBSCRIBERS, clock=clock, ids=ids)
    with connected.open_work(principal()) as work:
        seed(work)
        work.commit(None)
    yield connected
    connected.dispose()
