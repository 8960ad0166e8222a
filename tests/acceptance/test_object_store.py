"""The main job with the artefacts in S3: the server and its local runtimes read and write one bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.plant import Plant, approve_all, eventually, running_plant
from tests.models.build import python_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_snapshot_in_a_bucket_goes_to_production(tmp_path: Path, bucket: dict[str, str]) -> None:
    keys = {
        "AWS_ACCESS_KEY_ID": bucket["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": bucket["secret_access_key"],
        "AWS_REGION": bucket["region"],
        "AWS_ENDPOINT_URL": bucket["endpoint"],
        "AWS_ALLOW_HTTP": "true",
    }
    environment = {
        **keys,
        "PILOTHOUSE_ARTIFACTS_URL": bucket["url"],
        "PILOTHOUSE_RUNTIME_VARIABLES": ",".join(keys),
    }
    with running_plant(tmp_path, environment=environment) as plant:
        validator = plant.validator()
        with plant.client() as client:
            client.snapshots.take(
                python_model(tmp_path / "model"), group="default", services=("online",)
            )

        outcome = eventually(lambda: outcome_of(plant, validator), what="the run ends")

        assert outcome == "promoted"
        assert not (plant.home / "artifacts").exists()


def outcome_of(plant: Plant, validator: str) -> str | None:
    approve_all(plant, validator)
    with plant.client() as client:
        assert not client.runs.incidents(), client.runs.incidents()
        (run,) = list(client.runs.list()) or (None,)
    return run.outcome if run is not None else None
