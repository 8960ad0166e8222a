"""The process of a training job, with a real model that fits a line, and with ones that misbehave."""

from __future__ import annotations

import hashlib
import json
import signal
from typing import TYPE_CHECKING

import pytest

from pilothouse.artifacts.store import open_store
from pilothouse.domain.jobs import JobKind, JobResult, JobState, TableFormat
from pilothouse.domain.plain import from_plain
from pilothouse.domain.snapshots import MANIFEST_NAME
from pilothouse.domain.training import TrainedFolder, TrainPlan
from pilothouse.scoring.batch.main import Exit
from pilothouse.scoring.manifests import read_manifest
from pilothouse.testing.connectors import until
from tests.models.packages import checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pilothouse.scoring.environments import Environments
    from tests.integration.batch.conftest import JobBench

TABLE = b"age,truth\n20,0.2\n40,0.4\n60,0.6\n"


def order(
    bench: JobBench, parameters: Mapping[str, object] | None = None, *, model: str = "trainable"
) -> None:
    parameters = parameters or {}
    plan = TrainPlan(parameters=parameters, seed=7, timeout_s=2 if parameters.get("slow") else 60)
    bench.order(
        TABLE,
        TableFormat.CSV,
        kind=JobKind.TRAIN,
        model=model,
        target=None,
        training=plan,
        dataset="ages@1",
    )


def folder_of(bench: JobBench, target: Path) -> TrainedFolder:
    """Rebuild the model folder that a training left in the store."""
    store = open_store(bench.store.url)
    sha256 = bench.report.manifest_sha256
    assert sha256 is not None
    found = from_plain(TrainedFolder, json.loads(b"".join(store.get(sha256))))
    for entry in found.files:
        path = target / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(store.get(entry.sha256)))
    return found


def test_a_training_leaves_a_model_folder_that_passes_the_check(
    bench: JobBench, tmp_path: Path, environments: Environments
) -> None:
    order(bench)

    assert bench.run() == Exit.COMPLETE

    report = bench.report
    assert (report.state, report.result) == (JobState.COMPLETE, JobResult.SUCCESS)
    assert report.metrics == {"rows": 3.0, "seed": 7.0}
    found = folder_of(bench, tmp_path / "trained")
    assert found.digest == bench.store.digests["trainable"]
    manifest = read_manifest(tmp_path / "trained")
    assert (manifest.training, manifest.parents) == ("ages@1", ("tiny-trainable@1",))
    weights = json.loads((tmp_path / "trained" / "weights.json").read_text("utf-8"))
    assert weights["age"] == pytest.approx(0.01)
    again = checked(tmp_path / "trained", environments=environments, scratch=tmp_path / "scratch")
    assert json.loads(again.golden.splitlines()[0])["output"]["score"] == pytest.approx(0.34)


def test_what_no_training_touches_stays_to_the_byte(bench: JobBench, tmp_path: Path) -> None:
    order(bench)
    bench.run()

    found = folder_of(bench, tmp_path / "trained")

    assert [entry.path for entry in found.files] == [
        "golden.jsonl",
        MANIFEST_NAME,
        "src/tiny_model.py",
        "weights.json",
    ]
    source = (tmp_path / "trained" / "src" / "tiny_model.py").read_bytes()
    content = json.loads(b"".join(open_store(bench.store.url).get(found.digest)))
    assert hashlib.sha256(source).hexdigest() in {f["sha256"] for f in content["files"]}


@pytest.mark.parametrize(
    ("parameters", "code", "words"),
    [
        ({"do": "raise"}, "model-failed", "the data is all alike"),
        ({"do": "nothing"}, "training-output", "the output folder is empty"),
        ({"do": "link"}, "training-output", "link"),
        ({"do": "die"}, "model-died", "exit 3"),
        ({"do": "answer"}, "output-invalid", "its metrics are a str"),
        ({"do": "hang", "slow": True}, "model-timeout", "did not finish its train within 2 s"),
        ({"path": "other.json"}, "training-output", "the manifest's files name no such path"),
        ({"path": "src/tiny_model.py"}, "training-output", "it is source code"),
    ],
)
def test_a_training_that_goes_wrong_says_how_and_names_nothing(
    bench: JobBench, parameters: dict[str, object], code: str, words: str
) -> None:
    order(bench, parameters)

    assert bench.run() == Exit.FAILED

    report = bench.report
    assert (report.state, report.error_code) == (JobState.FAILED, code)
    assert words in report.error
    assert report.manifest_sha256 is None
    assert not any((bench.home.folder.parent / "scratch").iterdir())


def test_a_snapshot_without_train_is_not_trained(bench: JobBench) -> None:
    order(bench, model="plain")

    assert bench.run() == Exit.FAILED

    assert bench.report.error_code == "not-trainable"


def test_data_that_was_changed_trains_nothing(bench: JobBench) -> None:
    order(bench)
    found = bench.home.order()
    assert found.source is not None
    document = json.loads((bench.home.folder / "order.json").read_bytes())
    document["source"]["sha256"] = "0" * 64
    (bench.home.folder / "order.json").write_text(json.dumps(document), "utf-8")

    assert bench.run() == Exit.FAILED

    assert bench.report.error_code == "source-digest"


def test_a_training_that_is_told_to_stop_ends_at_once(bench: JobBench) -> None:
    order(bench, {"do": "hang"})
    with bench.start() as process:
        until(lambda: _writes(bench), bool)
        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == Exit.CANCELLED

    assert (bench.report.state, bench.report.manifest_sha256) == (JobState.CANCELLED, None)


def test_a_training_that_is_killed_is_done_again_from_the_beginning(bench: JobBench) -> None:
    order(bench, {"do": "hang"})
    with bench.start() as process:
        until(lambda: _writes(bench), bool)
        process.kill()
        process.wait(20)
    order(bench)  # the same job, which would fit this time

    assert bench.run() == Exit.COMPLETE

    assert bench.report.metrics == {"rows": 3.0, "seed": 7.0}


def _writes(bench: JobBench) -> bool:
    written = bench.home.folder.parent / "scratch" / "job_1" / "out" / "weights.json"
    return written.exists()
