"""The main job, end to end over real processes: what stands in production, and what can be proved of it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.jobs import JobKind, JobResult, TableFormat
from pilothouse.domain.locations import Place
from pilothouse.domain.snapshots import SnapshotRefusedError
from pilothouse.sdk import ScoringClient
from pilothouse.sdk.errors import ApiError
from pilothouse.sdk.scoring import EntryRefusedError
from pilothouse.wire import requests
from tests.acceptance.plant import ROWS, Plant, approve_all, eventually, running_plant
from tests.models.build import PYTHON_SOURCE, python_model

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the client's own imports warn
    from tritonclient import http as triton

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.domain.whereabouts import Whereabouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Promoted:
    """A plant in which the first snapshot has gone all the way, by both life cycles."""

    def __init__(self, plant: Plant, validator: str) -> None:
        self.plant, self.validator = plant, validator
        self.scoring_token = plant.scoring_token()

    def promote(self, folder_name: str, *, source: str, services: tuple[str, ...]) -> str:
        """Take a snapshot of a Python model and wait until its life cycles have ended."""
        folder = python_model(self.plant.folder / folder_name, source=source)
        with self.plant.client() as client:
            snapshot = client.snapshots.take(folder, group="default", services=services)
        eventually(lambda: self._ended(snapshot.name, len(services)), what="its runs end")
        return snapshot.name

    def _ended(self, snapshot: str, runs: int) -> bool | None:
        approve_all(self.plant, self.validator)
        with self.plant.client() as client:
            found = list(client.runs.list(snapshot=snapshot))
            assert not client.runs.incidents(), client.runs.incidents()
        ended = [run for run in found if run.state.value == "completed"]
        return True if len(ended) == runs else None

    def where(self, service: str) -> dict[tuple[str, str], Whereabouts]:
        """Give where a service's snapshots run, by stage and snapshot."""
        with self.plant.client() as client:
            rows = client.services.where(service)
        return {(str(row.stage), row.snapshot): row for row in rows}

    def endpoint(self, stage: str) -> str:
        """Give the address of the online service in a stage."""
        with self.plant.client() as client:
            return client.services.endpoints("online", stage)[0].url


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Promoted]:
    with running_plant(tmp_path_factory.mktemp("plant")) as plant:
        house = Promoted(plant, plant.validator())
        house.promote("first", source=PYTHON_SOURCE, services=("online", "batch"))
        yield house


def test_one_question_says_where_every_version_runs(promoted: Promoted) -> None:
    online, batch = promoted.where("online"), promoted.where("batch")
    shares = {key: row.share for key, row in online.items() if row.share is not None}
    assert shares[("PROD", "tiny-python@1")] == 1.0
    assert {stage for stage, _ in online} == {stage for stage, _ in batch}
    assert {row.mode for row in batch.values()} == {"batch"}
    assert all(row.state is DeploymentState.RUNNING for row in online.values())


def test_stock_open_inference_client_reads_metadata_and_scores_in_production(
    promoted: Promoted,
) -> None:
    address = promoted.endpoint("PROD").removeprefix("http://").partition("/")[0]
    headers = {"Authorization": f"Bearer {promoted.scoring_token}"}
    eventually(lambda: accepted(promoted), what="the entry knows the scoring token")
    client = triton.InferenceServerClient(url=address)
    metadata = client.get_model_metadata("online", headers=headers)
    inputs = []
    for tensor, values in zip(metadata["inputs"], ([40], [10_000.0]), strict=True):
        kind = np.int64 if tensor["datatype"] == "INT64" else np.float64
        given = triton.InferInput(tensor["name"], [1], tensor["datatype"])
        given.set_data_from_numpy(np.array(values, dtype=kind), binary_data=False)
        inputs.append(given)
    outputs = [triton.InferRequestedOutput("score", binary_data=False)]
    answer = client.infer("online", inputs, outputs=outputs, headers=headers)
    client.close()
    assert answer.as_numpy("score").tolist() == pytest.approx([0.28], abs=1e-12)
    assert answer.get_response()["parameters"]["snapshot"] == "tiny-python@1"


def accepted(promoted: Promoted) -> bool | None:
    scoring = ScoringClient(token=promoted.scoring_token)
    try:
        scoring.schema(promoted.endpoint("PROD"))
    except EntryRefusedError:
        return None
    finally:
        scoring.close()
    return True


def test_batch_and_rest_agree_on_the_same_rows(promoted: Promoted) -> None:
    wanted = requests.OrderJob(
        kind=JobKind.SCORE,
        snapshot="tiny-python@1",
        service="batch",
        stage="PROD",
        dataset="truth@1",
        target=Place(location="results", path="agreement"),
        target_format=TableFormat.JSONL,
        columns=("age", "income"),
    )
    with promoted.plant.client() as client:
        job = client.jobs.wait(client.jobs.order(wanted).id, timeout_s=120)
    assert (job.result, job.progress.rows_scored) == (JobResult.SUCCESS, ROWS * 4)
    lines = (promoted.plant.folder / "results/agreement/part-00000.jsonl").read_text("utf-8")
    scored = [json.loads(line) for line in lines.splitlines()]
    with (promoted.plant.folder / "data/truth.csv").open(encoding="utf-8") as opened:
        truth = list(csv.DictReader(opened))
    eventually(lambda: accepted(promoted), what="the entry knows the scoring token")
    scoring = ScoringClient(token=promoted.scoring_token)
    answer = scoring.score(
        promoted.endpoint("PROD"),
        {
            "age": [int(row["age"]) for row in truth],
            "income": [float(row["income"]) for row in truth],
        },
    )
    scoring.close()
    assert [row["score"] for row in scored] == pytest.approx(answer.columns["score"], abs=1e-12)
    assert [row["eligible"] for row in scored] == list(answer.columns["eligible"])


def test_author_may_not_approve_and_the_refusal_changes_nothing(promoted: Promoted) -> None:
    folder = python_model(
        promoted.plant.folder / "unapproved", source=PYTHON_SOURCE + "\n# another version\n"
    )
    with promoted.plant.client() as author:
        snapshot = author.snapshots.take(folder, group="default", services=("batch",))

        def waiting() -> str | None:
            tasks = [t for t in author.tasks.list(waiting=True) if t.snapshot == snapshot.name]
            return tasks[0].id if tasks else None

        task = eventually(waiting, what="the approval waits")
        with pytest.raises(ApiError) as refused:
            author.tasks.complete(task, {"decision": "approve"})
        assert refused.value.problem_code == "task-denied"
        with promoted.plant.client(promoted.validator) as validator:
            validator.tasks.complete(task, {"decision": "reject", "comment": "not yet"})

        def ended() -> str | None:
            (run,) = author.runs.list(snapshot=snapshot.name)
            return run.outcome if run.state.value == "completed" else None

        assert eventually(ended, what="the run ends") == "refused"
        approvals = [a for a in author.audit.list(noun="task") if a.subject == task]
        assert any(a.detail.get("digest") == snapshot.digest for a in approvals)
    assert ("PROD", snapshot.name) not in promoted.where("batch")


def test_next_snapshot_takes_over_and_the_past_can_be_asked_about(promoted: Promoted) -> None:
    before = promoted.where("online")[("PROD", "tiny-python@1")]
    second = promoted.promote(
        "second", source=PYTHON_SOURCE.replace("min(1.0,", "min(0.9,"), services=("online",)
    )
    now = promoted.where("online")
    assert now[("PROD", second)].share == 1.0

    def drained() -> bool | None:
        return None if ("PROD", "tiny-python@1") in promoted.where("online") else True

    eventually(drained, what="the first is withdrawn")
    taken_over = now[("PROD", second)].since
    assert before.since is not None
    assert taken_over is not None
    with promoted.plant.client() as client:
        then = client.services.where("online", at=before.since + (taken_over - before.since) / 2)
        at_first = client.services.where("online", at=before.since - (taken_over - before.since))
    production = [row for row in then if row.stage == "PROD"]
    assert [(row.snapshot, row.share) for row in production] == [("tiny-python@1", 1.0)]
    assert not [row for row in at_first if row.stage == "PROD"]


def test_laptop_check_gives_the_digest_that_the_platform_gives(promoted: Promoted) -> None:
    folder = python_model(
        promoted.plant.folder / "checked", source=PYTHON_SOURCE + "\n# to be checked\n"
    )
    with (folder / "pilothouse.yaml").open("a", encoding="utf-8") as manifest:
        manifest.write("reference: truth@1\n")
    environment = {**os.environ, "PILOTHOUSE_HOME": str(promoted.plant.home)}
    done = subprocess.run(
        [sys.executable, "-m", "pilothouse", "check", str(folder), "--python-source", "--json"],
        env=environment,
        capture_output=True,
        check=True,
    )
    with promoted.plant.client() as client:
        snapshot = client.snapshots.take(folder, group="default")
    report = json.loads(done.stdout)
    assert (report["digest"], report["findings"]) == (snapshot.digest, [])


def test_python_source_is_refused_where_the_group_is_not_granted_it(promoted: Promoted) -> None:
    folder = python_model(promoted.plant.folder / "refused", name="refused-python")
    with promoted.plant.client() as client:
        client.groups.create(requests.CreateGroup(name="strict"))
        client.models.register(requests.RegisterModel(name="refused-python", group="strict"))
        with pytest.raises(SnapshotRefusedError) as refused:
            client.snapshots.take(folder, group="strict")
        assert refused.value.cause == "python-source-refused"
        assert client.models.get("refused-python").last_number == 0
