"""How a deployment's snapshot becomes a scorer: fetched, its environment built, its process started."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.scoring.environments import Environments
from pilothouse.scoring.isolation import ModelProcess
from pilothouse.scoring.models import OpenModel
from pilothouse.scoring.packages import Packages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.desired import DesiredDeployment
    from pilothouse.domain.schemas import Scalar
    from pilothouse.ports.artifacts import ArtifactStore
    from pilothouse.scoring.models import Columns
    from pilothouse.scoring.state import EntrySettings


class ProcessScorer:
    """
    A model in its own process, as a scorer.

    Parameters
    ----------
    process
        The model's process.
    scratch
        Its scratch folder, removed with it.
    """

    inline = False

    def __init__(self, process: ModelProcess, *, scratch: Path) -> None:
        self._process, self._scratch = process, scratch

    @property
    def isolation(self) -> str:
        """What stands between the model and the host."""
        return self._process.isolation

    @property
    def alive(self) -> bool:
        """Whether the process can still be asked."""
        return self._process.alive

    def score(self, columns: Columns, rows: int) -> Mapping[str, Sequence[Scalar]]:
        """Score a table; blocks."""
        return self._process.score(columns, rows)

    def close(self) -> None:
        """End the process and remove its scratch folder."""
        self._process.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


class ModelOpener:
    """
    Opens snapshots in processes of their own; safe in several threads.

    Parameters
    ----------
    settings
        Where things are kept, and what is granted.
    store
        Where snapshots come from.
    """

    def __init__(self, settings: EntrySettings, *, store: ArtifactStore) -> None:
        self._packages = Packages(store, Path(settings.packages))
        self._environments = Environments(Path(settings.environments))
        self._policy = settings.policy
        self._scratch = Path(settings.scratch) / "models"
        self._numbers = itertools.count(1)
        shutil.rmtree(
            self._scratch, ignore_errors=True
        )  # of a process that ended without its farewell

    def __call__(self, want: DesiredDeployment) -> OpenModel:
        """
        Open a deployment's snapshot; blocks while it is fetched, built and loaded.

        Raises
        ------
        PilothouseError
            Whatever is in the way, as `Packages.fetch`, `Environments.ensure` and `ModelProcess.start` say.
        """
        package = self._packages.fetch(want.digest)
        environment = self._environments.ensure(package.lock, python=package.content.python)
        scratch = self._scratch / f"{want.id}-{next(self._numbers)}"
        scratch.mkdir(parents=True)
        process = ModelProcess.start(
            package, environment, scratch=scratch, limits=want.limits, policy=self._policy
        )
        manifest = package.content.manifest
        return OpenModel(
            scorer=ProcessScorer(process, scratch=scratch),
            inputs=manifest.inputs,
            outputs=manifest.outputs,
            platform=manifest.format,
        )
