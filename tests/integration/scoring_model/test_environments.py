"""Environments, built by the real installer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pilothouse.scoring.environments import Environments, installer_environ
from pilothouse.scoring.model_errors import (
    EnvironmentFailedError,
    LockFailedError,
    LockInvalidError,
    PythonMissingError,
    RequirementRefusedError,
)

ROOT = Path(__file__).parents[3]
BUILD = """
import sys
from pathlib import Path
from pilothouse.scoring.environments import Environments
lock = Path(sys.argv[2]).read_text()
print(Environments(Path(sys.argv[1])).ensure(lock).python, flush=True)
"""


def runs(python: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)


def test_a_lock_pins_every_package_with_hashes_and_no_address(environments: Environments) -> None:
    lock = environments.lock(["joblib==1.6.0", "threadpoolctl==3.8.0"])

    assert "joblib==1.6.0" in lock
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert lock == environments.lock(["joblib==1.6.0", "threadpoolctl==3.8.0"])


def test_an_environment_holds_its_lock_and_nothing_else(environments: Environments) -> None:
    environment = environments.ensure(environments.lock(["threadpoolctl==3.8.0"]))

    assert runs(environment.python, "import threadpoolctl").returncode == 0
    assert runs(environment.python, "import pilothouse").returncode == 1


def test_no_requirements_give_an_environment_with_nothing(environments: Environments) -> None:
    assert environments.lock([]) == ""

    environment = environments.ensure("")

    listed = runs(
        environment.python, "import importlib.metadata as m; print(len(list(m.distributions())))"
    )
    assert listed.stdout.strip() == "0"


def test_requirements_that_cannot_be_met_or_are_refused_say_so(environments: Environments) -> None:
    with pytest.raises(RequirementRefusedError):
        environments.lock(["-e ."])
    with pytest.raises(LockFailedError) as caught:
        environments.lock(["threadpoolctl==0.0.0.1"])
    assert "threadpoolctl" in caught.value.log


def test_a_lock_whose_hash_is_wrong_builds_nothing(tmp_path: Path) -> None:
    home = Environments(tmp_path / "environments")

    with pytest.raises(EnvironmentFailedError):
        home.ensure("threadpoolctl==3.8.0 --hash=sha256:" + "0" * 64 + "\n")

    assert [p.name for p in (tmp_path / "environments").iterdir() if p.is_dir()] == []
    with pytest.raises(LockInvalidError):
        home.ensure("threadpoolctl==3.8.0\n")


def test_a_python_that_is_not_here_is_named(tmp_path: Path) -> None:
    with pytest.raises(PythonMissingError) as caught:
        Environments(tmp_path).ensure("", python="3.99")

    assert caught.value.python == "3.99"


def test_an_installer_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_TOKEN", "s3cret")
    monkeypatch.setenv("UV_PUBLISH_TOKEN", "s3cret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setenv("https_proxy", "proxy:3128")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "index")

    environ = installer_environ()

    assert "s3cret" not in environ.values()
    assert (environ["https_proxy"], environ["UV_DEFAULT_INDEX"]) == ("proxy:3128", "index")


def test_many_processes_build_an_environment_once(
    tmp_path: Path, environments: Environments
) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(environments.lock(["threadpoolctl==3.8.0", "joblib==1.6.0"]))

    def build(_: int) -> str:
        order = [sys.executable, "-c", BUILD, str(tmp_path / "home"), str(lock)]
        return subprocess.run(order, capture_output=True, text=True, check=True, cwd=ROOT).stdout

    with ThreadPoolExecutor(4) as threads:
        pythons = set(threads.map(build, range(4)))

    assert len(pythons) == 1
    assert runs(Path(pythons.pop().strip()), "import joblib, threadpoolctl").returncode == 0
    assert len([p for p in (tmp_path / "home").iterdir() if p.is_dir()]) == 1


def test_a_build_that_is_killed_at_any_moment_is_never_taken_for_whole(
    tmp_path: Path, environments: Environments
) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(environments.lock(["scipy==1.17.1"]))
    home = tmp_path / "home"
    seen = 0
    for moment in (1, 4, 40, 400):
        builder = subprocess.Popen(
            [sys.executable, "-c", BUILD, str(home), str(lock)], stdout=subprocess.DEVNULL, cwd=ROOT
        )
        with builder:
            while builder.poll() is None and files_in(home) < moment:
                time.sleep(0.001)
            seen += builder.poll() is None
            builder.send_signal(signal.SIGKILL)

    environment = Environments(home).ensure(lock.read_text())

    assert seen >= 1
    assert runs(environment.python, "import scipy.optimize").returncode == 0
    assert not list(home.glob("*.partial"))


def files_in(folder: Path) -> int:
    """Count the files that a build has made so far."""
    return sum(len(names) for _, _, names in os.walk(folder))
