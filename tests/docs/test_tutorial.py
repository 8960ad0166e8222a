"""The tutorial: its commands are the file beside it, and that file runs."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
TUTORIAL = CHECKOUT / "docs" / "tutorial"
FENCE = re.compile(r"^```bash\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
PORTS = ("9101", "9102", "9103", "9104")


def script() -> str:
    """Give the file of the tutorial's commands."""
    return (TUTORIAL / "first_model.sh").read_text("utf-8")


def free_ports(count: int) -> list[int]:
    """Find ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def test_the_file_holds_the_page_s_commands_in_their_order() -> None:
    page = (TUTORIAL / "first-model.md").read_text("utf-8")

    _, _, commands = script().partition("set -euo pipefail\n")

    assert commands.strip() == "\n".join(FENCE.findall(page)).strip()


def test_the_tutorial_takes_a_model_to_production(tmp_path: Path) -> None:
    text = script()
    for told, free in zip(PORTS, free_ports(len(PORTS)), strict=True):
        text = text.replace(f":{told}", f":{free}")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")}
    environment = {
        **own,
        "CHECKOUT": str(CHECKOUT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PILOTHOUSE_PORT": "0",
    }

    done = subprocess.run(
        ["bash", "-c", text],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "promoted" in done.stdout
    checked = re.search(r"digest +([0-9a-f]{64})", done.stdout)
    assert checked is not None
    assert f"taken: employment-gbm@1 ({checked[1]})" in done.stderr
    assert sorted(p.name for p in (tmp_path / "results" / "2016").iterdir()) == [
        "_manifest.json",
        "_rejected.jsonl",
        "part-00000.parquet",
    ]
