"""The check of model folders, in a process that gets no secret of the control plane."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.connectors.local.environment import passed_on
from pilothouse.domain.errors import UnavailableError
from pilothouse.domain.plain import from_plain, to_plain
from pilothouse.domain.policies import TRUSTED_SKOPS_TYPES, ModelPolicy
from pilothouse.domain.snapshots import SnapshotContent, SnapshotRefusedError
from pilothouse.ports.checker import CheckedFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.groups import Group

TIMEOUT_S = 1500.0
COMMAND = (sys.executable, "-m", "pilothouse.scoring.check")


class CheckBrokenError(UnavailableError):
    """The check's process ended without a report."""

    code = "check-broken"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The check of the model folder ended without a report: {problem}. Take it again."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """The order's file; its fields are those that ``pilothouse.scoring.check`` reads."""

    folder: str
    environments: str
    scratch: str
    policy: ModelPolicy
    datasets: Mapping[str, str]


def policy_of(group: Group) -> ModelPolicy:
    """Give what a group's models may be made of: the platform's list and what the group is granted."""
    return ModelPolicy(
        python_source=group.python_source,
        skops_types=TRUSTED_SKOPS_TYPES | frozenset(group.skops_types),
    )


class CommandChecker:
    """
    Checks folders by command line; it keeps `pilothouse.ports.checker.SnapshotChecker`.

    Parameters
    ----------
    environments
        Where this host keeps built environments.
    scratch
        A folder for the checks' files; what a killed check left there is of no use to anybody.
    environment
        The control plane's own environment, of which the allow-list is passed on.
    """

    def __init__(
        self, *, environments: Path, scratch: Path, environment: Mapping[str, str]
    ) -> None:
        self._environments, self._scratch = environments, scratch
        self._environment = passed_on(environment, granted={})

    def check(self, folder: Path, *, group: Group, references: Mapping[str, str]) -> CheckedFolder:
        """Check a folder; a refusal carries the check's own code and words."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="check-", dir=self._scratch) as made:
            home = Path(made)
            order = _Order(
                folder=str(folder),
                environments=str(self._environments),
                scratch=str(home / "scratch"),
                policy=policy_of(group),
                datasets=references,
            )
            report = self._reported(home, order)
        if report.get("failure") is not None:
            failure = report["failure"]
            raise SnapshotRefusedError(cause=failure["code"], problem=failure["message"])
        found = report["report"]
        return CheckedFolder(
            content=from_plain(SnapshotContent, found["content"]),
            lock=found["lock"].encode(),
            golden=found["golden"].encode(),
            isolation=found["isolation"],
        )

    def _reported(self, home: Path, order: _Order) -> dict[str, dict[str, str]]:
        asked, told = home / "order.json", home / "report.json"
        asked.write_text(json.dumps(to_plain(order)), encoding="utf-8")
        try:
            done = subprocess.run(  # noqa: S603 our own command, no shell
                [*COMMAND, "--order", str(asked), "--report", str(told)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise CheckBrokenError(problem=f"no end after {TIMEOUT_S:g} s") from late
        if done.returncode != 0 or not told.is_file():
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
            raise CheckBrokenError(problem=f"exit code {done.returncode}, {' / '.join(last)}")
        report: dict[str, dict[str, str]] = json.loads(told.read_text(encoding="utf-8"))
        return report
