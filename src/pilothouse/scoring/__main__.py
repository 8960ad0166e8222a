"""
The programs of the scoring side.

::

    python -m pilothouse.scoring serve --home DIR    a stage's entry, until it is told to end
    python -m pilothouse.scoring log --home DIR      the writer of an entry's prediction log; the entry starts it
    python -m pilothouse.scoring job --home DIR      one batch job

Exit codes: 0 ended in good order, 2 wrong arguments, 3 another process holds the home, 4 the home is not
usable or the address is taken.
"""

from __future__ import annotations

import argparse
import logging
import sys
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.domain.errors import PilothouseError

if TYPE_CHECKING:
    from collections.abc import Callable


class Program(StrEnum):
    """What can be run."""

    SERVE = "serve"
    LOG = "log"
    JOB = "job"


class ExitCode(IntEnum):
    """How a program ends."""

    ENDED = 0
    HOME_HELD = 3
    HOME_INVALID = 4


def main(arguments: list[str] | None = None) -> int:
    """Run a program by its name and give its exit code."""
    parser = argparse.ArgumentParser(prog="python -m pilothouse.scoring")
    parser.add_argument("program", choices=[p.value for p in Program])
    parser.add_argument("--home", type=Path, required=True, help="the folder of the entry or job")
    given = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    match Program(given.program):
        case Program.SERVE:
            return _serve(given.home)
        case Program.LOG:
            return _write_log(given.home)
        case Program.JOB:
            from pilothouse.scoring.batch.main import main as run_job  # noqa: PLC0415 only jobs need tables

            return run_job(["--home", str(given.home)])


def _serve(home: Path) -> int:
    from pilothouse.scoring.serve import serve  # noqa: PLC0415 only an entry needs a server

    return _ended(lambda: serve(home))


def _write_log(home: Path) -> int:
    from pilothouse.scoring.log.main import run  # noqa: PLC0415 only the writer needs tables
    from pilothouse.scoring.state import Home  # noqa: PLC0415

    def write() -> None:
        settings = Home(home).settings()
        run(home.absolute(), settings.log, stage=settings.stage)

    return _ended(write)


def _ended(run: Callable[[], None]) -> int:
    from pilothouse.scoring.state import HomeHeldError  # noqa: PLC0415

    log = logging.getLogger(__name__)
    try:
        run()
    except HomeHeldError as problem:
        log.error("%s", problem.message)  # noqa: TRY400 the sentence says it all
        return ExitCode.HOME_HELD
    except (PilothouseError, OSError) as problem:
        log.error("%s", getattr(problem, "message", problem))  # noqa: TRY400
        return ExitCode.HOME_INVALID
    return ExitCode.ENDED


if __name__ == "__main__":
    sys.exit(main())
