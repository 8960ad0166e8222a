"""The process of a job, with real models in their own processes."""

from __future__ import annotations

import hashlib
import json
import math
import random
import signal
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from pilothouse.domain.desired import Limits
from pilothouse.domain.jobs import FileTarget, JobKind, JobResult, JobState, TableFormat
from pilothouse.domain.locations import STAGING
from pilothouse.scoring.batch.home import started_ticks
from pilothouse.scoring.batch.main import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.batch.conftest import JobBench

ROWS = 3000
AGES = [16 + i % 80 for i in range(ROWS)]
INCOMES = [1000.0 + i * 7.3 for i in range(ROWS)]


def table(ages: list[int], incomes: list[float], form: TableFormat) -> bytes:
    stream = pa.BufferOutputStream()
    match form:
        case TableFormat.PARQUET:
            pq.write_table(pa.table({"age": ages, "income": incomes}), stream)
        case TableFormat.CSV:
            pcsv.write_csv(pa.table({"age": ages, "income": incomes}), stream)
        case TableFormat.JSONL:
            for age, income in zip(ages, incomes, strict=True):
                stream.write(json.dumps({"age": age, "income": income}).encode() + b"\n")
    return stream.getvalue().to_pybytes()  # type: ignore[no-any-return]


def plain(age: int, income: float) -> float:
    return min(1.0, age * 0.005 + income * 0.000008)


def ages(*found: int, form: TableFormat = TableFormat.CSV) -> bytes:
    return table(list(found), [1.0] * len(found), form)


@pytest.mark.parametrize("into", list(TableFormat))
@pytest.mark.parametrize("out_of", list(TableFormat))
def test_every_format_gives_every_format_the_same_answers(
    bench: JobBench, out_of: TableFormat, into: TableFormat
) -> None:
    bench.order(
        table(AGES, INCOMES, out_of),
        out_of,
        target=FileTarget(root=str(bench.root), path="deep/er/out", format=into),
        columns=("age",),
        block_rows=700,
    )

    code = bench.run()

    folder = bench.root / "deep" / "er" / "out"
    written = folder / f"part-00000.{into.value}"
    match into:
        case TableFormat.PARQUET:
            rows = pq.read_table(written).to_pylist()
        case TableFormat.CSV:
            rows = pcsv.read_csv(written).to_pylist()
        case TableFormat.JSONL:
            rows = [json.loads(line) for line in written.read_text("utf-8").splitlines()]
    assert (code, bench.report.result) == (Exit.COMPLETE, JobResult.SUCCESS)
    assert [r["age"] for r in rows] == AGES
    assert [r["score"] for r in rows] == [plain(a, i) for a, i in zip(AGES, INCOMES, strict=True)]
    manifest = json.loads((folder / "_manifest.json").read_bytes())
    for file in manifest["files"]:
        content = (folder / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])
    assert hashlib.sha256((folder / "_manifest.json").read_bytes()).hexdigest() == (
        bench.report.manifest_sha256
    )


def test_a_scikit_learn_pipeline_scores_a_file_with_a_bad_record(bench: JobBench) -> None:
    content = b"age,income,state\n34,21000.5,MA\n34,21000.5,XX\n71,,CT\n"
    bench.order(content, TableFormat.CSV, model="sklearn")

    assert bench.run() == Exit.COMPLETE

    assert bench.report.result is JobResult.PARTIAL
    scores = [line["score"] for line in bench.lines("part-00000.jsonl")]
    assert len(scores) == 2
    assert all(0 < s < 1 for s in scores)
    assert [r["row"] for r in bench.lines("_rejected.jsonl")] == [2]


def test_the_processes_leave_nothing_of_the_model(bench: JobBench) -> None:
    order = bench.order(ages(20), TableFormat.CSV)

    bench.run()

    assert not (bench.home.folder.parent / "scratch" / order.job_id).exists()
    assert (bench.home.folder / "model.log").exists()


def test_metrics_merge_the_platforms_and_the_models_own(bench: JobBench) -> None:
    content = b"age,income,truth\n20,1,0\n90,50000,1\n30,50000,1\n95,90000,0\n"
    parquet = pa.BufferOutputStream()
    pq.write_table(
        pcsv.read_csv(pa.BufferReader(content)).cast(
            pa.schema([("age", pa.int64()), ("income", pa.float64()), ("truth", pa.int64())])
        ),
        parquet,
    )
    bench.order(
        parquet.getvalue().to_pybytes(),
        TableFormat.PARQUET,
        kind=JobKind.METRICS,
        target=None,
        label="truth",
    )

    assert bench.run() == Exit.COMPLETE

    metrics = bench.report.metrics
    assert (metrics["rows"], metrics["accuracy"], metrics["own_accuracy"]) == (4, 0.75, 0.75)
    assert metrics["roc_auc"] == 0.5
    assert metrics["log_loss"] is not None
    assert math.isfinite(metrics["log_loss"])


# Failures


@pytest.mark.parametrize(
    ("age", "code", "limits"),
    [
        (98, "model-died", Limits()),
        (97, "model-timeout", Limits(score_timeout_s=1.0)),
    ],
)
def test_a_model_that_dies_or_hangs_fails_the_job_with_the_reason(
    bench: JobBench, age: int, code: str, limits: Limits
) -> None:
    bench.order(
        ages(*[20] * 50, age), TableFormat.CSV, model="temperamental", block_rows=10, limits=limits
    )

    assert bench.run() == Exit.FAILED

    report = bench.report
    assert (report.state, report.result, report.error_code) == (
        JobState.FAILED,
        JobResult.FAILURE,
        code,
    )
    assert bench.left == ["in"]
    assert not (bench.root / STAGING).exists()


def test_a_row_that_the_model_raises_on_is_kept_apart(bench: JobBench) -> None:
    bench.order(ages(*[20] * 50, 96, 21), TableFormat.CSV, model="temperamental")

    assert bench.run() == Exit.COMPLETE

    assert (bench.report.result, bench.report.progress.rows_scored) == (JobResult.PARTIAL, 51)
    (rejected,) = bench.lines("_rejected.jsonl")
    assert rejected["row"] == 51
    assert "ninety-six" in rejected["causes"][0]["message"]


@pytest.mark.parametrize(
    ("content", "form", "code"),
    [
        (b"PAR1 and nothing", TableFormat.PARQUET, "table-unreadable"),
        (table(AGES, INCOMES, TableFormat.PARQUET)[:-200], TableFormat.PARQUET, "table-unreadable"),
        (b"age\n20\n", TableFormat.CSV, "columns-differ"),
        (b'age,income\n20,"1\n', TableFormat.CSV, "table-unreadable"),
        (b"age,income\n" + b"1" * 2**24, TableFormat.CSV, "table-unreadable"),
    ],
)
def test_a_hostile_file_fails_the_job_and_leaves_nothing(
    bench: JobBench, content: bytes, form: TableFormat, code: str
) -> None:
    bench.order(content, form)

    assert bench.run() == Exit.FAILED

    assert bench.report.error_code == code
    assert bench.left == ["in"]


def test_a_link_out_of_the_location_is_refused(bench: JobBench) -> None:
    bench.order(b"", TableFormat.CSV)
    secret = bench.root.parent / "secret.csv"
    secret.write_bytes(ages(20))
    (bench.root / "in").unlink()
    (bench.root / "in").symlink_to(secret)

    assert bench.run() == Exit.FAILED

    assert bench.report.error_code == "location-refused"


def test_a_snapshot_that_is_not_there_is_named(bench: JobBench) -> None:
    bench.order(ages(20), TableFormat.CSV, digest="0" * 64)

    assert bench.run() == Exit.FAILED

    assert bench.report.error_code == "artifact-missing"


@pytest.mark.parametrize("order", [b"{}", b"no json", b'{"job_id": "../../x"}'])
def test_an_order_that_cannot_be_read_ends_in_a_report(bench: JobBench, order: bytes) -> None:
    bench.order(ages(20), TableFormat.CSV)
    (bench.home.folder / "order.json").write_bytes(order)

    assert bench.run() == Exit.FAILED

    assert (bench.report.job_id, bench.report.error_code) == ("home", "document-invalid")


def test_a_full_disk_is_told_and_leaves_nothing(bench: JobBench) -> None:
    bench.order(table(AGES, INCOMES, TableFormat.CSV), TableFormat.CSV, block_rows=500)
    limited = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"  # then a write fails like on a full disk
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))\n"
        "from pilothouse.scoring.batch.main import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )

    code = subprocess.run(
        [sys.executable, "-c", limited, "--home", str(bench.home.folder)], check=False
    ).returncode

    assert code == Exit.FAILED
    assert bench.report.error_code == "storage-failed"
    assert bench.left == ["in"]


# One process at a time, once, cancelled


def until(process: subprocess.Popen[bytes], happened: Callable[[], bool]) -> None:
    """Wait, in short turns, until something happened or the process ended."""
    for _ in range(6000):
        if happened():
            return
        try:
            process.wait(0.01)
        except subprocess.TimeoutExpired:
            continue
        return
    raise AssertionError("it never happened")


def rows_read(bench: JobBench) -> int:
    report = bench.home.report()
    return 0 if report is None else report.progress.rows_read


def slow_order(bench: JobBench) -> None:
    """Lay out a job of 200 blocks that takes seconds."""
    bench.order(
        ages(*[99, 20, 60, 40, 16] * 400),
        TableFormat.CSV,
        model="temperamental",
        columns=("age",),
        block_rows=10,
    )


def test_a_second_process_of_one_job_leaves_at_once(bench: JobBench) -> None:
    slow_order(bench)
    with bench.start() as first:
        until(first, lambda: rows_read(bench) > 0)
        process = bench.home.process()

        second = bench.run()

        assert second == Exit.BUSY
        assert process is not None
        assert (process.pid, process.started) == (first.pid, started_ticks(first.pid))
        assert bench.home.process() == process
        assert first.wait(60) == Exit.COMPLETE


@pytest.mark.parametrize("way", ["file", "signal"])
def test_a_job_is_cancelled_within_a_block_and_leaves_nothing(bench: JobBench, way: str) -> None:
    slow_order(bench)
    with bench.start() as process:
        until(process, lambda: rows_read(bench) > 0)

        if way == "file":
            (bench.home.folder / "cancel").touch()
        else:
            process.send_signal(signal.SIGTERM)

        assert process.wait(30) == Exit.CANCELLED
    assert bench.report.state is JobState.CANCELLED
    assert bench.report.progress.rows_read < 2000
    assert bench.left == ["in"]


def test_a_job_cancelled_after_its_process_was_killed_is_swept(bench: JobBench) -> None:
    slow_order(bench)
    with bench.start() as process:
        until(process, lambda: rows_read(bench) > 0)
        process.kill()
    (bench.home.folder / "cancel").touch()

    assert bench.run() == Exit.CANCELLED

    assert bench.left == ["in"]


def test_an_ended_job_is_not_run_again(bench: JobBench) -> None:
    bench.order(ages(20), TableFormat.CSV)
    bench.run()
    before = bench.home.process()
    (bench.home.folder / "cancel").touch()

    assert bench.run() == Exit.COMPLETE

    assert bench.home.process() == before
    assert bench.report.state is JobState.COMPLETE


def test_a_crash_between_publication_and_report_loses_nothing(bench: JobBench) -> None:
    bench.order(ages(20, 30), TableFormat.CSV)
    bench.run()
    report = bench.report
    (bench.home.folder / "report.json").unlink()

    assert bench.run() == Exit.COMPLETE

    assert bench.report == report


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_instant_a_job_publishes_once_and_rightly(bench: JobBench, seed: int) -> None:
    slow_order(bench)
    moments = random.Random(seed)  # noqa: S311  any instants will do
    for attempt in count(1):
        with bench.start() as process:
            try:
                process.wait(moments.uniform(0.1, 1.5 * attempt))
            except subprocess.TimeoutExpired:
                process.kill()
                continue
        break

    assert process.returncode == Exit.COMPLETE
    assert [line["age"] for line in bench.lines("part-00000.jsonl")] == [99, 20, 60, 40, 16] * 400
    assert bench.left == ["in", "out/_manifest.json", "out/_rejected.jsonl", "out/part-00000.jsonl"]
    assert not (bench.root / STAGING).exists()
    assert bench.report.progress.rows_scored == 2000


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from pilothouse.scoring.batch.main import main

left = int(sys.argv[1])


def watched(step):
    def take(*args, **kwargs):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **kwargs)
    return take


os.fsync, Path.rename, Path.replace = watched(os.fsync), watched(Path.rename), watched(Path.replace)
Path.mkdir, Path.rmdir = watched(Path.mkdir), watched(Path.rmdir)
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.slow
def test_killed_at_each_step_that_a_disk_sees_a_job_publishes_once(bench: JobBench) -> None:
    bench.order(ages(*range(16, 90)), TableFormat.CSV, columns=("age",), block_rows=20)
    manifests = set()
    for step in count(1):
        code = subprocess.run(
            [sys.executable, "-c", KILLED_AT, str(step), "--home", str(bench.home.folder)],
            check=False,
        ).returncode
        if (bench.root / "out").exists():
            manifests.add((bench.root / "out" / "_manifest.json").read_bytes())
        if code == Exit.COMPLETE:
            break
        assert code == -signal.SIGKILL

    assert step > 15
    assert len(manifests) == 1
    assert [line["age"] for line in bench.lines("part-00000.jsonl")] == list(range(16, 90))
    assert bench.left == ["in", "out/_manifest.json", "out/_rejected.jsonl", "out/part-00000.jsonl"]
    assert not (bench.root / STAGING).exists()


# Memory


def peak_kilobytes(bench: JobBench) -> int:
    """Run a job and give its process' peak memory, which `getrusage` would mix with its parent's."""
    program = (
        "import sys, pathlib\n"
        "from pilothouse.scoring.batch.main import main\n"
        "code = main(sys.argv[1:])\n"
        "print(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--home", str(bench.home.folder)],
        capture_output=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("form", list(TableFormat))
def test_memory_does_not_grow_with_the_file(
    make_bench: Callable[[str], JobBench], form: TableFormat
) -> None:
    peaks = []
    for times in (10, 100):
        bench = make_bench(str(times))
        content = table(AGES * times, INCOMES * times, form)
        bench.order(
            content,
            form,
            block_rows=5000,
            target=FileTarget(root=str(bench.root), path="out", format=form),
        )
        peaks.append(peak_kilobytes(bench))

    assert peaks[1] - peaks[0] < 64 * 2**10
