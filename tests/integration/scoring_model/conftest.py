"""Models in processes of their own, with and without a sandbox."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.desired import Limits
from pilothouse.scoring.isolation import ModelProcess
from tests.models.build import python_model
from tests.models.packages import GRANTED, package_of

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.scoring.environments import Environments

Start = Callable[..., ModelProcess]
LIMITS = Limits(memory_bytes=2**30, load_timeout_s=60.0, score_timeout_s=20.0)


@pytest.fixture(params=["process+bubblewrap", "process"])
def isolation(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Run the test in the sandbox and, on a PATH without bubblewrap, without it."""
    if request.param == "process":
        (tmp_path / "no-bin").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "no-bin"))
    elif shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    return str(request.param)


@pytest.fixture
def start(tmp_path: Path, environments: Environments) -> Iterator[Start]:
    """Start processes for model folders; all of them are ended afterwards."""
    with ExitStack() as stack:

        def begin(folder: Path, *, lock: str = "", limits: Limits = LIMITS) -> ModelProcess:
            number = len(list(tmp_path.glob("package-*")))
            return stack.enter_context(
                ModelProcess.start(
                    package_of(folder, tmp_path / f"package-{number}"),
                    environments.ensure(lock),
                    scratch=tmp_path / f"scratch-{number}",
                    limits=limits,
                    policy=GRANTED,
                )
            )

        yield begin


@pytest.fixture
def start_source(tmp_path: Path, start: Start) -> Start:
    """Start a process for a model of the given Python source."""

    def begin(source: str, *, limits: Limits = LIMITS) -> ModelProcess:
        return start(python_model(tmp_path / "model", source=source), limits=limits)

    return begin
