"""Carry the runs of one version of a life cycle over to another, once it is known which of them can follow."""

from __future__ import annotations

import os
import sys

from pilothouse.sdk.client import Client
from pilothouse.wire.operations import MigrateRuns, MigrationOutcome


def carry_over(client: Client, old: str, new: str, *, reason: str) -> tuple[MigrationOutcome, ...]:
    """Carry over every run that can follow; give those that cannot."""
    rehearsed = client.lifecycles.migrate(old, MigrateRuns(to=new, reason=reason, dry=True))
    stuck = tuple(outcome for outcome in rehearsed if outcome.code is not None)
    for outcome in client.lifecycles.migrate(old, MigrateRuns(to=new, reason=reason)):
        print(outcome.run_id, "follows" if outcome.migrated else outcome.problem)
    return stuck


if __name__ == "__main__":
    with Client(url=os.environ["PILOTHOUSE_URL"], token=os.environ["PILOTHOUSE_TOKEN"]) as opened:
        sys.exit(1 if carry_over(opened, *sys.argv[1:3], reason="a newer version") else 0)
