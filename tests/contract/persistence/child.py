"""A process of its own that works on a database: `child.py URL ORDER`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.persistence.engine import Database
from tests.contract.persistence import values
from tests.contract.persistence.conftest import CountingIds, HandClock

if TYPE_CHECKING:
    from pilothouse.ports.unit_of_work import UnitOfWork

ADA = values.principal()


def claim(database: Database) -> None:
    """Claim until nothing is left, and print the ids."""
    sys.stdin.readline()
    while True:
        with database.open_work(ADA) as work:
            found = work.commit(work.runs.claim(owner="child", lease_s=60, limit=2))
        if not found:
            return
        print(*(job.id for job in found))  # noqa: T201 the answer


def write(work: UnitOfWork) -> None:
    """Change rows of many kinds."""
    work.models.add(values.model("mod_child", "child"))
    work.services.add(replace(values.service("child"), title="child"))
    work.audit.record("child", noun="model", subject="mod_child", group=values.RISK, detail={})
    work.runs.write(values.stepped(work.runs.load("run_1").run))


def wait_for_death() -> None:
    """Say that all is written, and wait to be killed."""
    print("written", flush=True)  # noqa: T201 the answer
    sys.stdin.readline()


def main(url: str, order: str) -> None:
    """Do as ordered."""
    database = Database.connect(url, subscribers={}, clock=HandClock(), ids=CountingIds())
    if order == "claim":
        claim(database)
        return
    with database.open_work(ADA) as work:
        write(work)
        if order == "die-after":
            work.commit(None)
        wait_for_death()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
