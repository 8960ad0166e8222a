"""From a snapshot's digest to its loaded model, and back to an empty scratch folder."""

from __future__ import annotations

import logging
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.artifacts.store import open_store
from pilothouse.scoring.environments import Environments
from pilothouse.scoring.isolation import LOG_NAME, ModelProcess
from pilothouse.scoring.packages import Packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.domain.jobs import JobOrder
    from pilothouse.domain.snapshots import Manifest
    from pilothouse.scoring.batch.asking import Model
    from pilothouse.scoring.batch.home import JobSettings
    from pilothouse.scoring.batch.watch import Watch

logger = logging.getLogger("pilothouse.batch")


class Loading:
    """
    Loads the snapshot of an order.

    Parameters
    ----------
    settings
        Where things are, and what the group's policy grants.
    log
        Where the model's own log is kept when the job ends.
    watch
        Asked between the steps whether to stop.
    """

    def __init__(self, settings: JobSettings, *, log: Path, watch: Watch) -> None:
        self._settings, self._log, self._watch = settings, log, watch

    @contextmanager
    def load(self, order: JobOrder) -> Iterator[tuple[Model, Manifest]]:
        """
        Fetch, build the environment, start the model's process; afterwards end it and clear what it wrote.

        Raises
        ------
        PilothouseError
            As `Packages.fetch`, `Environments.ensure` and `ModelProcess.start` do.
        """
        scratch = Path(self._settings.scratch) / order.job_id
        if scratch.exists():  # of a run that was killed
            shutil.rmtree(scratch)
        store = open_store(self._settings.artifacts)
        package = Packages(store, Path(self._settings.packages)).fetch(order.digest)
        self._watch.check()
        environments = Environments(Path(self._settings.environments))
        environment = environments.ensure(package.lock, python=package.content.python)
        self._watch.check()
        try:
            with ModelProcess.start(
                package,
                environment,
                scratch=scratch,
                limits=order.limits,
                policy=self._settings.policy,
            ) as model:
                yield model, package.content.manifest
        finally:
            self._clear(scratch)

    def _clear(self, scratch: Path) -> None:
        try:
            if (scratch / LOG_NAME).exists():
                shutil.copyfile(scratch / LOG_NAME, self._log)
            shutil.rmtree(scratch)
        except FileNotFoundError:  # the model's process was refused before it was started
            return
        except OSError as problem:  # the job's own end must not depend on this
            logger.warning("scratch %s was not cleared: %s", scratch, problem)
