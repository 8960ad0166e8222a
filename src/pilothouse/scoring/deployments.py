"""One deployment inside the entry: opened, kept alive, used, drained and closed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.domain.contracts import Contract
from pilothouse.domain.desired import DesiredDeployment, ObservedDeployment, ObservedState
from pilothouse.domain.errors import PilothouseError, UnavailableError
from pilothouse.scoring.lanes import (
    DeadlineExceededError,
    InlineLane,
    Lane,
    QueueFullError,
    ThreadLane,
)
from pilothouse.scoring.model_errors import (
    BlockTooLargeError,
    ModelTimeoutError,
    OutputInvalidError,
)
from pilothouse.scoring.models import OutputBrokenError, OutputContract

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from pilothouse.domain.schemas import Scalar
    from pilothouse.scoring.models import Columns, OpenModel, OpenScorer

log = logging.getLogger(__name__)


class ModelUnavailableError(UnavailableError):
    """The snapshot that should answer is not running just now."""

    code = "model-unavailable"

    def __init__(self, *, snapshot: str, state: ObservedState, retry_after_s: float) -> None:
        self.snapshot, self.state = snapshot, state
        super().__init__(
            f"Snapshot {snapshot} is {state.value} here and cannot answer. It is started by itself; "
            "send the request again.",
            retry_after_s=retry_after_s,
        )


class SnapshotFailedError(PilothouseError):
    """A model raised an error of its own; its words may hold values, so they go to the log alone."""

    code = "snapshot-failed"

    def __init__(self, *, snapshot: str) -> None:
        self.snapshot = snapshot
        super().__init__(
            f"Snapshot {snapshot} failed on these rows; its own words stand in the entry's log. "
            "Sending the same rows again will not help."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostingLimits:
    """
    How deployments are kept.

    Attributes
    ----------
    queue
        How many requests may wait for one deployment.
    retry_first_s, retry_most_s
        The pause before a failed deployment is tried again: it doubles from the first to the most.
    stable_s
        After running for so long, the next failure starts from the first pause again.
    """

    queue: int = 64
    retry_first_s: float = 1.0
    retry_most_s: float = 60.0
    stable_s: float = 60.0


class RunningModel:
    """An open model with its contracts and its lane."""

    __slots__ = ("inputs", "lane", "open", "outputs", "predictors", "since")

    def __init__(
        self, model: OpenModel, *, want: DesiredDeployment, queue: int, since: float
    ) -> None:
        self.open, self.since = model, since
        self.inputs = Contract(model.inputs)
        self.predictors = tuple(c.name for c in model.inputs.predictors)
        self.outputs = OutputContract(snapshot=want.snapshot, schema=model.outputs)
        self.lane: Lane = (
            InlineLane(model.scorer)
            if model.scorer.inline
            else ThreadLane(model.scorer, snapshot=want.snapshot, limit=queue)
        )

    def close(self) -> None:
        """Let the lane run dry, then end the model; may block."""
        self.lane.close()
        self.open.scorer.close()


class HostedDeployment:
    """
    A deployment that this entry holds; every method runs in the event loop.

    Parameters
    ----------
    want
        What the control plane asked for.
    open_scorer
        Opens its snapshot; blocks, and so runs in `executor`.
    executor
        Threads for opening; closing has the loop's own, so that it never waits for an opening.
    limits
        How it is kept.
    changed
        Called after each change of state.
    """

    def __init__(
        self,
        want: DesiredDeployment,
        *,
        open_scorer: OpenScorer,
        executor: Executor,
        limits: HostingLimits,
        changed: Callable[[], None],
    ) -> None:
        self.want, self.state, self.reason = want, ObservedState.LOADING, ""
        self.requests = self.failures = self.restarts = self.in_flight = 0
        self.running: RunningModel | None = None
        self.closed = asyncio.Event()
        self._open_scorer, self._executor = open_scorer, executor
        self._limits, self._changed = limits, changed
        self._attempts = 0
        self._retry: asyncio.TimerHandle | None = None
        self._opening: asyncio.Future[OpenModel] | None = None
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin to open the snapshot."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._opening is not None or self.state is ObservedState.DRAINING:
            return
        self._move(ObservedState.LOADING, self.reason)
        self._opening = self._loop.run_in_executor(self._executor, self._open_scorer, self.want)
        self._opening.add_done_callback(self._opened)

    def same_model(self, other: DesiredDeployment) -> bool:
        """Say whether `other` needs no other opening than this one."""
        mine, its = self.want, other
        return (mine.digest, mine.limits, mine.service, mine.snapshot) == (
            its.digest,
            its.limits,
            its.service,
            its.snapshot,
        )

    def adopt(self, want: DesiredDeployment) -> None:
        """Take over a new order for the same model; a failed one is tried again at once."""
        renewed = want.generation != self.want.generation
        self.want = want
        if renewed and self.state is ObservedState.FAILED:
            self._attempts = 0
            self.start()

    def opened(self) -> RunningModel:
        """
        Give the open model.

        Raises
        ------
        ModelUnavailableError
            When it is not running.
        """
        if self.running is None:
            raise self._unavailable()
        return self.running

    async def score(
        self, columns: Columns, rows: int, *, timeout_s: float
    ) -> Mapping[str, Sequence[Scalar]]:
        """
        Score checked columns.

        Raises
        ------
        ModelUnavailableError
            When the model is not running, or stops while it scores.
        SnapshotFailedError, OutputBrokenError
            When the model raises an error of its own, or answers what its snapshot does not promise.
        BlockTooLargeError
            When the rows are more than its process takes at once.
        QueueFullError, DeadlineExceededError
            As the lane says.
        """
        running = self.opened()
        self.in_flight += 1
        try:
            return await running.lane.score(columns, rows, timeout_s=timeout_s)
        except (QueueFullError, DeadlineExceededError, BlockTooLargeError):
            raise
        # A model may raise anything: the log has its words, the caller gets a typed error.
        except Exception as problem:
            raise self._judged(problem, running, timeout_s=timeout_s) from problem
        finally:
            self.in_flight -= 1
            if self.state is ObservedState.DRAINING and self.in_flight == 0:
                self._close()

    def _judged(
        self, problem: Exception, running: RunningModel, *, timeout_s: float
    ) -> PilothouseError:
        """Give what the caller learns of a failure; a model whose process ended is started again."""
        snapshot = self.want.snapshot
        if not running.open.scorer.alive:
            self._lost(running, problem)
            if isinstance(problem, ModelTimeoutError):
                return DeadlineExceededError(snapshot=snapshot, timeout_s=timeout_s)
            return self._unavailable()
        log.error("snapshot %s failed on a request", snapshot, exc_info=problem)
        if isinstance(problem, OutputInvalidError):
            return OutputBrokenError(snapshot=snapshot, problem=problem.problems[0])
        return SnapshotFailedError(snapshot=snapshot)

    def watch(self) -> None:
        """Notice a model that ended while nobody used it."""
        if self.running is not None and not self.running.open.scorer.alive:
            self._lost(self.running, None)

    def drain(self) -> None:
        """Finish what is in flight, then close."""
        if self.state is ObservedState.DRAINING:
            return
        if self._retry is not None:
            self._retry.cancel()
        self._move(ObservedState.DRAINING, "")
        if self.in_flight == 0 and self._opening is None:
            self._close()

    def observed(self) -> ObservedDeployment:
        """Say how it stands."""
        isolation = "" if self.running is None else self.running.open.scorer.isolation
        return ObservedDeployment(
            id=self.want.id,
            generation=self.want.generation,
            digest=self.want.digest,
            state=self.state,
            reason=self.reason,
            isolation=isolation,
            requests=self.requests,
            failures=self.failures,
        )

    def _opened(self, opening: asyncio.Future[OpenModel]) -> None:
        self._opening = None
        if opening.cancelled():
            self._gone()
            return
        problem = opening.exception()
        if problem is not None:
            self._failed(problem)
            return
        self.running = RunningModel(
            opening.result(),
            want=self.want,
            queue=self._limits.queue,
            since=self._loop.time(),
        )
        if self.state is ObservedState.DRAINING:
            self._close()
            return
        self._move(ObservedState.RUNNING, "")

    def _failed(self, problem: BaseException) -> None:
        if self.state is ObservedState.DRAINING:
            self._close()
            return
        words = problem.message if isinstance(problem, PilothouseError) else repr(problem)
        pause = self._again()
        log.error(
            "snapshot %s cannot be opened, tried again in %.1f s: %s",
            self.want.snapshot,
            pause,
            words,
            exc_info=None if isinstance(problem, PilothouseError) else problem,
        )
        self._move(ObservedState.FAILED, words)

    def _lost(self, running: RunningModel, problem: Exception | None) -> None:
        if running is not self.running:
            return
        self.running = None
        self.restarts += 1
        self._loop.run_in_executor(None, running.close)
        if self.state is ObservedState.DRAINING:
            return
        if self._loop.time() - running.since > self._limits.stable_s:
            self._attempts = 0
        pause = self._again()
        log.error(
            "the process of %s ended, started again in %.1f s: %s",
            self.want.snapshot,
            pause,
            problem or "nobody used it",
        )
        self._move(ObservedState.LOADING, "its process ended and is started again")

    def _again(self) -> float:
        longer = 2.0 ** min(self._attempts, 30)
        pause = min(self._limits.retry_most_s, self._limits.retry_first_s * longer)
        self._attempts += 1
        self._retry = self._loop.call_later(pause, self.start)
        return pause

    def _unavailable(self) -> ModelUnavailableError:
        left = 1.0 if self._retry is None else self._retry.when() - self._loop.time()
        return ModelUnavailableError(
            snapshot=self.want.snapshot, state=self.state, retry_after_s=max(1.0, left)
        )

    def _close(self) -> None:
        running, self.running = self.running, None
        if running is None:
            self._gone()
            return
        closing = self._loop.run_in_executor(None, running.close)
        closing.add_done_callback(lambda _: self._gone())

    def _gone(self) -> None:
        if not self.closed.is_set():
            self.closed.set()
            self._changed()

    def _move(self, state: ObservedState, reason: str) -> None:
        self.reason = reason
        if state is not self.state:
            log.info("%s of %s is %s", self.want.id, self.want.snapshot, state.value)
        self.state = state
        self._changed()
