"""A worker whose steps take a moment, so that it can be killed in the middle: `slow_worker.py FOLDER`."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

from pilothouse.sdk import Client, HeldJob, Pace, Worker

WORK_S = 0.15


def main(folder: Path) -> None:
    """Note each try of a job, and each effect by the job's id."""

    def work(job: HeldJob) -> None:
        with (folder / "tries").open("a") as tries:
            tries.write(f"{job.id}\n")
        time.sleep(WORK_S)  # the work itself
        job.confirm()
        (folder / f"{job.id}.effect").touch()

    logging.basicConfig(level=logging.INFO)
    client = Client(url=os.environ["PILOTHOUSE_URL"], token=os.environ["PILOTHOUSE_TOKEN"])
    pace = Pace(threads=2, lock_s=1.0, wait_s=1.0)
    with client:
        Worker(client, group="default", topics={"credit-check": work}, pace=pace).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
