"""Uploads and downloads: whole and right, or nothing."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.domain.access import Role
from pilothouse.domain.jobs import JobState
from tests.integration.api.serving import PATIENCE_S, RawCall
from tests.unit.application.company import sha256

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.integration.api.serving import Served

BLOB = bytes(range(256)) * 200  # 51,200 bytes


def address(digest: str) -> str:
    return f"/artifacts/{digest}?group=default"


def stored(client: httpx.Client, digest: str) -> bool:
    return client.head(address(digest)).status_code == 200


def test_an_upload_is_there_under_its_digest(client: httpx.Client) -> None:
    digest = sha256(BLOB)
    before = stored(client, digest)

    answer = client.put(address(digest), content=BLOB)

    assert (before, stored(client, digest)) == (False, True)
    assert (answer.status_code, answer.json()) == (201, {"sha256": digest, "size": len(BLOB)})


def test_uploading_again_changes_nothing(client: httpx.Client) -> None:
    digest = sha256(b"twice")
    client.put(address(digest), content=b"twice")

    answer = client.put(address(digest), content=b"twice")

    assert (answer.status_code, answer.json()["size"]) == (201, 5)


def test_an_empty_file_is_a_file(client: httpx.Client) -> None:
    answer = client.put(address(sha256(b"")), content=b"")

    assert (answer.status_code, answer.json()["size"]) == (201, 0)


def test_bytes_of_another_digest_are_not_stored(client: httpx.Client) -> None:
    digest = sha256(b"promised")

    answer = client.put(address(digest), content=b"something else")

    assert (answer.status_code, answer.json()["code"]) == (422, "artifact-digest")
    assert not stored(client, digest)
    assert not stored(client, sha256(b"something else"))


@pytest.mark.parametrize("size", [100_001, 3_000_000])
def test_more_than_the_limit_is_not_stored(client: httpx.Client, size: int) -> None:
    blob = b"x" * size

    answer = client.put(
        address(sha256(blob)), content=iter([blob[i : i + 8192] for i in range(0, size, 8192)])
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "artifact-too-large")
    assert not stored(client, sha256(blob))


@pytest.mark.parametrize("digest", ["short", "Z" * 64, "A" * 64, "a" * 63])
@pytest.mark.parametrize("method", ["PUT", "HEAD"])
def test_what_is_no_digest_names_no_artefact(
    client: httpx.Client, method: str, digest: str
) -> None:
    answer = client.request(method, address(digest))

    assert answer.status_code == 422


def test_an_upload_needs_the_right_in_its_group(served: Served) -> None:
    with served.client(served.hire("audrey", Role.AUDITOR)) as auditor:
        put = auditor.put(address(sha256(b"x")), content=b"x")
        head = auditor.head(address(sha256(b"x")))

    assert (put.status_code, head.status_code) == (403, 403)


def test_an_upload_without_a_group_is_refused(client: httpx.Client) -> None:
    answer = client.put(f"/artifacts/{sha256(b'x')}", content=b"x")

    assert (answer.status_code, answer.json()["code"]) == (422, "request-invalid")


def test_an_upload_that_stops_is_answered_408_and_not_stored(
    served: Served, client: httpx.Client
) -> None:
    digest = sha256(BLOB)[::-1]
    call = RawCall(served, "PUT", address(digest), length=len(BLOB))
    call.send(BLOB[:1000])

    answer = call.answer()

    assert (answer.status, answer.problem["code"]) == (408, "body-too-slow")
    assert not stored(client, digest)


def test_an_upload_whose_sender_hangs_up_is_not_stored_and_can_be_sent_again(
    served: Served, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    blob = b"hang up " * 5000
    digest = sha256(blob)
    ended = threading.Event()
    upload = served.plane.artifacts.upload

    def watched(*args: object, **kwargs: object) -> int:
        try:
            return upload(*args, **kwargs)  # type: ignore[arg-type]
        finally:
            ended.set()

    served.plane.artifacts.upload = watched  # type: ignore[method-assign]
    try:
        call = RawCall(served, "PUT", address(digest), length=len(blob))
        call.send(blob[:20_000])
        call.hang_up()
        assert ended.wait(PATIENCE_S)
    finally:
        served.plane.artifacts.upload = upload  # type: ignore[method-assign]

    assert not stored(client, digest)
    assert client.put(address(digest), content=blob).status_code == 201
    assert not [r for r in caplog.records if r.levelname == "ERROR"]


def test_many_uploads_at_once_are_all_stored(served: Served, client: httpx.Client) -> None:
    blobs = [f"blob {n}".encode() * 3000 for n in range(12)]
    calls = [RawCall(served, "PUT", address(sha256(b)), length=len(b)) for b in blobs]
    for part in range(3):
        for call, blob in zip(calls, blobs, strict=True):
            third = len(blob) // 3
            call.send(blob[part * third : (part + 1) * third if part < 2 else len(blob)])

    answers = [call.answer() for call in calls]

    assert {a.status for a in answers} == {201}
    assert all(stored(client, sha256(b)) for b in blobs)


@pytest.fixture(scope="module")
def snapshot(served: Served) -> str:
    """A snapshot whose file ``model.bin`` is `BLOB`."""
    manifest = json.dumps({"name": "tiny"}).encode()
    with served.client() as client:
        client.post("/models", json={"name": "tiny", "group": "default"}).raise_for_status()
        files = []
        for path, blob in (("pilothouse.yaml", manifest), ("model.bin", BLOB), ("empty", b"")):
            client.put(address(sha256(blob)), content=blob).raise_for_status()
            files.append({"path": path, "sha256": sha256(blob), "size": len(blob)})
        job = client.post("/snapshots", json={"model": "tiny", "files": files}).json()
    done = served.plane.snapshots.take(SYSTEM, job["id"])
    assert done.state is JobState.COMPLETE, done.error
    return done.snapshot


@pytest.mark.parametrize(("path", "blob"), [("model.bin", BLOB), ("empty", b"")])
def test_a_file_comes_back_as_it_was_sent(
    client: httpx.Client, snapshot: str, path: str, blob: bytes
) -> None:
    answer = client.get(f"/snapshots/{snapshot}/files/{path}")

    assert (answer.status_code, answer.content) == (200, blob)


def test_a_file_that_the_snapshot_does_not_name_is_not_found(
    client: httpx.Client, snapshot: str
) -> None:
    answer = client.get(f"/snapshots/{snapshot}/files/..%2f..%2fadmin.token")

    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def file_of(served: Served, digest: str) -> Path:
    (found,) = (served.plane.settings.home / "artifacts").rglob(f"*{digest[4:]}*")
    return found


def test_a_damaged_file_is_told_and_never_given(
    served: Served, client: httpx.Client, snapshot: str
) -> None:
    file = file_of(served, sha256(BLOB))
    whole = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(b"\1" + whole[1:])
    try:
        answer = client.get(f"/snapshots/{snapshot}/files/model.bin")
    finally:
        file.write_bytes(whole)

    assert (answer.status_code, answer.json()["code"]) == (503, "artifact-corrupt")


def test_a_file_that_is_gone_is_told(served: Served, client: httpx.Client, snapshot: str) -> None:
    file = file_of(served, sha256(BLOB))
    kept = file.read_bytes()
    file.unlink()
    try:
        answer = client.get(f"/snapshots/{snapshot}/files/model.bin")
    finally:
        file.write_bytes(kept)

    assert (answer.status_code, answer.json()["code"]) == (404, "artifact-missing")
