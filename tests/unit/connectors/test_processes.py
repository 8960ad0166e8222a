"""Processes that are told apart from every other with their id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilothouse.connectors.local.processes import (
    Offspring,
    ProcessIdentity,
    identity_of,
    is_alive,
    send,
    wait_gone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def known(pid: int) -> ProcessIdentity:
    identity = identity_of(pid)
    assert identity is not None
    return identity


def test_a_living_process_is_known_again() -> None:
    identity = known(os.getpid())

    assert is_alive(identity)
    assert identity.start_time > 0


@pytest.mark.parametrize("change", [{"start_time": 1}, {"boot_id": "another boot"}])
def test_another_process_with_the_same_id_is_never_signalled(
    sleeper: subprocess.Popen[bytes], change: dict[str, int | str]
) -> None:
    stranger = replace(known(sleeper.pid), **change)  # type: ignore[arg-type]  # the names above are its fields

    assert not is_alive(stranger)
    assert not send(stranger, signal.SIGKILL)
    assert wait_gone(stranger, timeout_s=0)
    assert sleeper.poll() is None


def test_a_signal_reaches_the_process_that_is_meant(sleeper: subprocess.Popen[bytes]) -> None:
    identity = known(sleeper.pid)

    assert send(identity, signal.SIGTERM)

    assert sleeper.wait(timeout=20) == -signal.SIGTERM
    assert identity_of(sleeper.pid) is None
    assert not send(identity, signal.SIGTERM)


def test_waiting_tells_whether_the_process_has_gone(sleeper: subprocess.Popen[bytes]) -> None:
    identity = known(sleeper.pid)
    still_there = not wait_gone(identity, timeout_s=0)
    sleeper.kill()

    assert still_there
    assert wait_gone(identity, timeout_s=20)


def test_a_dead_child_that_nobody_has_reaped_is_dead(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert Path(f"/proc/{sleeper.pid}").exists()
    assert identity_of(sleeper.pid) is None


def test_offspring_get_a_session_the_given_variables_and_a_log(tmp_path: Path) -> None:
    offspring, log = Offspring(), tmp_path / "log"
    script = "import os; print(os.getsid(0) == os.getpid(), dict(os.environ).get('A'), len(os.listdir('/proc/self/fd')))"

    pid = offspring.start([sys.executable, "-I", "-c", script], environment={"A": "1"}, output=log)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    offspring.reap()

    # Three standard streams, and the folder that is being listed.
    assert log.read_text() == "True 1 4\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert not Path(f"/proc/{pid}").exists()
