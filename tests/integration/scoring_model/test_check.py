"""Checking model folders, whole and real."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.plain import from_plain, to_plain
from pilothouse.domain.policies import ModelPolicy
from pilothouse.scoring.check import (
    CheckOrder,
    CheckOutcome,
    CheckReport,
    CheckSettings,
    check_folder,
)
from pilothouse.scoring.documents import read_document, write_document
from pilothouse.scoring.folder_errors import DatasetUnknownError, RowsDisagreeError
from pilothouse.scoring.golden import ROUNDING, largest_difference, read_golden
from pilothouse.scoring.isolation import ModelProcess
from tests.models.build import (
    AGE,
    INCOME,
    SKLEARN_REQUIREMENTS,
    onnx_model,
    python_model,
    sample,
    sklearn_model,
)
from tests.models.packages import GRANTED, checked, package_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.scoring.environments import Environments

ROOT = Path(__file__).parents[3]


def change(folder: Path, **changes: object) -> Path:
    """Change fields of a folder's manifest."""
    path = folder / "pilothouse.yaml"
    path.write_text(write_document({**read_document(path.read_bytes()), **changes}))
    return folder


@pytest.mark.parametrize("build", [sklearn_model, onnx_model, python_model])
def test_a_model_folder_passes_and_its_report_is_the_same_every_time(
    build: Callable[[Path], Path], tmp_path: Path, environments: Environments
) -> None:
    folder = build(tmp_path / "model")

    report = checked(folder, environments=environments, scratch=tmp_path / "one")

    again = checked(folder, environments=environments, scratch=tmp_path / "two")
    assert report == again
    assert report.digest == report.content.digest
    inputs = [json.loads(line) for line in (folder / "golden.jsonl").read_text().splitlines()]
    assert [r.input for r in read_golden(report.golden.encode())] == inputs
    assert report.isolation.startswith("process")
    assert report.python_source == (build is python_model)


def test_golden_answers_are_the_model_s_own_alone_and_in_a_block(
    tmp_path: Path, environments: Environments
) -> None:
    folder = sklearn_model(tmp_path / "model")
    report = checked(folder, environments=environments, scratch=tmp_path / "check")
    golden = read_golden(report.golden.encode())
    columns = {n: [r.input[n] for r in golden] for n in golden[0].input}

    with ModelProcess.start(
        package_of(folder, tmp_path / "package"),
        environments.ensure(report.lock),
        scratch=tmp_path / "scratch",
    ) as model:
        block = model.score(columns, len(golden))

    assert block == {n: [r.output[n] for r in golden] for n in block}


def test_a_linear_model_differs_in_rounding_at_most_and_the_report_says_so(
    tmp_path: Path, environments: Environments
) -> None:
    frame, label = sample()
    rows = frame[["age", "income"]].fillna(1.0)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, label)
    folder = sklearn_model(tmp_path / "model", pipeline=model)
    change(folder, inputs={"columns": [AGE, INCOME]})
    golden = [{"age": 16 + n % 80, "income": n * 977.77} for n in range(200)]
    (folder / "golden.jsonl").write_text("\n".join(map(json.dumps, golden)))

    report = checked(folder, environments=environments, scratch=tmp_path / "one")
    exact = checked(
        change(folder, options={"rows_per_call": 1}),
        environments=environments,
        scratch=tmp_path / "two",
    )

    assert {f.code for f in report.findings} <= {"rows-differ-in-rounding"}
    assert exact.findings == ()
    answers = [[r.output["score"] for r in read_golden(r.golden.encode())] for r in (report, exact)]
    assert largest_difference({"score": answers[0]}, {"score": answers[1]}) <= ROUNDING


def test_rows_that_influence_one_another_are_refused(
    tmp_path: Path, environments: Environments
) -> None:
    source = "def score(rows, model):\n    return [{'score': 1 / len(rows), 'eligible': 1} for r in rows]\n"
    folder = python_model(tmp_path / "model", source=source)

    with pytest.raises(RowsDisagreeError) as caught:
        checked(folder, environments=environments, scratch=tmp_path / "scratch")

    assert (caught.value.row, caught.value.column, caught.value.alone) == (0, "score", "1.0")


def test_a_lock_that_the_folder_brings_is_used_to_the_letter(
    tmp_path: Path, environments: Environments
) -> None:
    folder = sklearn_model(tmp_path / "model")
    lock = "# ours\n" + environments.lock(SKLEARN_REQUIREMENTS)
    (folder / "requirements.lock").write_text(lock)

    report = checked(folder, environments=environments, scratch=tmp_path / "scratch")

    assert report.lock == lock


def test_the_reference_s_digest_is_part_of_the_snapshot_s(
    tmp_path: Path, environments: Environments
) -> None:
    folder = change(python_model(tmp_path / "model"), reference="acs@1", training="acs@2")

    def check(name: str, datasets: dict[str, str] | None) -> CheckReport:
        settings = CheckSettings(policy=GRANTED, datasets=datasets)
        return check_folder(
            folder,
            environments=environments,
            scratch=tmp_path / name,
            settings=settings,
            progress=lambda _: None,
        )

    known = check("known", {"acs@1": "a" * 64, "acs@2": "b" * 64})

    assert known.content.reference == "a" * 64
    assert [f.code for f in check("laptop", None).findings] == ["datasets-not-checked"]
    with pytest.raises(DatasetUnknownError) as caught:
        check("unknown", {"acs@1": "a" * 64})
    assert caught.value.dataset == "acs@2"


def _no_manifest(folder: Path) -> None:
    (folder / "pilothouse.yaml").unlink()


def _aliases(folder: Path) -> None:
    (folder / "pilothouse.yaml").write_text("a: &a [1]\nb: [*a, *a]\n")


def _no_golden(folder: Path) -> None:
    (folder / "golden.jsonl").unlink()


def _linked_golden(folder: Path) -> None:
    (folder / "golden.jsonl").unlink()
    (folder / "golden.jsonl").symlink_to("/etc/passwd")


def _golden_out_of_range(folder: Path) -> None:
    (folder / "golden.jsonl").write_text('{"age": 15, "income": 1.0}\n')


def _golden_of_another_type(folder: Path) -> None:
    (folder / "golden.jsonl").write_text('{"age": 20.0, "income": 1.0}\n')


def _linked_code(folder: Path) -> None:
    (folder / "src" / "more.py").symlink_to("/etc/passwd")


def _unhashed_lock(folder: Path) -> None:
    (folder / "requirements.lock").write_text("numpy==2.4.6\n")


def _requirement_by_path(folder: Path) -> None:
    change(folder, requirements=["./wheels/evil.whl"])


def _unknown_format(folder: Path) -> None:
    change(folder, format="pickle")


def _raising(folder: Path) -> None:
    (folder / "src" / "tiny_model.py").write_text(
        "def score(rows, model):\n    raise ValueError('no')\n"
    )
    change(folder, entry_points={"score": "tiny_model:score"})


def _no_function(folder: Path) -> None:
    change(folder, entry_points={"score": "tiny_model:other"})


def _no_code(folder: Path) -> None:
    change(folder, files={"code": "nowhere"})


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_no_manifest, "folder-refused"),
        (_aliases, "manifest-invalid"),
        (_no_golden, "folder-refused"),
        (_linked_golden, "folder-refused"),
        (_golden_out_of_range, "golden-invalid"),
        (_golden_of_another_type, "golden-invalid"),
        (_linked_code, "folder-refused"),
        (_unhashed_lock, "lock-invalid"),
        (_requirement_by_path, "requirement-refused"),
        (_unknown_format, "plugin-missing"),
        (_raising, "model-failed"),
        (_no_function, "model-load"),
        (_no_code, "folder-refused"),
    ],
)
def test_what_would_stop_the_snapshot_is_a_typed_error(
    spoil: Callable[[Path], None], code: str, tmp_path: Path, environments: Environments
) -> None:
    folder = python_model(tmp_path / "model")
    spoil(folder)

    with pytest.raises(PilothouseError) as caught:
        checked(folder, environments=environments, scratch=tmp_path / "scratch")

    assert caught.value.code == code


def run_order(order: CheckOrder, home: Path) -> tuple[CheckOutcome, str]:
    """Run the check as a process of its own."""
    (home / "order.json").write_text(json.dumps(to_plain(order)))
    command = [sys.executable, "-m", "pilothouse.scoring.check"]
    done = subprocess.run(
        [*command, "--order", home / "order.json", "--report", home / "report.json"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return from_plain(CheckOutcome, json.loads((home / "report.json").read_text())), done.stderr


def test_the_check_as_a_process_reports_the_same_as_in_this_one(
    tmp_path: Path, environments: Environments
) -> None:
    folder = python_model(tmp_path / "model")
    order = CheckOrder(
        folder=str(folder),
        environments=str(tmp_path / "environments"),
        scratch=str(tmp_path / "process"),
        policy=GRANTED,
    )

    outcome, progress = run_order(order, tmp_path)

    assert outcome.report == checked(folder, environments=environments, scratch=tmp_path / "here")
    assert outcome.failure is None
    assert "Scoring 3 golden records" in progress


def test_the_check_as_a_process_reports_a_typed_error_with_its_fields(tmp_path: Path) -> None:
    order = CheckOrder(
        folder=str(python_model(tmp_path / "model")),
        environments=str(tmp_path / "environments"),
        scratch=str(tmp_path / "scratch"),
        policy=ModelPolicy(),
    )

    outcome, _ = run_order(order, tmp_path)

    assert outcome.report is None
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.fields) == (
        "python-source-refused",
        {"format": "python"},
    )
    assert not (tmp_path / "environments").exists()
