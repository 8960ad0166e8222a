"""The database: opens units of work, and says what stands between it and its tables."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import exc

from pilothouse.persistence.addresses import BEGIN, DatabaseOptions, engine_for
from pilothouse.persistence.errors import DatabaseBusyError, translated
from pilothouse.persistence.schema import require_current
from pilothouse.persistence.transaction import Phase, Transaction
from pilothouse.persistence.unit_of_work import SqlUnitOfWork

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection, Engine

    from pilothouse.domain.access import Principal
    from pilothouse.domain.events import EventType
    from pilothouse.ports.clock import Clock, Ids
    from pilothouse.ports.unit_of_work import UnitOfWork


class Database:
    """
    A database that units of work are opened on, from any thread.

    On SQLite a writing unit begins with ``BEGIN IMMEDIATE``: from then on it is the only writer of the
    file. On PostgreSQL it runs in READ COMMITTED: repositories compare versions, a loaded run is locked, and
    what must not meet itself waits (keyed calls, messages of one key). A unit that raises
    `DatabaseBusyError` (a deadlock, a lock held too long) has changed nothing and may be repeated as a
    whole. A reading unit sees one moment: a WAL snapshot, or REPEATABLE READ, READ ONLY.
    """

    def __init__(self, engine: Engine, open_work: SqlOpenWork) -> None:
        self._engine, self.open_work = engine, open_work

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        subscribers: Mapping[EventType, tuple[str, ...]],
        clock: Clock,
        ids: Ids,
        options: DatabaseOptions | None = None,
    ) -> Database:
        """
        Connect to a database whose tables are at the newest revision.

        Parameters
        ----------
        url
            ``sqlite:////absolute/path.db`` or ``postgresql://user@host/name``.
        subscribers
            Who wants to hear of which events; for the others no event is kept.
        clock, ids
            Where time and ids come from.
        options
            Time-outs, connections and durability.

        Raises
        ------
        DatabaseUrlInvalidError
            When the address cannot be used.
        DatabaseUnreachableError
            When nothing answers there.
        DatabaseOutdatedError
            When the tables are of another revision; `pilothouse.persistence.schema.migrate` brings them up.
        """
        options = options or DatabaseOptions()
        engine = engine_for(url, options)
        with ExitStack() as undone:
            undone.callback(engine.dispose)
            require_current(engine)
            undone.pop_all()
        gate = WriterGate(options.busy_timeout_s if engine.dialect.name == "sqlite" else None)
        return cls(engine, SqlOpenWork(engine, gate, subscribers=subscribers, clock=clock, ids=ids))

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()


class WriterGate:
    """
    Lets one thread of this process write at a time, in the order of their coming.

    SQLite's own busy handler sleeps and tries again, which under load is slow and unfair. With no
    time-out (PostgreSQL) the gate stands open.
    """

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._owner: int | None = None

    @contextmanager
    def passed(self) -> Iterator[None]:
        """
        Wait for the writer before.

        Raises
        ------
        DatabaseBusyError
            When it takes too long.
        """
        if self._timeout_s is None:
            yield
            return
        me = threading.get_ident()
        if self._owner == me:
            raise RuntimeError("This thread has a writing unit of work open already.")
        if not self._lock.acquire(timeout=self._timeout_s):
            raise DatabaseBusyError(problem=f"waited {self._timeout_s:g} s for another writer")
        self._owner = me
        try:
            yield
        finally:
            self._owner = None
            self._lock.release()


class SqlOpenWork:
    """Opens units of work; the contract is `pilothouse.ports.unit_of_work.OpenWork`."""

    def __init__(
        self,
        engine: Engine,
        gate: WriterGate,
        *,
        subscribers: Mapping[EventType, tuple[str, ...]],
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._engine, self._gate = engine, gate
        self._subscribers, self._clock, self._ids = dict(subscribers), clock, ids

    def __call__(self, who: Principal) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction that may write."""
        return self._writing(who)

    def reading(self, who: Principal) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction that only reads, with one consistent view."""
        return self._unit(who, Phase.READING)

    @contextmanager
    def _writing(self, who: Principal) -> Iterator[UnitOfWork]:
        with self._gate.passed(), self._unit(who, Phase.WRITING) as work:
            yield work

    @contextmanager
    def _unit(self, who: Principal, phase: Phase) -> Iterator[UnitOfWork]:
        with self._connection(phase) as connection:
            transaction = Transaction(
                connection=connection, who=who, at=self._clock.now(), phase=phase
            )
            try:
                yield SqlUnitOfWork(transaction, subscribers=self._subscribers, ids=self._ids)
            finally:
                transaction.phase = Phase.ENDED

    @contextmanager
    def _connection(self, phase: Phase) -> Iterator[Connection]:
        connection = self._begun(phase)
        try:
            yield connection
        finally:
            connection.close()  # rolls back what was not committed

    def _begun(self, phase: Phase) -> Connection:
        connection: Connection | None = None
        try:
            connection = self._engine.connect()
            _begin(connection, phase)
        except exc.SQLAlchemyError as problem:
            if connection is not None:
                connection.close()
            ours = translated(problem)
            if ours is None:
                raise
            raise ours from problem
        return connection


def _begin(connection: Connection, phase: Phase) -> None:
    writes = phase is Phase.WRITING
    options: dict[str, object]
    if connection.dialect.name == "sqlite":
        options = {BEGIN: "BEGIN IMMEDIATE" if writes else "BEGIN"}
    else:
        options = {
            "isolation_level": "READ COMMITTED" if writes else "REPEATABLE READ",
            "postgresql_readonly": not writes,
        }
    connection.execution_options(**options)
    connection.begin()
