"""Every call: who asks, by which key, in what form; and that every error is a problem with a code."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pilothouse.domain.access import Role
from tests.integration.api.serving import RawCall, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.api.serving import Served


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem of an answer, checked for its form."""
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:pilothouse:problem:{body['code']}"
    assert body["title"]
    assert body["detail"].endswith(".") or body["detail"].endswith("`.")
    return body


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer ph_wrong"},
        {"Authorization": "Basic YTpi"},
    ],
)
def test_a_call_without_a_token_that_counts_is_answered_401(
    served: Served, headers: dict[str, str]
) -> None:
    answer = httpx.get(f"{served.url}/api/v1/models", headers=headers, trust_env=False)

    assert (answer.status_code, problem(answer)["code"]) == (401, "token-wrong")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_token_is_answered_401(served: Served, client: httpx.Client) -> None:
    issued = client.post("/tokens", json={"name": "t", "group": "default"}).json()
    client.post(f"/tokens/{issued['token']['id']}/revoke").raise_for_status()

    with served.client(issued["text"]) as revoked:
        answer = revoked.get("/models")

    assert problem(answer)["code"] == "token-wrong"


def test_an_expired_token_is_refused_at_its_issue(client: httpx.Client) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()  # noqa: TID251 the server's own clock

    answer = client.post("/tokens", json={"name": "t", "group": "default", "expires_at": past})

    assert (answer.status_code, problem(answer)["code"]) == (422, "token-expiry")


def test_a_scoring_token_opens_nothing_here(served: Served, client: httpx.Client) -> None:
    wanted = {"name": "t", "group": "default", "services": []}
    text = client.post("/scoring-tokens", json=wanted).json()["text"]

    with served.client(text) as scoring:
        answer = scoring.get("/me")

    assert answer.status_code == 401


def test_health_asks_for_no_token(served: Served) -> None:
    answer = httpx.get(f"{served.url}/api/v1/health", trust_env=False)

    assert answer.json() == {"status": "ok"}


def test_every_path_but_health_asks_for_a_token(served: Served) -> None:
    document = httpx.get(f"{served.url}/api/v1/openapi.json", trust_env=False).json()
    calls = [(m, p) for p, methods in document["paths"].items() for m in methods]
    with httpx.Client(base_url=served.url, trust_env=False) as nobody:
        statuses = {
            (m, p): nobody.request(m, p.replace("{", "").replace("}", ""), json={}).status_code
            for m, p in calls
        }

    assert {call for call, status in statuses.items() if status != 401} == {
        ("get", "/api/v1/health")
    }


def test_a_missing_role_is_answered_403_with_the_action(served: Served) -> None:
    with served.client(served.hire("audrey", Role.AUDITOR)) as auditor:
        answer = auditor.post("/models", json={"name": "m", "group": "default"})

    found = problem(answer)
    assert (answer.status_code, found["code"]) == (403, "action-denied")
    assert found["fields"]["action"] == "register-model"


@pytest.mark.parametrize(
    ("path", "body", "at"),
    [
        ("/groups", {"name": "g1", "tittle": "x"}, "tittle"),
        ("/groups", {}, "name"),
        ("/groups", {"name": 5}, "name"),
        ("/groups", [], "(top)"),
        ("/stages", {"name": "LAB", "position": "5"}, "position"),
        ("/stages", {"name": "LAB", "position": 5.0}, "position"),
        ("/stages", {"name": "LAB", "position": True}, "position"),
        ("/stages", {"name": "LAB", "position": 5, "production": "yes"}, "production"),
        ("/services", {"tag": "s", "group": "default", "mode": "slow"}, "mode"),
        ("/tokens", {"name": "t", "group": "default", "expires_at": "2026-01-05"}, "expires_at"),
    ],
)
def test_a_body_of_another_form_is_answered_422_with_the_place(
    client: httpx.Client, path: str, body: object, at: str
) -> None:
    answer = client.post(path, json=body)

    found = problem(answer)
    assert (answer.status_code, found["code"]) == (422, "document-invalid")
    assert found["fields"]["path"] == at


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "request-invalid"),
        (b"{", 422, "request-invalid"),
        (b"\xff", 400, "body-unreadable"),
        (b"[" * 3000, 400, "body-unreadable"),
        (b'{"name": "a", "position": NaN}', 422, "document-invalid"),
        (b'{"name": "a", "position": 1e999}', 422, "document-invalid"),
        (b'{"name": "\\ud800", "position": 1}', 422, "document-invalid"),
    ],
)
def test_a_body_that_is_no_json_is_refused(
    client: httpx.Client, content: bytes, status: int, code: str
) -> None:
    answer = client.post("/stages", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, problem(answer)["code"]) == (status, code)


def test_a_body_of_another_content_type_is_refused(client: httpx.Client) -> None:
    answer = client.post(
        "/groups", content=b'{"name": "g"}', headers={"Content-Type": "text/plain"}
    )

    assert (answer.status_code, problem(answer)["code"]) == (422, "document-invalid")


@pytest.mark.parametrize("path", ["/models?limt=5", "/models?limit=5&x=", "/tasks?mine=true&a=1"])
def test_a_parameter_that_the_call_does_not_have_is_refused(
    client: httpx.Client, path: str
) -> None:
    answer = client.get(path)

    assert (answer.status_code, problem(answer)["code"]) == (422, "parameter-unknown")


@pytest.mark.parametrize("limit", ["0", "-1", "501", "many", "1.5"])
def test_a_page_has_1_to_500_values(client: httpx.Client, limit: str) -> None:
    answer = client.get("/models", params={"limit": limit})

    assert (answer.status_code, problem(answer)["code"]) == (422, "request-invalid")


def test_pages_go_on_where_the_one_before_ended(client: httpx.Client) -> None:
    for number in range(5):
        client.post("/models", json={"name": f"page-{number}", "group": "default"})
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = client.get("/models", params={"limit": "2", **after}).json()
        seen += [m["name"] for m in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert seen == sorted(set(seen), key=seen.index)
    assert {f"page-{n}" for n in range(5)} <= set(seen)


@pytest.mark.parametrize("cursor", ["", "x", "mod_1", "eyJhIjoxfQ", "ä", "a" * 5000])
def test_a_text_that_is_no_cursor_is_refused(client: httpx.Client, cursor: str) -> None:
    answer = client.get("/models", params={"after": cursor})

    assert (answer.status_code, problem(answer)["code"]) == (422, "cursor-invalid")


def test_a_cursor_of_another_list_is_refused(client: httpx.Client) -> None:
    for name in ("cursor-a", "cursor-b"):
        client.post("/models", json={"name": name, "group": "default"})
    cursor = client.get("/models", params={"limit": 1}).json()["next"]

    answer = client.get("/deployments", params={"after": cursor})

    assert problem(answer)["code"] == "cursor-invalid"


def test_a_call_repeated_with_its_key_changes_things_once(client: httpx.Client) -> None:
    call = {"json": {"name": "keyed", "group": "default"}, "headers": {"Idempotency-Key": "k-1"}}
    first = client.post("/models", **call)  # type: ignore[arg-type]

    again = client.post("/models", **call)  # type: ignore[arg-type]

    assert (again.status_code, again.json()) == (first.status_code, first.json()) != (409, None)


def test_a_key_of_another_body_is_refused(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "k-2"}
    client.post("/models", json={"name": "keyed-a", "group": "default"}, headers=key)

    answer = client.post("/models", json={"name": "keyed-b", "group": "default"}, headers=key)

    assert (answer.status_code, problem(answer)["code"]) == (409, "idempotency-key-reused")


def test_a_key_of_other_parameters_is_refused(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "k-3", "Content-Type": "application/json"}
    client.post("/models", content=b'{"name":"keyed-c","group":"default"}', headers=key)

    answer = client.post("/models?", content=b'{"name":"keyed-c","group":"default"}', headers=key)
    other = client.post("/deployments/dep_1/withdraw?stop_service=true", headers=key)

    assert answer.status_code == 201
    assert problem(other)["code"] == "idempotency-key-reused"


def test_keys_belong_to_whoever_made_them_up(served: Served, client: httpx.Client) -> None:
    key = {"Idempotency-Key": "k-4"}
    client.post("/models", json={"name": "keyed-d", "group": "default"}, headers=key)
    token = served.hire("otto", Role.MODEL_OWNER)

    with served.client(token) as owner:
        answer = owner.post("/models", json={"name": "keyed-e", "group": "default"}, headers=key)

    assert answer.status_code == 201


def test_a_refused_call_leaves_its_key_unused(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "k-5"}
    client.post("/models", json={"name": "Wrong Name", "group": "default"}, headers=key)

    answer = client.post("/models", json={"name": "right-name", "group": "default"}, headers=key)

    assert answer.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(client: httpx.Client, key: str) -> None:
    answer = client.post(
        "/models", json={"name": "m", "group": "default"}, headers={"Idempotency-Key": key}
    )

    assert (answer.status_code, problem(answer)["code"]) == (422, "idempotency-key-invalid")


@pytest.mark.parametrize("round_", range(3))
def test_one_call_sent_many_times_at_once_changes_things_once(
    client: httpx.Client, round_: int
) -> None:
    body = {"name": f"at-once-{round_}", "group": "default"}
    headers = {"Idempotency-Key": f"at-once-{round_}"}

    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: client.post("/models", json=body, headers=headers), range(8))
        )

    assert {a.status_code for a in answers} == {201}
    assert len({json.dumps(a.json(), sort_keys=True) for a in answers}) == 1
    audit = client.get("/audit", params={"noun": "model", "limit": 500}).json()["items"]
    assert sum(e["detail"].get("name") == body["name"] for e in audit) == 1


def test_a_token_asked_for_twice_with_one_key_is_one_token(client: httpx.Client) -> None:
    call: dict[str, Any] = {
        "json": {"name": "t", "group": "default"}, "headers": {"Idempotency-Key": "k-6"},
    }  # fmt: skip
    first = client.post("/tokens", **call).json()

    again = client.post("/tokens", **call).json()

    assert again["token"]["id"] == first["token"]["id"]
    assert again["text"] != first["text"]


def test_a_route_is_changed_only_over_the_generation_that_was_seen(client: httpx.Client) -> None:
    client.post("/services", json={"tag": "seen", "group": "default", "mode": "online"})

    answer = client.post(
        "/services/seen/routes/DEV", json={"expected_generation": 3, "variants": []}
    )

    found = problem(answer)
    assert (answer.status_code, found["code"]) == (409, "conflict")
    assert (found["fields"]["expected"], found["fields"]["found"]) == (3, 0)


def test_a_name_that_is_taken_is_answered_409(client: httpx.Client) -> None:
    client.post("/models", json={"name": "taken", "group": "default"})

    answer = client.post("/models", json={"name": "taken", "group": "default"})

    assert (answer.status_code, problem(answer)["code"]) == (409, "already-exists")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "no-such-page"),
        ("GET", "/models/nobody", 404, "not-found"),
        ("GET", "/snapshots/x", 422, "snapshot-name-invalid"),
        ("GET", "/datasets/x", 422, "dataset-invalid"),
        ("GET", "/services/x/routes/DEV", 404, "not-found"),
        ("GET", "/history/nonsense/x", 422, "noun-unknown"),
        ("GET", "/artifacts/x", 405, "method-not-allowed"),
        ("DELETE", "/models", 405, "method-not-allowed"),
        ("PATCH", "/models/x", 405, "method-not-allowed"),
        ("HEAD", "/models", 405, None),
    ],
)
def test_every_error_is_a_problem_with_its_code(
    client: httpx.Client, method: str, path: str, status: int, code: str | None
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    if code is not None:
        assert problem(answer)["code"] == code


def test_a_fault_of_our_own_hides_its_inside(served: Served, client: httpx.Client) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("password=hunter2 at /secret/path")

    page = served.plane.models.page
    served.plane.models.page = broken  # type: ignore[method-assign,assignment]
    try:
        answer = client.get("/models")
    finally:
        served.plane.models.page = page  # type: ignore[method-assign]

    found = problem(answer)
    assert (answer.status_code, found["code"]) == (500, "unexpected")
    assert client.get("/health").status_code == 200
    assert "hunter2" not in answer.text
    assert "secret" not in answer.text


def test_a_body_that_is_too_large_is_answered_413(client: httpx.Client) -> None:
    answer = client.post("/groups", json={"name": "g", "title": "x" * 5000})

    assert (answer.status_code, problem(answer)["code"]) == (413, "body-too-large")


def test_a_large_body_is_refused_by_its_promised_length(served: Served) -> None:
    call = RawCall(served, "POST", "/groups", length=10**9, Content_Type="application/json")

    answer = call.answer()

    assert (answer.status, answer.problem["code"]) == (413, "body-too-large")


def test_a_body_without_a_length_is_bounded_too(client: httpx.Client) -> None:
    answer = client.post(
        "/groups",
        content=iter([b"x" * 1000] * 8),
        headers={"Content-Type": "application/json"},
    )

    assert (answer.status_code, problem(answer)["code"]) == (413, "body-too-large")


def test_a_body_whose_sender_pauses_is_answered_408(served: Served) -> None:
    call = RawCall(served, "POST", "/groups", length=100, Content_Type="application/json")
    call.send(b'{"name":')

    answer = call.answer()

    assert (answer.status, answer.problem["code"]) == (408, "body-too-slow")


def test_a_sender_that_hangs_up_changes_nothing(served: Served, client: httpx.Client) -> None:
    call = RawCall(served, "POST", "/groups", length=100, Content_Type="application/json")
    call.send(b'{"name": "half"}')
    call.hang_up()

    assert client.get("/groups/half").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/messages", {"id": "m", "group": "default", "name": "x", "correlation_key": "k",
                       "time_to_live_s": 1e300}),
        ("/messages", {"id": "m", "group": "default", "name": "x", "correlation_key": "k",
                       "time_to_live_s": -1}),
        ("/locations", {"name": "l", "group": "default", "uri": "file:///%00", "access": "read"}),
        ("/locations", {"name": "l", "group": "default", "uri": "file:///" + "a" * 300, "access": "read"}),
        ("/locations", {"name": "l", "group": "default", "uri": "file:///tmp?x", "access": "read"}),
        ("/locations", {"name": "l", "group": "default", "uri": "http://a/b", "access": "read"}),
        ("/stages", {"name": "LAB", "position": 10**30}),
        ("/people", {"name": "a", "title": "x\0y"}),
        ("/runtimes", {"name": "r", "group": "default", "stage": "DEV", "address": "http://x:1"}),
        ("/runtimes", {"name": "r", "group": "default", "stage": "DEV", "address": "x:99999"}),
    ],
)  # fmt: skip
def test_a_value_that_nothing_can_hold_is_refused(
    client: httpx.Client, path: str, body: dict[str, object]
) -> None:
    answer = client.post(path, json=body)

    assert answer.status_code == 422
    assert problem(answer)["code"] != "unexpected"


@pytest.mark.parametrize(
    "at", ["5", "yesterday", "2026-01-05", "2026-01-05T12:00:00", "0001-01-01T00:00:00+23:00"]
)
def test_a_moment_that_is_none_is_refused(client: httpx.Client, at: str) -> None:
    client.post("/services", json={"tag": "when", "group": "default", "mode": "online"})

    answer = client.get("/services/when/where", params={"at": at})

    assert (answer.status_code, problem(answer)["code"]) == (422, "document-invalid")


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-05T12:00:00+05:45"]
)
def test_any_moment_can_be_asked_about(client: httpx.Client, at: str) -> None:
    client.post("/services", json={"tag": "when", "group": "default", "mode": "online"})

    assert client.get("/services/when/where", params={"at": at}).json() == []


def test_times_are_rfc_3339_in_utc(client: httpx.Client) -> None:
    created = client.post("/models", json={"name": "timed", "group": "default"}).json()

    assert created["created_at"].endswith("Z")
    assert datetime.fromisoformat(created["created_at"]).tzinfo is not None


def test_who_i_am_shows_roles_and_no_secret(served: Served, client: httpx.Client) -> None:
    me = client.get("/me").json()

    assert (me["name"], me["grants"][0]["role"]) == ("admin", "administrator")
    assert served.token not in json.dumps(me)


def test_no_token_s_text_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with serving(tmp_path / "home") as served, served.client() as client:
        text = client.post("/tokens", json={"name": "t", "group": "default"}).json()["text"]
        client.get("/nothing")

    secret = text.rpartition("_")[2]
    assert not [r for r in caplog.records if secret in r.getMessage()]
