"""
Databases for tests: a SQLite file, and a real PostgreSQL that the tests start and stop.

Ask for `database_url` and the test runs on both, each time on an empty, migrated database; `sqlite_url`
and `postgresql_url` give one of them, `empty_database_url` a new one without tables. Where PostgreSQL is not
installed its tests are skipped with the reason; with the environment variable CI set they fail.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from pilothouse.persistence.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MISSING = (
    "PostgreSQL is not installed: no 'initdb' and 'postgres' in PATH or /usr/lib/postgresql/*/bin. "
    "Install it with `apt-get install postgresql`."
)
READY_S = 60.0
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "autovacuum_naptime": "1d",
}


@dataclass(kw_only=True)
class PostgresqlServer:
    """A PostgreSQL that belongs to this test session."""

    programs: Path
    folder: Path
    port: int
    command: list[str]
    process: subprocess.Popen[bytes]
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str) -> str:
        """Give the address of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self) -> str:
        """Make a database without tables and give its name."""
        name = f"test_{next(self.numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def clear(self, name: str) -> None:
        """Empty every table of a database, after ending whoever is still connected to it."""
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        tables = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(others, (name,))
        with psycopg.connect(self.url(name)) as connection:
            found = [row[0] for row in connection.execute(tables)]
            # Deleting a few rows takes milliseconds; TRUNCATE or a new database writes hundreds of files.
            connection.execute("SET LOCAL session_replication_role = replica")
            for table in found:
                if table != "alembic_version":
                    connection.execute(f"DELETE FROM {table}".encode())  # noqa: S608 quoted above

    def drop(self, name: str) -> None:
        """Remove a database, and whoever is still connected to it."""
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def crash(self) -> None:
        """Stop it as an accident would: no goodbye to anybody, and recovery at the next start."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=READY_S)

    def start_again(self) -> None:
        """Start it where it has stopped, and wait until it answers."""
        self.process = _process(self.command, self.folder)
        _wait_until_ready(self)

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=READY_S)
        shutil.rmtree(self.folder)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


def find_programs() -> Path | None:
    """Give the folder of the newest PostgreSQL, or None."""
    in_path = shutil.which("initdb")
    folders = [Path(in_path).resolve().parent] if in_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "postgres").exists()), None)


def start_postgresql(programs: Path, *, tuning: Mapping[str, str] = SETTINGS) -> PostgresqlServer:
    """Start a server on a free port of 127.0.0.1, as the user postgres where we are root."""
    folder = Path(tempfile.mkdtemp(prefix="pilothouse-pg-"))
    own = _as_its_user(folder)
    subprocess.run(
        [*own, programs / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust", "-E", "UTF8",
         "--locale=C", "--no-sync"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
    )  # fmt: skip
    port = _free_port()
    own_place = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder)}
    settings = {**tuning, **own_place}
    command = [*own, str(programs / "postgres"), "-D", str(folder / "data")]
    command += ["-p", str(port), *(f"--{key}={value}" for key, value in settings.items())]
    server = PostgresqlServer(
        programs=programs,
        folder=folder,
        port=port,
        command=command,
        process=_process(command, folder),
    )
    _wait_until_ready(server)
    return server


def _process(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)


def _as_its_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root; and it must not outlive a test session that was killed."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", "INT"] if setpriv else []
    if setpriv is None:
        pytest.fail(
            "As root the tests need `setpriv` (util-linux) to start PostgreSQL as its user."
        )
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    become = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [setpriv, *become, "--pdeathsig", "INT"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(server: PostgresqlServer) -> None:
    give_up = time.monotonic() + READY_S
    while True:
        try:
            psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > give_up:
                log = (server.folder / "log").read_text()
                server.stop()
                pytest.fail(f"PostgreSQL did not start:\n{log}")
            time.sleep(0.05)
        else:
            return


def programs_or_skip() -> Path:
    """Give the folder of the newest PostgreSQL; where there is none, skip, or fail in CI."""
    programs = find_programs()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return programs


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    server = start_postgresql(programs_or_skip())
    yield server
    server.stop()


@pytest.fixture
def mortal_postgresql() -> Iterator[PostgresqlServer]:
    """A server of the test's own, which keeps what it has confirmed when it crashes."""
    server = start_postgresql(programs_or_skip(), tuning={**SETTINGS, "synchronous_commit": "on"})
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_tables(postgresql_server: PostgresqlServer) -> str:
    name = postgresql_server.create()
    migrate(postgresql_server.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "pilothouse.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer, postgresql_tables: str) -> Iterator[str]:
    yield postgresql_server.url(postgresql_tables)
    postgresql_server.clear(postgresql_tables)


@pytest.fixture
def empty_postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    name = postgresql_server.create()
    yield postgresql_server.url(name)
    postgresql_server.drop(name)


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.db'}"


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=BOTH)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url
