"""Operations on runs over HTTP and by the command line: orders, refusals with their codes, dry runs, batches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pilothouse.cli.main import app
from pilothouse.domain.access import Role
from tests.integration.lifecycle.drawings import asks, drawing

if TYPE_CHECKING:
    import httpx

    from tests.integration.api.serving import Served

WHY = {"reason": "wrong data"}


@pytest.fixture
def run_id(client: httpx.Client) -> str:
    """A run that waits for a person, of a life cycle that has a version more."""
    task = (
        '<userTask id="ask" name="Ask"><extensionElements><zeebe:userTask/>'
        '<zeebe:assignmentDefinition candidateGroups="validator"/></extensionElements></userTask>'
    )
    body = f'<startEvent id="start"/>{task}<manualTask id="more"/><endEvent id="end"/>'
    second = drawing(body, "start>ask ask>more more>end")
    for xml in (asks('candidateGroups="validator"'), second):
        client.post(
            "/lifecycles",
            content=xml,
            params={"group": "default"},
            headers={"Content-Type": "application/xml"},
        ).raise_for_status()
    answer = client.post("/runs", json={"definition": "small@1"})
    found: str = answer.raise_for_status().json()["heading"]["run_id"]
    return found


def post(client: httpx.Client, path: str, **body: object) -> tuple[int, Any]:
    answer = client.post(path, json=body)
    return answer.status_code, answer.json()


def test_a_run_is_suspended_and_resumed_once(client: httpx.Client, run_id: str) -> None:
    status, run = post(client, f"/runs/{run_id}/suspend", **WHY)
    assert (status, run["state"]) == (200, "suspended")
    status, problem = post(client, f"/runs/{run_id}/suspend", **WHY)
    assert (status, problem["code"]) == (409, "run-suspended")
    status, run = post(client, f"/runs/{run_id}/resume", **WHY)
    assert (status, run["state"]) == (200, "active")
    status, problem = post(client, f"/runs/{run_id}/resume", **WHY)
    assert (status, problem["code"]) == (409, "run-not-suspended")


def test_an_order_on_what_was_seen_before_is_refused(client: httpx.Client, run_id: str) -> None:
    seen = client.get(f"/runs/{run_id}").json()["revision"]
    edit = {"variables": {"x": 1}, "revision": seen, **WHY}
    assert post(client, f"/runs/{run_id}/variables", **edit)[0] == 200
    status, problem = post(client, f"/runs/{run_id}/variables", **edit)
    assert (status, problem["code"]) == (409, "run-moved-on")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("variables", {"variables": {"digest": "x"}}, "variable-reserved"),
        ("variables", {"remove": ["nowhere"]}, "variable-unknown"),
        ("variables", {"scope": "nowhere"}, "scope-unknown"),
        ("move", {"cancel": ["nowhere"]}, "move-refused"),
        ("move", {}, "move-refused"),
        ("migrate", {"to": "small@1"}, "migration-target-refused"),
        ("migrate", {"to": "small@2", "pairs": {"ask": "nowhere"}}, "migration-refused"),
        ("migrate", {"to": "small@77"}, "not-found"),
    ],
)
def test_wrong_orders_have_their_codes(
    client: httpx.Client, run_id: str, path: str, body: dict[str, object], code: str
) -> None:
    before = client.get(f"/runs/{run_id}").json()

    status, problem = post(client, f"/runs/{run_id}/{path}", **body, **WHY)

    assert (400 <= status < 500, problem["code"]) == (True, code)
    assert client.get(f"/runs/{run_id}").json() == before


def test_a_version_is_activated_and_its_pairs_are_shown(client: httpx.Client, run_id: str) -> None:
    pairs = client.get("/lifecycles/small@1/migration", params={"to": "small@2"}).json()
    assert pairs["appeared"] == ["more"]
    assert client.post("/lifecycles/small@1/activate").json()["state"] == "active"
    assert client.get("/lifecycles/small@2").json()["state"] == "retired"
    assert client.post("/lifecycles/small@2/activate").json()["state"] == "active"


def test_whoever_may_not_operate_runs_is_told_so(served: Served, run_id: str) -> None:
    token = served.hire("reader", Role.VALIDATOR)
    with served.client(token) as client:
        status, problem = post(client, f"/runs/{run_id}/suspend", **WHY)
    assert (status, problem["code"]) == (403, "action-denied")


def test_the_command_line_does_all_of_it(
    served: Served, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_URL", served.url)
    monkeypatch.setenv("PILOTHOUSE_TOKEN", served.token)

    def said(*words: str) -> Any:  # noqa: ANN401 - whatever the command prints
        result = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    why = ("--reason", "try")
    assert said("runs", "suspend", run_id, *why)["state"] == "suspended"
    assert said("runs", "resume", run_id, *why)["state"] == "active"
    given = ("--variables", '{"x": 1, "y": 2}')
    assert said("runs", "set-variables", run_id, *given, *why)["variables"]["x"] == 1
    removed = said("runs", "set-variables", run_id, "--remove", "x", *why)["variables"]
    assert "x" not in removed
    move = ("runs", "move", run_id, "--cancel", "ask", "--begin", "ask", *why)
    assert said(*move, "--dry-run")["history"][0]["event"] == "tokens-moved"
    assert said(*move)["tokens"] == [{"element": "ask", "state": "waiting"}]
    migrate = ("runs", "migrate", run_id, "small@2", *why)
    assert said(*migrate, "--dry-run")["history"][0]["event"] == "run-migrated"
    assert said(*migrate, "--pair", "ask=ask")["heading"]["definition"] == "small@2"
    assert said("lifecycles", "pair", "small@2", "small@1")["vanished"] == ["more"]
    outcomes = said("lifecycles", "migrate", "small@2", "small@1", *why)
    assert {o["run_id"]: o["migrated"] for o in outcomes}[run_id]
    assert said("lifecycles", "activate", "small@2")[0]["state"] == "active"
