"""A job in this process, with small models that answer for real."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pilothouse.domain.contracts import ColumnsDifferError
from pilothouse.domain.ids import JobId, ServiceTag, StageName
from pilothouse.domain.jobs import (
    FileSource,
    FileTarget,
    JobKind,
    JobOrder,
    JobReport,
    JobResult,
    JobState,
    TableFormat,
)
from pilothouse.domain.locations import STAGING
from pilothouse.domain.schemas import Column, ColumnRole, DataType, OnViolation, Scalar, Schema
from pilothouse.domain.snapshots import Manifest
from pilothouse.scoring.batch.asking import MAXIMUM_MODEL_REJECTS, Model
from pilothouse.scoring.batch.errors import (
    ColumnsCollideError,
    ColumnUntypedError,
    JobCancelledError,
    JobKindError,
    LabelMissingError,
    MetricNameError,
    MetricsTooLargeError,
    OutputExistsError,
    SourceChangedError,
    SourceDigestError,
    SourceMissingError,
    TargetMissingError,
)
from pilothouse.scoring.batch.measures import OwnMeasures
from pilothouse.scoring.batch.records import Scored
from pilothouse.scoring.batch.run import Run
from pilothouse.scoring.batch.watch import Watch
from pilothouse.scoring.model_errors import ModelDiedError, ModelFailedError
from pilothouse.scoring.tables.blocks import TableUnreadableError

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.domain.errors import PilothouseError

Columns = Mapping[str, Sequence[Scalar]]

INPUTS = Schema(
    columns=(
        Column(name="id", type=DataType.STRING, role=ColumnRole.IDENTIFIER),
        Column(name="x", type=DataType.NUMBER, minimum=0, maximum=100),
        Column(name="name", type=DataType.STRING, sensitive=True, nullable=True),
        Column(name="good", type=DataType.BOOLEAN, role=ColumnRole.LABEL, nullable=True),
    )
)
OUTPUTS = Schema(
    columns=(
        Column(name="score", type=DataType.NUMBER, role=ColumnRole.SCORE),
        Column(name="says", type=DataType.BOOLEAN),
    )
)
MANIFEST = Manifest(
    pilothouse=1,
    name="tenth",
    format="python",
    files={"code": "code"},
    inputs=INPUTS,
    outputs=OUTPUTS,
    golden="golden.jsonl",
)


class Tenth:
    """A model: a hundredth of x is the chance, and it says yes from one half on."""

    def __init__(self, *, fails: Callable[[float], bool] = lambda _: False) -> None:
        self._fails = fails
        self.calls: list[int] = []

    def score(self, columns: Columns, rows: int) -> dict[str, list[Scalar]]:
        self.calls.append(rows)
        x = [float(v) for v in columns["x"] if v is not None]
        if any(self._fails(v) for v in x):
            raise ModelFailedError(exception="ValueError", line="no such x")
        return {"score": [v / 100 for v in x], "says": [v >= 50 for v in x]}

    def metrics(
        self,
        columns: Columns,
        outputs: Columns,
        truth: Sequence[Scalar],
    ) -> dict[str, float]:
        return {"yes": float(sum(1 for t in truth if t)), "largest": float(max(columns["x"]))}  # type: ignore[arg-type, type-var]


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 1, 5, 12, tzinfo=UTC)


class Bench:
    """A root with a file, a home, and what a run needs besides."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home = folder / "root", folder / "home"
        self.root.mkdir()
        self.home.mkdir()
        self.model: Model = Tenth()
        self.manifest = MANIFEST
        self.told: list[JobReport] = []
        self.cancelled: Callable[[], bool] = lambda: False

    def order(self, content: bytes, form: TableFormat, **changes: Any) -> JobOrder:  # noqa: ANN401
        (self.root / "in").write_bytes(content)
        order = JobOrder(
            schema=1,
            job_id=JobId("job_1"),
            kind=JobKind.SCORE,
            service=ServiceTag("service"),
            stage=StageName("DEV"),
            snapshot="tenth@1",
            digest="0" * 64,
            source=FileSource(root=str(self.root), path="in", format=form),
            target=FileTarget(root=str(self.root), path="out", format=TableFormat.JSONL),
            block_rows=4,
        )
        return replace(order, **changes)

    @contextmanager
    def load(self, _: JobOrder) -> Iterator[tuple[Model, Manifest]]:
        yield self.model, self.manifest

    def run(self, order: JobOrder, *, attempt: int = 1) -> JobReport:
        watch = Watch(
            order.job_id,
            tell=self.told.append,
            cancelled=self.cancelled,
            seconds=lambda: float(len(self.told)),
        )
        return Run(
            order,
            attempt=attempt,
            home=self.home,
            load=self.load,
            clock=Noon(),
            watch=watch,
        ).run()

    def lines(self, name: str) -> list[dict[str, Any]]:
        text = (self.root / "out" / name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    @property
    def published(self) -> dict[str, Any]:
        found = json.loads((self.root / "out" / "_manifest.json").read_bytes())
        assert isinstance(found, dict)
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def csv(rows: int) -> bytes:
    lines = [f"r{i},{i},n{i},{'true' if i % 3 else 'false'}" for i in range(rows)]
    return ("id,x,name,good\n" + "\n".join(lines) + "\n").encode()


BAD = (
    b"id,x,name,good,beside\n"
    b"r1,10,Ann,true,7\n"
    b"r2,1000,Bob,true,7\n"
    b"r3\n"
    b"r4,many,Cem,true,7\n"
    b"r5,50,,true,\n"
)


def test_good_records_are_scored_in_order_and_bad_ones_kept_apart_with_their_reason(
    bench: Bench,
) -> None:
    report = bench.run(bench.order(BAD, TableFormat.CSV, columns=("beside",)))

    assert (report.state, report.result) == (JobState.COMPLETE, JobResult.PARTIAL)
    assert bench.lines("part-00000.jsonl") == [
        {"id": "r1", "beside": "7", "score": 0.1, "says": False},
        {"id": "r5", "beside": None, "score": 0.5, "says": True},
    ]
    rejected = bench.lines("_rejected.jsonl")
    assert [(r["row"], [c["code"] for c in r["causes"]]) for r in rejected] == [
        (2, ["range"]),
        (3, ["malformed"]),
        (4, ["type"]),
    ]
    assert (
        report.progress.rows_read,
        report.progress.rows_scored,
        report.progress.rows_rejected,
    ) == (5, 2, 3)


def test_sensitive_values_are_never_shown(bench: Bench) -> None:
    bench.run(bench.order(BAD, TableFormat.CSV))

    shown = (bench.root / "out" / "_rejected.jsonl").read_text(encoding="utf-8")

    assert not {"Bob", "Cem", "r3\\n"} & set(shown.split('"'))
    assert [r["record"] for r in bench.lines("_rejected.jsonl")][:2] == [
        {"id": "r2", "x": 1000.0, "name": "(hidden)"},
        "(hidden)",
    ]


def test_the_manifest_says_what_was_made_of_what(bench: Bench) -> None:
    report = bench.run(bench.order(csv(10), TableFormat.CSV))

    manifest = bench.published
    assert [(f["name"], f["rows"]) for f in manifest["files"]] == [
        ("_rejected.jsonl", 0),
        ("part-00000.jsonl", 10),
    ]
    assert manifest["columns"] == [
        {"name": "id", "type": "string"},
        {"name": "score", "type": "number"},
        {"name": "says", "type": "boolean"},
    ]
    assert (manifest["job_id"], manifest["snapshot"], manifest["digest"]) == (
        "job_1",
        "tenth@1",
        "0" * 64,
    )
    assert report.result is JobResult.SUCCESS


def test_progress_is_told_by_blocks(bench: Bench) -> None:
    bench.run(bench.order(csv(10), TableFormat.CSV))

    read = [r.progress.rows_read for r in bench.told]

    assert read == [0, 0, 4, 8, 10]


@pytest.mark.parametrize("empty", ["id,x,name\n", ""])
def test_an_empty_table_gives_an_empty_table(bench: Bench, empty: str) -> None:
    form = TableFormat.CSV if empty else TableFormat.JSONL

    report = bench.run(bench.order(empty.encode(), form))

    assert (report.result, report.progress.rows_read) == (JobResult.SUCCESS, 0)
    assert bench.lines("part-00000.jsonl") == []


def test_identifiers_may_be_absent(bench: Bench) -> None:
    bench.run(bench.order(b'{"x": 10, "name": null}\n', TableFormat.JSONL))

    assert bench.lines("part-00000.jsonl") == [{"score": 0.1, "says": False}]


def test_integers_pass_for_numbers_and_texts_do_not(bench: Bench) -> None:
    content = b'{"x": 10, "name": null}\n{"x": "10", "name": null}\n{"x": true, "name": null}\n'

    report = bench.run(bench.order(content, TableFormat.JSONL))

    assert (report.progress.rows_scored, report.progress.rows_rejected) == (1, 2)


def test_what_the_schema_flags_is_scored_and_told(bench: Bench) -> None:
    flagging = replace(INPUTS, on_violation=OnViolation.FLAG)
    bench.manifest = replace(MANIFEST, inputs=flagging)

    report = bench.run(bench.order(BAD, TableFormat.CSV))

    assert [r["row"] for r in bench.lines("_flagged.jsonl")] == [2]
    assert [r["row"] for r in bench.lines("_rejected.jsonl")] == [3, 4]
    assert (report.progress.rows_scored, bench.published["rows_flagged"]) == (3, 1)


def test_what_the_schema_coerces_is_counted(bench: Bench) -> None:
    bench.manifest = replace(MANIFEST, inputs=replace(INPUTS, on_violation=OnViolation.COERCE))

    report = bench.run(bench.order(b'{"x": "10", "name": null}\n', TableFormat.JSONL))

    assert (report.result, bench.published["values_coerced"]) == (JobResult.SUCCESS, 1)


def test_nan_in_parquet_is_refused_like_anywhere_else(bench: Bench) -> None:
    stream = io.BytesIO()
    pq.write_table(pa.table({"x": [1.0, math.nan], "name": ["a", None]}), stream)

    bench.run(bench.order(stream.getvalue(), TableFormat.PARQUET))

    (rejected,) = bench.lines("_rejected.jsonl")
    assert rejected["causes"][0]["code"] == "not-finite"
    assert rejected["record"]["x"] == "nan"


# The order and the file


@pytest.mark.parametrize(
    ("content", "changes", "error", "field"),
    [
        (b"id,x\nr,1\n", {}, ColumnsDifferError, {"missing": ("name",)}),
        (csv(1), {"columns": ("absent",)}, ColumnsDifferError, {"missing": ("absent",)}),
        (
            b"x,name,score\n1,a,2\n",
            {"columns": ("score",)},
            ColumnsCollideError,
            {"columns": ("score",)},
        ),
        (csv(1), {"target": None}, TargetMissingError, {"job": "job_1"}),
        (csv(1), {"kind": JobKind.SNAPSHOT}, JobKindError, {"kind": "snapshot"}),
        (csv(1), {"kind": JobKind.LOAD_TEST}, JobKindError, {"kind": "load-test"}),
        (csv(1), {"source": None}, SourceMissingError, {"job": "job_1"}),
        (b"", {}, TableUnreadableError, {"table": "CSV"}),
    ],
)
def test_an_order_that_cannot_be_carried_out_leaves_nothing(
    bench: Bench,
    content: bytes,
    changes: dict[str, Any],
    error: type[PilothouseError],
    field: dict[str, Any],
) -> None:
    with pytest.raises(error) as caught:
        bench.run(bench.order(content, TableFormat.CSV, **changes))

    assert field.items() <= caught.value.fields.items()
    assert sorted(p.name for p in bench.root.iterdir()) == ["in"]


def test_a_column_without_a_type_is_not_guessed(bench: Bench) -> None:
    content = b'{"x": 1, "name": null, "beside": 1}\n'

    with pytest.raises(ColumnUntypedError) as caught:
        bench.run(bench.order(content, TableFormat.JSONL, columns=("beside",)))

    assert caught.value.column == "beside"


def test_a_file_with_another_digest_is_not_read(bench: Bench) -> None:
    order = bench.order(csv(3), TableFormat.CSV)
    assert order.source is not None
    source = replace(order.source, sha256="f" * 64)

    with pytest.raises(SourceDigestError) as caught:
        bench.run(replace(order, source=source))

    assert caught.value.expected == "f" * 64
    assert sorted(p.name for p in bench.root.iterdir()) == ["in"]


def test_a_file_that_is_written_to_meanwhile_is_not_published(bench: Bench) -> None:
    order = bench.order(csv(9), TableFormat.CSV)

    def grow(_: float) -> bool:
        with (bench.root / "in").open("ab") as file:
            file.write(b"r,1,n,true\n")
        return False

    bench.model = Tenth(fails=grow)

    with pytest.raises(SourceChangedError):
        bench.run(order)

    assert not (bench.root / "out").exists()


def test_a_job_that_is_done_is_not_done_again(bench: Bench) -> None:
    order = bench.order(csv(9), TableFormat.CSV)
    first = bench.run(order)
    bench.model = Tenth(fails=lambda _: True)

    again = bench.run(order, attempt=2)

    assert again == first


def test_another_job_does_not_write_over_an_output(bench: Bench) -> None:
    order = bench.order(csv(9), TableFormat.CSV)
    bench.run(order)

    with pytest.raises(OutputExistsError):
        bench.run(replace(order, job_id=JobId("job_2")))

    assert bench.published["job_id"] == "job_1"


# Cancellation and the model's failures


@pytest.mark.parametrize("after", range(6))
def test_a_cancelled_job_leaves_nothing(bench: Bench, after: int) -> None:
    asked = iter(range(100))
    bench.cancelled = lambda: next(asked) >= after

    with pytest.raises(JobCancelledError):
        bench.run(bench.order(csv(40), TableFormat.CSV))

    assert sorted(p.name for p in bench.root.iterdir()) == ["in"]


def test_a_row_that_the_model_fails_on_costs_that_row_alone(bench: Bench) -> None:
    model = Tenth(fails=lambda x: x in (3, 40))
    bench.model = model

    report = bench.run(bench.order(csv(50), TableFormat.CSV, block_rows=16))

    assert (report.result, report.progress.rows_scored) == (JobResult.PARTIAL, 48)
    rejected = bench.lines("_rejected.jsonl")
    assert [(r["row"], r["causes"][0]["code"]) for r in rejected] == [
        (4, "model:model-failed"),
        (41, "model:model-failed"),
    ]
    assert [line["id"] for line in bench.lines("part-00000.jsonl")] == [
        f"r{i}" for i in range(50) if i not in (3, 40)
    ]


def test_a_model_that_fails_on_everything_fails_the_job(bench: Bench) -> None:
    bench.model = Tenth(fails=lambda _: True)
    many = MAXIMUM_MODEL_REJECTS + 1

    with pytest.raises(ModelFailedError):
        bench.run(bench.order(csv(101) * 1, TableFormat.CSV, block_rows=many))

    assert sorted(p.name for p in bench.root.iterdir()) == ["in"]


def test_a_model_that_dies_fails_the_job_and_leaves_nothing(bench: Bench) -> None:
    def die(x: float) -> bool:
        if x == 30:
            raise ModelDiedError(exit="SIGKILL", log="")
        return False

    bench.model = Tenth(fails=die)

    with pytest.raises(ModelDiedError):
        bench.run(bench.order(csv(50), TableFormat.CSV))

    assert sorted(p.name for p in bench.root.iterdir()) == ["in"]


def test_what_an_earlier_attempt_left_is_swept(bench: Bench) -> None:
    (bench.root / STAGING / "job_1-1").mkdir(parents=True)

    bench.run(bench.order(csv(3), TableFormat.CSV), attempt=2)

    assert not (bench.root / STAGING).exists()


# Metrics


def test_metrics_of_a_class_label(bench: Bench) -> None:
    content = b"x,name,good\n10,,false\n40,,true\n60,,false\n80,,true\n90,,\n500,,true\n"

    report = bench.run(bench.order(content, TableFormat.CSV, kind=JobKind.METRICS, target=None))

    brier = (0.1**2 + 0.6**2 + 0.6**2 + 0.2**2) / 4
    log_loss = -(math.log(0.9) + math.log(0.4) * 2 + math.log(0.8)) / 4
    assert report.metrics == {
        "rows": 4.0,
        "rows_rejected": 1.0,
        "rows_unlabelled": 1.0,
        "rejected_share": 1 / 6,
        "accuracy": 0.5,
        "positive_rate": 0.5,
        "roc_auc": 0.75,
        "log_loss": pytest.approx(log_loss),
        "brier": pytest.approx(brier),
    }
    assert (report.result, report.output) == (JobResult.PARTIAL, None)
    assert (bench.home / "_rejected.jsonl").read_text(encoding="utf-8").count("\n") == 1


def test_metrics_are_published_with_a_target(bench: Bench) -> None:
    report = bench.run(bench.order(csv(9), TableFormat.CSV, kind=JobKind.METRICS))

    assert bench.published["metrics"] == report.metrics
    assert [f["name"] for f in bench.published["files"]] == ["_rejected.jsonl"]


def test_metrics_of_a_number(bench: Bench) -> None:
    stream = io.BytesIO()
    pq.write_table(
        pa.table({"x": [10.0, 20.0, 30.0], "name": ["a"] * 3, "t": [0.1, 0.4, 0.3]}), stream
    )

    report = bench.run(
        bench.order(stream.getvalue(), TableFormat.PARQUET, kind=JobKind.METRICS, label="t")
    )

    assert report.metrics["rmse"] == pytest.approx(math.sqrt(0.04 / 3))
    assert report.metrics["mae"] == pytest.approx(0.2 / 3)
    assert report.metrics["r2"] == pytest.approx(1 - 0.04 / (0.14 / 3))


def test_what_cannot_be_measured_is_null(bench: Bench) -> None:
    report = bench.run(
        bench.order(b"x,name,good\n10,,true\n", TableFormat.CSV, kind=JobKind.METRICS)
    )

    assert (report.metrics["roc_auc"], report.metrics["accuracy"]) == (None, 0.0)


def test_no_rows_give_no_metrics(bench: Bench) -> None:
    report = bench.run(bench.order(b"x,name,good\n", TableFormat.CSV, kind=JobKind.METRICS))

    assert {name for name, value in report.metrics.items() if value is not None} == {
        "rows",
        "rows_rejected",
        "rows_unlabelled",
    }


def test_the_models_own_metrics_are_merged_in(bench: Bench) -> None:
    bench.manifest = replace(MANIFEST, entry_points={"score": "m:score", "metrics": "m:metrics"})

    report = bench.run(bench.order(csv(9), TableFormat.CSV, kind=JobKind.METRICS))

    assert (report.metrics["own_yes"], report.metrics["own_largest"]) == (6, 8)
    assert report.metrics["rows"] == 9


@pytest.mark.parametrize("name", ["1st", "Gain", "a b", ""])
def test_own_metrics_have_plain_names(bench: Bench, name: str) -> None:
    class Named(Tenth):
        def metrics(
            self, columns: Columns, outputs: Columns, truth: Sequence[Scalar]
        ) -> dict[str, float]:
            del columns, outputs, truth
            return {name: 1.0}

    bench.manifest = replace(MANIFEST, entry_points={"score": "m:score", "metrics": "m:metrics"})
    bench.model = Named()

    with pytest.raises(MetricNameError) as caught:
        bench.run(bench.order(csv(9), TableFormat.CSV, kind=JobKind.METRICS))

    assert caught.value.name == name


def test_own_metrics_of_a_table_too_large_are_refused() -> None:
    gathered = OwnMeasures(predictors=("x",), label="good", maximum_cells=6)
    two = Scored(rows=2, inputs={"x": [1, 2], "good": [True, False]}, outputs={"score": [0.1, 0.2]})
    gathered.take(two)

    with pytest.raises(MetricsTooLargeError) as caught:
        gathered.take(two)

    assert (caught.value.cells, caught.value.limit) == (12, 6)


@pytest.mark.parametrize(
    ("label", "error"), [(None, LabelMissingError), ("beside", ColumnUntypedError)]
)
def test_metrics_need_a_typed_label(
    bench: Bench, label: str | None, error: type[PilothouseError]
) -> None:
    columns = tuple(c for c in INPUTS.columns if c.role is not ColumnRole.LABEL)
    bench.manifest = replace(MANIFEST, inputs=Schema(columns=columns))

    with pytest.raises(error):
        bench.run(bench.order(BAD, TableFormat.CSV, kind=JobKind.METRICS, label=label))
