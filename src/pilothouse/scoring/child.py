"""
The child: loads one model and answers for it until its parent goes away.

Started by `pilothouse.scoring.isolation` as ``python -I -c ...`` in the model's environment, where nothing of
Pilothouse but its own source is importable; so this module and what it imports use the standard library
only, and a format imports its library when it loads.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import select
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.plain import from_plain, to_plain
from pilothouse.scoring import frames
from pilothouse.scoring.answers import AnswerError, plain_columns, plain_metrics
from pilothouse.scoring.formats.contract import TrainOrder, in_calls_of

if TYPE_CHECKING:
    from typing import BinaryIO

    from pilothouse.scoring.formats.contract import Format, Loaded

PR_SET_PDEATHSIG = 1
MAPPED_HEADROOM = 4 * 2**30
"""
Address space beyond the memory limit, for libraries' code and reserved pages. Memory that is really used is
held by RLIMIT_DATA (private writable pages, getrlimit(2)); RLIMIT_AS alone would count both and stop
onnxruntime or OpenBLAS long before they use anything.
"""


def main() -> None:
    """Serve one model on stdin and stdout."""
    with contextlib.suppress(OSError, AttributeError):  # no libc by ctypes: the watcher remains
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    asks, answers = _channel()
    first = frames.read(asks)
    if first is None:
        return
    order = from_plain(frames.LoadOrder, first)
    _limit(order)
    loaded = _load(order, answers)
    if loaded is not None:
        _serve(loaded, asks, answers)


def _channel() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to ourselves: what the model prints goes to the log, what it reads is empty."""
    asks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    threading.Thread(target=_leave_with_parent, args=(asks.fileno(),), daemon=True).start()
    return asks, answers


def _leave_with_parent(fd: int) -> None:
    """End the process when the other end of the pipe closes, whatever the model is doing."""
    gone = select.poll()
    gone.register(fd, 0)  # POLLHUP and POLLERR are always reported
    gone.poll()
    os._exit(0)


def _limit(order: frames.LoadOrder) -> None:
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, order.open_files),
        (resource.RLIMIT_FSIZE, order.memory_bytes),
        (resource.RLIMIT_DATA, order.memory_bytes),
        (resource.RLIMIT_AS, order.memory_bytes + MAPPED_HEADROOM),
    ):
        _, hard = resource.getrlimit(kind)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (wanted, wanted))


def _load(order: frames.LoadOrder, answers: BinaryIO) -> Loaded | None:
    try:
        module, _, attribute = order.format.partition(":")
        kind = cast("type[Format]", getattr(importlib.import_module(module), attribute))
        loaded = in_calls_of(
            order.manifest, kind().load(Path(order.folder), order.manifest, order.policy)
        )
    except BaseException as problem:  # noqa: BLE001  the edge: whatever a model raises, the parent is told
        _say(answers, _fault(problem))
        return None
    _say(answers, {"metrics": loaded.metrics is not None, "train": loaded.train is not None})
    return loaded


def _serve(loaded: Loaded, asks: BinaryIO, answers: BinaryIO) -> None:
    while (ask := frames.read(asks)) is not None:
        try:
            answer = _answer(loaded, ask)
        except BaseException as problem:  # noqa: BLE001  the edge: a model's SystemExit is a failed answer too
            answer = _fault(problem)
        _say(answers, answer)


def _answer(loaded: Loaded, ask: dict[str, Any]) -> dict[str, object]:
    match frames.Ask(ask["ask"]):
        case frames.Ask.SCORE:
            rows = ask["rows"]
            return {"columns": plain_columns(loaded.score(ask["columns"], rows), rows)}
        case frames.Ask.METRICS:
            if loaded.metrics is None:
                raise AnswerError("the format gave no metrics")
            figures = loaded.metrics(ask["columns"], ask["outputs"], ask["truth"])
            return {"metrics": plain_metrics(figures)}
        case frames.Ask.TRAIN:
            return {"metrics": _trained(loaded, ask)}


def _trained(loaded: Loaded, ask: dict[str, Any]) -> dict[str, float]:
    if loaded.train is None:
        raise AnswerError("the format trains nothing")
    order = TrainOrder(
        data=Path(ask["data"]),
        output=Path(ask["output"]),
        parameters=ask["parameters"],
        seed=ask["seed"],
    )
    figures = loaded.train(order)
    return {} if figures is None else plain_metrics(figures)


def _fault(problem: BaseException) -> dict[str, object]:
    """Put an exception into a frame; its traceback goes to the log."""
    traceback.print_exception(problem, file=sys.stderr)
    if isinstance(problem, PilothouseError):
        return {
            "fault": frames.Fault.REFUSED,
            "code": problem.code,
            "fields": to_plain(problem.fields),
            "line": problem.message,
        }
    kind = frames.Fault.ANSWER if isinstance(problem, AnswerError) else frames.Fault.RAISED
    last = str(problem).strip().rpartition("\n")[2]
    return {"fault": kind, "exception": type(problem).__name__, "line": last[:2000]}


def _say(answers: BinaryIO, message: dict[str, object]) -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError, OSError):  # the model closed its own streams
            stream.flush()
    try:
        frame = frames.encode(message)
    except (ValueError, MemoryError) as problem:  # too large, or a number of thousands of digits
        frame = frames.encode(_fault(AnswerError(str(problem) or "the answer is too large")))
    answers.write(frame)
    answers.flush()
