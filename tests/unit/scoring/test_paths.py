"""The protocol's paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.scoring.rest.paths import Resource, target_of


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/v2", (Resource.SERVER, "", None)),
        ("/v2/models", (Resource.MODELS, "", None)),
        ("/v2/models/cc-fraud", (Resource.MODEL, "cc-fraud", None)),
        ("/v2/models/cc-fraud/ready", (Resource.MODEL_READY, "cc-fraud", None)),
        ("/v2/models/cc%2Dfraud/infer", (Resource.INFER, "cc-fraud", None)),
        ("/v2/models/cc-fraud/versions/7", (Resource.MODEL, "cc-fraud", "7")),
        ("/v2/models/cc-fraud/versions/gbm@7/ready", (Resource.MODEL_READY, "cc-fraud", "gbm@7")),
    ],
)
def test_a_path_names_a_resource(path: str, target: tuple[Resource, str, str | None]) -> None:
    assert target_of(path) == target


@pytest.mark.parametrize(
    "path",
    ["/", "/v2/", "/v2/models/", "/v2/models/a/", "/v2/models/a/b", "/v2/models/a/versions/"],
)
def test_other_paths_name_nothing(path: str) -> None:
    assert target_of(path) is None


@given(st.text(max_size=60))
def test_no_path_is_a_surprise(path: str) -> None:
    target = target_of("/" + path)
    assert target is None or target.resource in Resource
