"""A training as a job: from the order and the registered data to a model folder in the store."""

from __future__ import annotations

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.artifacts.store import open_store
from pilothouse.domain.jobs import JobProgress, JobReport, JobResult, JobState
from pilothouse.domain.training import TRAIN, NotTrainableError, TrainPlan
from pilothouse.scoring.batch.collecting import collect
from pilothouse.scoring.batch.disk import sha256_of
from pilothouse.scoring.batch.errors import SourceDigestError, SourceMissingError
from pilothouse.scoring.batch.places import open_source
from pilothouse.scoring.environments import Environments
from pilothouse.scoring.formats.contract import TrainOrder
from pilothouse.scoring.isolation import LOG_NAME, Folders, ModelProcess
from pilothouse.scoring.packages import Packages

if TYPE_CHECKING:
    from pilothouse.domain.jobs import JobOrder
    from pilothouse.scoring.batch.home import JobHome, JobSettings
    from pilothouse.scoring.batch.watch import Watch
    from pilothouse.scoring.packages import Package

LOOK_EVERY_S = 0.2
logger = logging.getLogger("pilothouse.batch")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """The scratch folder of one training: what it reads, what it writes to, and the copies of that."""

    folder: Path

    @property
    def reads(self) -> Path:
        return self.folder / "in"

    @property
    def output(self) -> Path:
        return self.folder / "out"

    @property
    def copies(self) -> Path:
        return self.folder / "copies"

    def clear(self) -> None:
        """Remove all of it, as a run that was killed left it too."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def make(self) -> None:
        for folder in (self.reads, self.output, self.copies):
            folder.mkdir(parents=True)


def train(order: JobOrder, *, home: JobHome, watch: Watch) -> JobReport:
    """
    Train a snapshot, and leave the model folder that came of it in the store.

    Raises
    ------
    PilothouseError
        When the training fails or is cancelled; nothing is named in the store then.
    """
    settings, plan = home.settings(), order.training or TrainPlan()
    package = Packages(open_store(settings.artifacts), Path(settings.packages)).fetch(order.digest)
    if TRAIN not in package.content.manifest.entry_points:
        raise NotTrainableError(snapshot=order.snapshot)
    watch.progress(JobProgress())
    room = _Room(folder=(Path(settings.scratch) / order.job_id).resolve())
    room.clear()
    room.make()
    try:
        data = _data(order, room, watch)
        figures = _trained(package, settings, order, room, _asked(plan, data, room), watch)
        watch.check()
        sha256 = _collected(order, package, settings, room)
        logger.info("trained; its files are listed in the artefact %s", sha256)
    finally:
        _keep_log(room, home)
        room.clear()
    return JobReport(
        job_id=order.job_id,
        state=JobState.COMPLETE,
        result=JobResult.SUCCESS,
        metrics=figures,
        manifest_sha256=sha256,
    )


def _asked(plan: TrainPlan, data: Path, room: _Room) -> TrainOrder:
    return TrainOrder(data=data, output=room.output, parameters=plan.parameters, seed=plan.seed)


def _data(order: JobOrder, room: _Room, watch: Watch) -> Path:
    """Copy the data, so that what is trained on is to the byte what the lineage says."""
    asked = order.source
    if asked is None:
        raise SourceMissingError(job=order.job_id)
    copy = room.reads / f"data.{asked.format.value}"
    with open_source(asked.root, asked.path) as stream, copy.open("xb") as out:
        shutil.copyfileobj(stream, out)
    with copy.open("rb") as stream:
        found = sha256_of(stream, between=watch.check)
    if asked.sha256 is not None and found != asked.sha256:
        raise SourceDigestError(path=asked.path, expected=asked.sha256, found=found)
    return copy


def _trained(
    package: Package,
    settings: JobSettings,
    order: JobOrder,
    room: _Room,
    asked: TrainOrder,
    watch: Watch,
) -> dict[str, float]:
    environments = Environments(Path(settings.environments))
    environment = environments.ensure(package.lock, python=package.content.python)
    watch.check()
    plan = order.training or TrainPlan()
    with (
        ModelProcess.start(
            package,
            environment,
            scratch=room.folder / "model",
            limits=order.limits,
            policy=settings.policy,
            folders=Folders(reads=(room.reads,), writes=(room.output,)),
        ) as model,
        ThreadPoolExecutor(1) as asking,
    ):
        answer = asking.submit(model.train, asked, timeout_s=plan.timeout_s)
        try:
            while not answer.done():
                wait((answer,), timeout=LOOK_EVERY_S)
                watch.progress(JobProgress())
        except BaseException:
            model.close()  # whoever waits for its answer now learns that there is none
            raise
        return answer.result()


def _collected(order: JobOrder, package: Package, settings: JobSettings, room: _Room) -> str:
    return collect(
        order,
        package,
        written=room.output,
        copies=room.copies,
        store=open_store(settings.artifacts),
    )


def _keep_log(room: _Room, home: JobHome) -> None:
    log = room.folder / "model" / LOG_NAME
    if log.exists():
        shutil.copyfile(log, home.folder / LOG_NAME)
