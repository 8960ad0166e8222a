"""From a model folder to what the scoring side needs: packages without a store, and snapshots in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.plain import canonical
from pilothouse.domain.policies import ModelPolicy
from pilothouse.domain.snapshots import SnapshotContent
from pilothouse.scoring.check import CheckReport, CheckSettings, check_folder
from pilothouse.scoring.folders import gather
from pilothouse.scoring.manifests import read_manifest
from pilothouse.scoring.packages import Package

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.ports.artifacts import ArtifactStore
    from pilothouse.scoring.environments import Environments

GRANTED = ModelPolicy(python_source=True)


def package_of(folder: Path, target: Path) -> Package:
    """Give a package of a model folder that nobody has checked, without lock and golden answers."""
    manifest = read_manifest(folder)
    target.mkdir(parents=True)
    content = SnapshotContent(
        schema=1,
        manifest=manifest,
        files=gather(folder, manifest, target=target).files,
        lock="0" * 64,
        golden="0" * 64,
        reference=None,
        python="3.11",
    )
    return Package(
        digest=content.digest,
        content=content,
        folder=target,
        lock="",
        golden=folder / manifest.golden,
    )


def checked(folder: Path, *, environments: Environments, scratch: Path) -> CheckReport:
    """Check a model folder under a policy that grants Python source."""
    return check_folder(
        folder,
        environments=environments,
        scratch=scratch,
        settings=CheckSettings(policy=GRANTED),
        progress=lambda _: None,
    )


def store_snapshot(folder: Path, report: CheckReport, store: ArtifactStore) -> str:
    """Put a checked folder into a store, as the platform does when it takes a snapshot; give the digest."""
    for entry in report.content.files:
        store.put([(folder / entry.path).read_bytes()], sha256=entry.sha256)
    store.put([report.lock.encode()], sha256=report.content.lock)
    store.put([report.golden.encode()], sha256=report.content.golden)
    store.put([canonical(report.content)], sha256=report.digest)
    return report.digest
