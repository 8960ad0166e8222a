"""What a scoring process gets of the control plane's environment."""

from __future__ import annotations

import pytest

from pilothouse.connectors.local.environment import passed_on


@pytest.mark.parametrize(
    "name",
    [
        "PILOTHOUSE_DATABASE",
        "AWS_SECRET_ACCESS_KEY",
        "PGPASSWORD",
        "UV_PUBLISH_TOKEN",
        "UV_PUBLISH_PASSWORD",
        "PYTHONPATH",
        "LD_PRELOAD",
        "path",
    ],
)
def test_what_is_not_on_the_list_stays_behind(name: str) -> None:
    assert passed_on({name: "x"}, granted={}) == {}


@pytest.mark.parametrize(
    "name",
    ["PATH", "HOME", "LANG", "TMPDIR", "UV_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "https_proxy"],
)
def test_what_is_on_the_list_is_passed_on_as_it_is(name: str) -> None:
    assert passed_on({name: "x"}, granted={}) == {name: "x"}


def test_what_an_operator_grants_is_added_and_wins() -> None:
    given = passed_on(
        {"PATH": "/bin", "AWS_REGION": "x"}, granted={"AWS_REGION": "eu", "PATH": "/opt"}
    )

    assert given == {"PATH": "/opt", "AWS_REGION": "eu"}
