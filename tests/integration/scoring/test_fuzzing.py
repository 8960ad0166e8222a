"""Coverage-guided fuzzing of what strangers send: short here, long by hand (``python -m tests.fuzz.http``)."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import pytest

from tests.fuzz.apart import APART

SECONDS = 15


@pytest.mark.slow
@pytest.mark.parametrize("target", ["http", "tensors"])
def test_no_bytes_crash_a_decoder_or_are_read_in_two_ways(target: str) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed: it has wheels for Linux only")

    limits = [f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=700"]
    done = subprocess.run(
        [*APART, sys.executable, "-m", f"tests.fuzz.{target}", *limits],
        capture_output=True,
        text=True,
        timeout=SECONDS * 6,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-4000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs is not None
    assert int(runs[1]) > 500
