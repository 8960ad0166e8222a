"""The demo, as `make demo` runs it: it ends well, leaves no process, and never removes what is not its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

CHECKOUT = Path(__file__).parents[2]
DEMO = CHECKOUT / "examples" / "employment" / "demo.py"


def demo(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the demo in a folder of the test."""
    command = [sys.executable, str(DEMO), "--folder", str(folder), *more]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=240
    )


def processes_naming(folder: Path) -> list[str]:
    """Give the command lines of the processes that name a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue  # it has ended meanwhile
        if str(folder) in words:
            found.append(words.replace("\0", " "))
    return found


@pytest.fixture(scope="module")
def shown(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run the demo once."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    return folder, demo(folder)


def test_the_demo_carries_a_model_to_production(
    shown: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, done = shown

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1000 rows both ways: 0 labels differ" in done.stdout
    assert "task-denied" in done.stdout
    assert done.stdout.count("Tell that it serves") == 2


def test_the_demo_scores_every_row_of_a_year(
    shown: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = shown
    output = folder / "results" / "2016-outreach"

    manifest = json.loads((output / "_manifest.json").read_text("utf-8"))

    rows = sum(pq.read_metadata(part).num_rows for part in output.glob("*.parquet"))
    assert (rows, manifest["rows_read"], manifest["rows_rejected"]) == (69_126, 69_126, 0)


def test_the_demo_leaves_no_process_behind(
    shown: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = shown

    assert processes_naming(folder) == []


def test_the_demo_removes_no_folder_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")

    done = demo(tmp_path)

    assert done.returncode == 1
    assert "is not of an earlier demo" in done.stdout
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "mine"


def test_stopping_what_never_ran_says_so(tmp_path: Path) -> None:
    done = demo(tmp_path / "none", "--stop")

    assert done.returncode == 1
    assert "There is no demo in" in done.stdout
