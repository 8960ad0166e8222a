"""Coverage-guided fuzzing: a short run at each test, a long one by hand (``python -m tests.fuzz.feel``)."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import pytest

from tests.fuzz.apart import APART

SECONDS = 20


@pytest.mark.slow
@pytest.mark.parametrize("target", ["feel", "dmn"])
def test_coverage_guided_fuzzing_finds_no_crash_no_hang_and_no_python_object(target: str) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed: it has wheels for Linux only")

    limits = (f"-max_total_time={SECONDS}", "-timeout=10")
    done = subprocess.run(
        [*APART, sys.executable, "-m", f"tests.fuzz.{target}", *limits],
        capture_output=True,
        text=True,
        timeout=SECONDS * 5,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-4000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs is not None
    assert int(runs[1]) > 500
