"""``python -m tests.entries.steered HOME``: a real entry process whose models are steered scorers."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

import uvloop

from pilothouse.scoring.serve import run_entry
from pilothouse.scoring.state import Home
from tests.entries.scorers import Workshop


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    home = Home(Path(sys.argv[1]))
    home.hold()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_entry(home, home.settings(), Workshop(inline=True)))


if __name__ == "__main__":
    main()
