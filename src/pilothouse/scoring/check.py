"""
The check of a model folder: what a laptop runs, and what the platform runs before it takes a snapshot.

``python -m pilothouse.scoring.check --order order.json --report report.json`` runs it as a process of its own that
needs no secret: the order is a `CheckOrder`, the report a `CheckOutcome`, progress goes to stderr a line a step.
The process ends with 0 when it wrote a report, whatever the report says.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping  # noqa: TC003  the codec reads the annotations
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pilothouse.domain.desired import Limits
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.plain import from_plain, to_plain
from pilothouse.domain.policies import ModelPolicy
from pilothouse.domain.snapshots import Manifest, SnapshotContent
from pilothouse.scoring.environments import RUNNING_PYTHON, Environment, Environments
from pilothouse.scoring.folder_errors import DatasetUnknownError
from pilothouse.scoring.folders import Gathered, gather, small_file
from pilothouse.scoring.formats import find_format, refuse_unfit
from pilothouse.scoring.golden import (
    MAXIMUM_BYTES,
    GoldenInputs,
    largest_difference,
    read_inputs,
    write_golden,
)
from pilothouse.scoring.isolation import ModelProcess
from pilothouse.scoring.locks import check_lock
from pilothouse.scoring.manifests import read_manifest
from pilothouse.scoring.packages import Package

CONTENT_SCHEMA = 1
LOCK_NAME = "requirements.lock"


class Severity(StrEnum):
    """How much a finding matters; what stops a snapshot is an error, not a finding."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that the author should know, and that stops nothing."""

    severity: Severity
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """
    What the check of a model folder found.

    Attributes
    ----------
    content
        What the snapshot's digest will cover.
    digest
        The snapshot's digest.
    lock
        The text of the requirements lock, UTF-8; its SHA-256 is ``content.lock``.
    golden
        The golden records with the model's answers, UTF-8; their SHA-256 is ``content.golden``.
    isolation
        What stood between the model and this machine.
    python_source
        Whether the model brings code of its own.
    """

    content: SnapshotContent
    digest: str
    lock: str
    golden: str
    isolation: str
    findings: tuple[Finding, ...]
    python_source: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOrder:
    """
    What a check needs.

    Attributes
    ----------
    folder
        The model folder.
    environments
        Where environments are kept.
    scratch
        An empty folder for this check alone.
    policy
        What the control plane grants.
    datasets
        Digests of the registered datasets by ``name@version``.
    """

    folder: str
    environments: str
    scratch: str
    policy: ModelPolicy = ModelPolicy()
    limits: Limits = Limits()
    datasets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFailure:
    """A typed error, as it passes between processes."""

    code: str
    message: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """The report, or why there is none."""

    report: CheckReport | None = None
    failure: CheckFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """
    What the control plane grants and knows.

    Attributes
    ----------
    policy
        What models may be made of.
    limits
        What the model's process may use.
    datasets
        Digests of the registered datasets by ``name@version``; None where there is nobody to ask, as on a laptop:
        a dataset that the manifest names is then a finding, and the digest is not yet the platform's.
    """

    policy: ModelPolicy = ModelPolicy()
    limits: Limits = Limits()
    datasets: Mapping[str, str] | None = None


def check_folder(
    folder: Path,
    *,
    environments: Environments,
    scratch: Path,
    settings: CheckSettings,
    progress: Callable[[str], None],
) -> CheckReport:
    """
    Check a model folder by doing everything that the platform will do with it.

    Parameters
    ----------
    folder
        The model folder, with its ``pilothouse.yaml``.
    environments
        This machine's environments.
    scratch
        An empty folder for this check alone; made where missing.
    settings
        Policy, limits and known datasets.
    progress
        Called with a line of words before every step that takes time.

    Raises
    ------
    PilothouseError
        A typed error for whatever would stop the snapshot.
    """
    manifest = read_manifest(folder)
    reference = _reference(manifest, settings.datasets)
    progress("Copying and hashing the declared files")
    files = scratch / "files"
    files.mkdir(parents=True)
    gathered = gather(folder, manifest, target=files)
    found = find_format(manifest.format)
    refuse_unfit(found.format, files, manifest, settings.policy)
    golden = read_inputs(small_file(folder, manifest.golden, limit=MAXIMUM_BYTES), manifest.inputs)
    lock = _lock(folder, manifest, environments, progress)
    progress("Building the environment, unless it is there")
    environment = environments.ensure(lock)
    content = _content(manifest, gathered, lock=lock, reference=reference)
    provisional = Package(
        digest=content.digest,
        content=content,
        folder=files,
        lock=lock,
        golden=folder / manifest.golden,
    )
    answers = _answers(
        provisional, environment, golden, settings=settings, scratch=scratch, progress=progress
    )
    text = write_golden(golden.records, answers.columns)
    content = _content(manifest, gathered, lock=lock, reference=reference, golden=text)
    return CheckReport(
        content=content,
        digest=content.digest,
        lock=lock,
        golden=text,
        isolation=answers.isolation,
        findings=_findings(manifest, gathered, answers, settings),
        python_source=found.format.runs_source,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answers:
    columns: Mapping[str, list[str | int | float | bool | None]]
    difference: float
    isolation: str


def _reference(manifest: Manifest, datasets: Mapping[str, str] | None) -> str | None:
    for named in (manifest.reference, manifest.training):
        if named is not None and datasets is not None and named not in datasets:
            raise DatasetUnknownError(dataset=named)
    return None if manifest.reference is None or datasets is None else datasets[manifest.reference]


def _lock(
    folder: Path, manifest: Manifest, environments: Environments, progress: Callable[[str], None]
) -> str:
    if (folder / LOCK_NAME).exists() or (folder / LOCK_NAME).is_symlink():
        lock = small_file(folder, LOCK_NAME, limit=MAXIMUM_BYTES).decode("utf-8", "replace")
        check_lock(lock, manifest.requirements)
        return lock
    progress("Locking the requirements")
    return environments.lock(manifest.requirements)


def _content(
    manifest: Manifest, gathered: Gathered, *, lock: str, reference: str | None, golden: str = ""
) -> SnapshotContent:
    return SnapshotContent(
        schema=CONTENT_SCHEMA,
        manifest=manifest,
        files=gathered.files,
        lock=hashlib.sha256(lock.encode()).hexdigest(),
        golden=hashlib.sha256(golden.encode()).hexdigest(),
        reference=reference,
        python=RUNNING_PYTHON,
    )


def _answers(
    package: Package,
    environment: Environment,
    golden: GoldenInputs,
    *,
    settings: CheckSettings,
    scratch: Path,
    progress: Callable[[str], None],
) -> _Answers:
    """Ask the model for each golden record by itself and for all together."""
    progress("Loading the model in its own process")
    with ModelProcess.start(
        package,
        environment,
        scratch=scratch / "model",
        limits=settings.limits,
        policy=settings.policy,
    ) as model:
        rows = len(golden.records)
        progress(f"Scoring {rows} golden records, one by one and as a block")
        singly = [
            model.score({n: v[r : r + 1] for n, v in golden.columns.items()}, 1)
            for r in range(rows)
        ]
        alone = {
            c.name: [s[c.name][0] for s in singly] for c in package.content.manifest.outputs.columns
        }
        difference = largest_difference(alone, model.score(golden.columns, rows))
        return _Answers(columns=alone, difference=difference, isolation=model.isolation)


def _findings(
    manifest: Manifest, gathered: Gathered, answers: _Answers, settings: CheckSettings
) -> tuple[Finding, ...]:
    findings = []
    if settings.datasets is None and (manifest.reference or manifest.training):
        words = "Its datasets were not looked up, so the platform will give it another digest."
        findings.append(Finding(severity=Severity.INFO, code="datasets-not-checked", message=words))
    if gathered.bytecode:
        words = (
            f"{gathered.bytecode} Python bytecode files were left out; they follow from the source."
        )
        findings.append(Finding(severity=Severity.INFO, code="bytecode-left-out", message=words))
    if answers.difference:
        words = (
            f"A record alone and in a block differ in rounding, by up to {answers.difference:.1e} relative. Set the "
            "option rows_per_call: 1 where answers must be equal to the last bit."
        )
        findings.append(
            Finding(severity=Severity.WARNING, code="rows-differ-in-rounding", message=words)
        )
    return tuple(findings)


def outcome(order: CheckOrder, *, progress: Callable[[str], None]) -> CheckOutcome:
    """Run an order; a typed error becomes part of the outcome, anything else is a defect and rises."""
    scratch = Path(order.scratch)
    try:
        report = check_folder(
            Path(order.folder),
            environments=Environments(Path(order.environments)),
            scratch=scratch,
            settings=CheckSettings(
                policy=order.policy, limits=order.limits, datasets=order.datasets
            ),
            progress=progress,
        )
    except PilothouseError as problem:
        fields = to_plain(problem.fields)
        return CheckOutcome(
            failure=CheckFailure(code=problem.code, message=problem.message, fields=fields)
        )
    finally:
        shutil.rmtree(scratch / "files", ignore_errors=True)
    return CheckOutcome(report=report)


def main() -> None:
    """Run the order of the command line and write its report in one step."""
    parser = argparse.ArgumentParser(prog="python -m pilothouse.scoring.check")
    parser.add_argument("--order", type=Path, required=True)
    parser.add_argument("--report", type=Path, required=True)
    given = parser.parse_args()
    order = from_plain(CheckOrder, json.loads(given.order.read_text("utf-8")))
    done = outcome(order, progress=_to_stderr)
    temporary = given.report.with_name(given.report.name + ".new")
    temporary.write_text(json.dumps(to_plain(done)), "utf-8")
    temporary.replace(given.report)


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
