"""Isolation: one model in one child process, with limits, in a sandbox where the machine has one."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

from pilothouse.domain.contracts import ColumnsDifferError, Contract
from pilothouse.domain.desired import Limits
from pilothouse.domain.plain import to_plain
from pilothouse.domain.policies import ModelPolicy
from pilothouse.domain.schemas import Column, ColumnRole, DataType, OnViolation, Scalar, Schema
from pilothouse.domain.training import NotTrainableError
from pilothouse.scoring import frames
from pilothouse.scoring.answers import AnswerError, plain_metrics
from pilothouse.scoring.channel import (
    BoundedLog,
    Channel,
    ChannelClosedError,
    ChannelGarbledError,
    ChannelTimeoutError,
)
from pilothouse.scoring.formats import FoundFormat, find_format, refuse_unfit
from pilothouse.scoring.model_errors import (
    CHILD_ERRORS,
    BlockTooLargeError,
    MetricsMissingError,
    ModelDiedError,
    ModelFailedError,
    ModelLoadError,
    ModelTimeoutError,
    OutputInvalidError,
)
from pilothouse.scoring.sandbox import IsolationLevel, Sandbox, find_sandbox, interpreter_folders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.errors import PilothouseError
    from pilothouse.domain.snapshots import Manifest
    from pilothouse.scoring.environments import Environment
    from pilothouse.scoring.formats.contract import TrainOrder
    from pilothouse.scoring.packages import Package

LOG_NAME = "model.log"
END_TIMEOUT_S = 5.0
SOURCE = Path(__file__).parent.parent
START = "import sys; sys.path.insert(0, {!r}); from pilothouse.scoring.child import main; main()"
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "LOKY_MAX_CPU_COUNT",
    ),
    "1",
)


class _Spawner:
    """
    One thread that starts all children, and lives as long as this process.

    PR_SET_PDEATHSIG (prctl(2)), which bubblewrap uses too, kills a child when the *thread* that started it
    ends; a request's worker thread may end long before its process does.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="model-spawner")

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return self._threads.submit(self._start, command, environ).result()

    @staticmethod
    def _start(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own command line
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            cwd="/",
            start_new_session=True,
        )


_spawner = _Spawner()


def _renew_spawner() -> None:
    global _spawner  # noqa: PLW0603  a forked process has none of its parent's threads
    _spawner = _Spawner()


os.register_at_fork(after_in_child=_renew_spawner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Folders beside the model's own that its process may read, and those that it may write to."""

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()


class ModelProcess:
    """
    A loaded model in its own process.

    The process ends with `close`, with this process (however that ends), and when a limit is passed. It is
    also a context manager. All methods block and may be called from several threads; one call at a time is
    answered. Memory is limited per process; in a sandbox, processes that the model starts end with it.

    Attributes
    ----------
    isolation
        What stands between the model and the host: ``process+bubblewrap`` or ``process``.
    pid
        The id of the child process on this host.
    log
        The file that has what the model printed; bounded.
    """

    def __init__(
        self, package: Package, process: subprocess.Popen[bytes], *, limits: Limits, log: Path
    ) -> None:
        self.pid, self.log, self.isolation = process.pid, log, IsolationLevel.PROCESS.value
        self._manifest, self._limits, self._process = package.content.manifest, limits, process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("a model's process needs its three pipes")
        self._channel = Channel(process.stdin, process.stdout)
        self._log = BoundedLog(process.stderr, log)
        self._turn = threading.Lock()
        self._outputs = output_contract(self._manifest)
        self._has_metrics = self._has_train = self._closed = False

    @classmethod
    def start(
        cls,
        package: Package,
        environment: Environment,
        *,
        scratch: Path,
        limits: Limits = Limits(),
        policy: ModelPolicy = ModelPolicy(),
        folders: Folders = Folders(),
    ) -> Self:
        """
        Start a process and load the model in it.

        Parameters
        ----------
        package
            The snapshot.
        environment
            Where its libraries are.
        scratch
            A folder for this process alone; made where missing, kept after the end for its log.
        limits
            Memory, open files and time-outs.
        policy
            What the control plane grants.
        folders
            What it sees beside the snapshot; it can write nowhere else, where the machine has a sandbox.

        Raises
        ------
        ModelLoadError
            When the model cannot be loaded. Where the reason is known, it is a ``PickleRefusedError``,
            ``TypesRefusedError``, ``PythonSourceRefusedError``, ``ManifestUnfitError``,
            ``LibraryMissingError`` or ``PluginMissingError``.
        ModelTimeoutError
            When loading takes longer than the limit.
        ModelDiedError
            When the process ended while loading.
        """
        manifest = package.content.manifest
        found = find_format(manifest.format)
        refuse_unfit(found.format, package.folder, manifest, policy)
        sandbox = find_sandbox(environment)
        command = _command(
            sandbox,
            environment,
            runner=_runner(scratch, found),
            reads=[*_reads(package, found), *folders.reads],
            writes=folders.writes,
        )
        process = _spawner.start(command, _environ(sandbox, scratch))
        model = cls(package, process, limits=limits, log=scratch / LOG_NAME)
        model.isolation = sandbox.level.value
        model._load(_order(package, found, limits=limits, policy=policy))
        return model

    @property
    def alive(self) -> bool:
        """Whether the process runs and can be asked."""
        return self._process.poll() is None

    def score(self, columns: Mapping[str, Sequence[Scalar]], rows: int) -> dict[str, list[Scalar]]:
        """
        Ask the model; the answer has the manifest's output columns, in their order, checked.

        Parameters
        ----------
        columns
            Values that have passed the input contract, one sequence of length `rows` per column; only the
            schema's predictors reach the model, the number columns as floats.
        rows
            How many rows, at least 1.

        Raises
        ------
        ModelFailedError
            When the model raised; it stays alive.
        OutputInvalidError
            When its answer breaks the output schema; it stays alive.
        ModelTimeoutError
            When it took longer than the limit; the process is killed.
        ModelDiedError
            When the process ended, now or before.
        ColumnsDifferError
            When a predictor is missing.
        """
        ask = {"ask": frames.Ask.SCORE, "rows": rows, "columns": self._predictors(columns)}
        answer = self._ask(ask, doing="score", timeout_s=self._limits.score_timeout_s)
        return self._checked(answer.get("columns"), rows)

    def metrics(
        self,
        columns: Mapping[str, Sequence[Scalar]],
        outputs: Mapping[str, Sequence[Scalar]],
        truth: Sequence[Scalar],
    ) -> dict[str, float]:
        """
        Run the manifest's ``metrics`` entry point, within the load time-out.

        Parameters
        ----------
        columns
            The rows that were scored, as for `score`.
        outputs
            What `score` answered for them.
        truth
            The label's values, one per row.

        Raises
        ------
        MetricsMissingError
            When the manifest has none.
        """
        if not self._has_metrics:
            raise MetricsMissingError(model=self._manifest.name)
        ask = {
            "ask": frames.Ask.METRICS,
            "columns": self._predictors(columns),
            "outputs": {name: list(values) for name, values in outputs.items()},
            "truth": list(truth),
        }
        return self._figures(self._ask(ask, doing="metrics", timeout_s=self._limits.load_timeout_s))

    def train(self, order: TrainOrder, *, timeout_s: float) -> dict[str, float]:
        """
        Run the manifest's ``train`` entry point, and give the figures that it answers with.

        Raises
        ------
        NotTrainableError
            When the manifest has none.
        ModelFailedError, ModelTimeoutError, ModelDiedError
            As for `score`.
        OutputInvalidError
            When it answers with something else than named numbers.
        """
        if not self._has_train:
            raise NotTrainableError(snapshot=self._manifest.name)
        ask = {
            "ask": frames.Ask.TRAIN,
            "data": str(order.data),
            "output": str(order.output),
            "parameters": to_plain(order.parameters),
            "seed": order.seed,
        }
        return self._figures(self._ask(ask, doing="train", timeout_s=timeout_s))

    @staticmethod
    def _figures(answer: Mapping[str, Any]) -> dict[str, float]:
        try:
            return plain_metrics(answer.get("metrics"))
        except AnswerError as problem:
            raise OutputInvalidError(problems=(str(problem),), count=1) from None

    def close(self) -> None:
        """End the process; closing twice is no error."""
        self._kill()  # first: whoever waits for an answer now learns that there is none
        with self._turn:
            self._closed = True
            self._process.wait()
            self._log.finish(END_TIMEOUT_S)
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self, order: frames.LoadOrder) -> None:
        try:
            answer = self._ask(to_plain(order), doing="load", timeout_s=self._limits.load_timeout_s)
        except ModelFailedError as problem:
            self.close()
            raise ModelLoadError(exception=problem.exception, line=problem.line) from None
        except BaseException:
            self.close()
            raise
        self._has_metrics = answer.get("metrics") is True
        self._has_train = answer.get("train") is True

    def _ask(self, message: object, *, doing: str, timeout_s: float) -> dict[str, Any]:
        try:
            frame = frames.encode(message)
        except frames.FrameError:
            raise BlockTooLargeError(limit_bytes=frames.MAXIMUM_FRAME) from None
        with self._turn:
            if self._closed:
                raise ModelDiedError(exit="closed", log="")
            try:
                answer = self._channel.ask(frame, timeout_s=timeout_s)
            except ChannelTimeoutError:
                self._kill()
                raise ModelTimeoutError(doing=doing, timeout_s=timeout_s) from None
            except ChannelClosedError:
                raise self._died() from None
            except ChannelGarbledError as problem:
                self._kill()
                self._process.wait()
                raise ModelDiedError(
                    exit=f"it spoke out of turn: {problem}", log=self._log.tail()
                ) from None
        if "fault" in answer:
            _raise_fault(answer)
        return answer

    def _kill(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _died(self) -> ModelDiedError:
        """Say how the process ended; one that closed its output and stays is ended."""
        try:
            ended = _exit_words(self._process.wait(END_TIMEOUT_S))
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
            ended = "it closed its output"
        self._log.finish(END_TIMEOUT_S)
        return ModelDiedError(exit=ended, log=self._log.tail())

    def _predictors(self, columns: Mapping[str, Sequence[Scalar]]) -> dict[str, list[Scalar]]:
        predictors = self._manifest.inputs.predictors
        missing = tuple(c.name for c in predictors if c.name not in columns)
        if missing:
            raise ColumnsDifferError(missing=missing, unknown=())
        return {c.name: _in_type(c, columns[c.name]) for c in predictors}

    def _checked(self, answer: object, rows: int) -> dict[str, list[Scalar]]:
        wanted = self._manifest.outputs.columns
        names = [c.name for c in wanted]
        if not isinstance(answer, dict) or set(answer) != set(names):
            given = ", ".join(answer) if isinstance(answer, dict) else "nothing"
            problem = f"it has the columns {given} instead of {', '.join(names)}"
            raise OutputInvalidError(problems=(problem,), count=1)
        for name, values in answer.items():
            if not isinstance(values, list) or len(values) != rows:
                raise OutputInvalidError(problems=(f"{name}: not {rows} values",), count=1)
        checked = self._outputs.check(answer)
        if checked.violations:
            problems = tuple(f"row {v.row}: {v.message}" for v in checked.violations[:10])
            raise OutputInvalidError(problems=problems, count=len(checked.violations))
        return {c.name: _in_type(c, checked.columns[c.name]) for c in wanted}


def _in_type(column: Column, values: Sequence[Scalar]) -> list[Scalar]:
    """
    Give a number column's whole numbers as the floats that they equal.

    JSON writes 2 where a Parquet file holds 2.0; the model and its callers see the same value from both. The
    contract has refused whole numbers that a binary64 does not hold exactly.
    """
    if column.type is not DataType.NUMBER:
        return list(values)
    return [float(v) if type(v) is int else v for v in values]


def output_contract(manifest: Manifest) -> Contract:
    """Give the contract of a model's answers: every output column, exactly, whatever its role."""
    columns = tuple(replace(c, role=ColumnRole.PREDICTOR) for c in manifest.outputs.columns)
    return Contract(Schema(columns=columns, on_violation=OnViolation.REJECT))


def _order(
    package: Package, found: FoundFormat, *, limits: Limits, policy: ModelPolicy
) -> frames.LoadOrder:
    return frames.LoadOrder(
        folder=str(package.folder.resolve()),
        format=found.target,
        manifest=package.content.manifest,
        policy=policy,
        memory_bytes=limits.memory_bytes,
        open_files=limits.open_files,
    )


def _reads(package: Package, found: FoundFormat) -> list[Path]:
    return [package.folder.resolve(), SOURCE.resolve(), found.source.resolve()]


def _command(
    sandbox: Sandbox,
    environment: Environment,
    *,
    runner: Path,
    reads: Sequence[Path],
    writes: Sequence[Path],
) -> list[str]:
    argv = [str(environment.python), "-I", "-B", "-c", START.format(str(runner))]
    seen = [*interpreter_folders(environment), runner, *reads]
    return sandbox.command(argv, reads=seen, writes=writes)


def _runner(scratch: Path, found: FoundFormat) -> Path:
    """Make the folder of what the child may import from here: Pilothouse, and the package of its format."""
    runner = scratch.resolve() / "runner"
    runner.mkdir(parents=True, exist_ok=True)
    (scratch / "tmp").mkdir(exist_ok=True)
    for source in (SOURCE, found.source):
        link = runner / source.name
        link.unlink(missing_ok=True)
        link.symlink_to(source.resolve())
    return runner


def _environ(sandbox: Sandbox, scratch: Path) -> dict[str, str]:
    inside = sandbox.level is IsolationLevel.SANDBOX
    home = "/tmp" if inside else str(scratch.resolve() / "tmp")  # noqa: S108  its own
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        **ONE_THREAD,
    }


def _exit_words(code: int) -> str:
    number = -code if code < 0 else code - 128  # bubblewrap reports a signal as 128 + its number
    if number in set(signal.Signals):
        return signal.Signals(number).name
    return f"exit {code}"


def _raise_fault(answer: Mapping[str, Any]) -> NoReturn:
    line = str(answer.get("line", ""))
    match answer["fault"]:
        case frames.Fault.REFUSED:
            raise _refusal(answer, line)
        case frames.Fault.ANSWER:
            raise OutputInvalidError(problems=(line,), count=1)
        case _:  # also what a hostile child makes up
            raise ModelFailedError(exception=str(answer.get("exception")), line=line)


def _refusal(answer: Mapping[str, Any], line: str) -> PilothouseError:
    """Give the child's typed error again; what it says of itself is text and lists, and is not trusted further."""
    kind = CHILD_ERRORS.get(str(answer.get("code")))
    fields = answer.get("fields")
    if kind is None or not isinstance(fields, dict):
        return ModelFailedError(exception=str(answer.get("code")), line=line)
    plain = {k: tuple(map(str, v)) if isinstance(v, list) else str(v) for k, v in fields.items()}
    try:
        return kind(**plain)
    except TypeError:
        return ModelFailedError(exception=str(answer.get("code")), line=line)
