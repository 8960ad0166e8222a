"""The client: each change happens once, whatever is lost; every refusal is an error in the server's words."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.domain.artifacts import ArtifactCorruptError
from pilothouse.domain.ids import GroupName
from pilothouse.domain.snapshots import MANIFEST_NAME, PathInvalidError, SnapshotRefusedError
from pilothouse.sdk import ApiError, ApiUnreachableError, Client
from pilothouse.sdk import nouns as nouns_module
from pilothouse.sdk import transport as transport_module
from pilothouse.sdk.errors import WaitedTooLongError
from pilothouse.sdk.snapshots import FolderInvalidError, named_files
from pilothouse.sdk.transport import NameUnusableError
from pilothouse.wire.requests import IssueToken, RegisterModel, TakeSnapshot
from tests.integration.api.serving import Served, serving
from tests.unit.application.company import entry
from tests.unit.sdk.proxies import LossyProxy, lossy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.domain.jobs import JobState


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("sdk") / "home", artifact_limit_bytes=10_000) as s:
        admin = s.plane.tokens.sign_in(s.token)
        s.plane.models.register(admin, RegisterModel(name="folded", group="default"))
        yield s


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(url=served.url, token=served.token) as opened:
        yield opened


@pytest.fixture
def through_loss(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Client, LossyProxy]]:
    """A client behind a proxy that loses answers."""
    monkeypatch.setattr(transport_module, "FIRST_PAUSE_S", 0.001)
    with lossy(served.address) as (url, proxy), Client(url=url, token=served.token) as opened:
        yield opened, proxy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder as the fake checker takes it."""
    home = tmp_path / "model"
    (home / "code").mkdir(parents=True)
    (home / "code" / "model.py").write_text("x = 1\n")
    (home / "golden.jsonl").write_text("{}\n")
    (home / MANIFEST_NAME).write_text(
        '{"name": "folded", "files": {"code": "code"}, "golden": "golden.jsonl"}'
    )
    return home


def test_a_lost_answer_is_asked_for_again_and_the_change_happens_once(
    through_loss: tuple[Client, LossyProxy], client: Client
) -> None:
    lossy_client, proxy = through_loss
    proxy.losses = 2

    model = lossy_client.models.register(RegisterModel(name="lost-twice", group="default"))

    assert [m.id for m in client.models.list() if m.name == "lost-twice"] == [model.id]
    assert len(proxy.calls) == 3
    keys = {line for call in proxy.calls for line in call.split(b"\r\n") if b"Idempotency" in line}
    assert len(keys) == 1


def test_a_token_whose_answer_was_lost_is_issued_once(
    through_loss: tuple[Client, LossyProxy], client: Client
) -> None:
    lossy_client, proxy = through_loss
    proxy.losses = 1

    issued = lossy_client.tokens.issue(IssueToken(name="lost", group="default"))

    assert [t.id for t in client.tokens.list() if t.name == "lost"] == [issued.token.id]
    with Client(url=client.url, token=issued.text) as holder:
        assert holder.people.me().name == "admin"


def test_an_answer_that_is_always_lost_ends_in_an_error(
    through_loss: tuple[Client, LossyProxy],
) -> None:
    lossy_client, proxy = through_loss
    proxy.losses = 99

    with pytest.raises(ApiUnreachableError) as unreachable:
        lossy_client.models.get("anything")

    assert len(proxy.calls) == transport_module.ATTEMPTS
    assert "pilothouse up" in unreachable.value.message


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "FIRST_PAUSE_S", 0.001)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    with (
        Client(url=f"http://127.0.0.1:{port}", token=None) as nobody,
        pytest.raises(ApiUnreachableError) as unreachable,
    ):
        nobody.health()

    assert unreachable.value.url.endswith(str(port))


def test_a_refusal_has_the_server_s_code_words_and_facts(client: Client) -> None:
    with pytest.raises(ApiError) as refused:
        client.models.get("nobody")

    assert (refused.value.status, refused.value.problem_code) == (404, "not-found")
    assert refused.value.problem_fields == {"noun": "model", "name": "nobody"}
    assert "pilothouse models list" in refused.value.message


def test_a_call_without_a_token_is_refused(served: Served) -> None:
    with Client(url=served.url, token=None) as nobody, pytest.raises(ApiError) as refused:
        nobody.people.me()

    assert (refused.value.status, refused.value.problem_code) == (401, "token-wrong")


@pytest.mark.parametrize("name", ["a?group=x", "a/b", "a#b", "../me", "a%2f"])
def test_no_name_leads_to_another_address(client: Client, name: str) -> None:
    with pytest.raises(ApiError) as refused:
        client.models.get(name)

    assert refused.value.problem_code in {"not-found", "no-such-page"}


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_is_none_is_refused_at_home(client: Client, name: str) -> None:
    with pytest.raises(NameUnusableError):
        client.models.get(name)


def test_long_lists_are_read_to_their_end(client: Client) -> None:
    for number in range(5):
        client.models.register(RegisterModel(name=f"many-{number}", group="default"))

    pages = list(client._transport.every(object, "/models"))

    assert len(pages) == len({str(p) for p in pages}) >= 5


def test_a_snapshot_is_uploaded_checked_and_given(
    served: Served, client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nouns_module, "POLL_S", 0.001)
    told: list[str] = []

    def progress(line: str) -> None:
        told.append(line)
        if line.startswith("checking"):
            for job in served.plane.snapshots.waiting(SYSTEM):
                served.plane.snapshots.take(SYSTEM, job)

    snapshot = client.snapshots.take(folder, group="default", progress=progress)
    told_first = [line.split()[1] for line in told if line.startswith("uploading")]
    told.clear()
    again = client.snapshots.take(folder, group="default", progress=progress)

    assert (snapshot.name, again.name) == ("folded@1", "folded@1")
    assert told_first == ["code/model.py", "golden.jsonl", MANIFEST_NAME]
    assert not [line for line in told if line.startswith("uploading")]


def test_a_refused_snapshot_has_the_check_s_words(
    served: Served, client: Client, folder: Path
) -> None:
    served.checker.problems.append(ArtifactCorruptError(sha256="a" * 64, found="b" * 64))

    def progress(line: str) -> None:
        if line.startswith("checking"):
            for job in served.plane.snapshots.waiting(SYSTEM):
                served.plane.snapshots.take(SYSTEM, job)

    with pytest.raises(SnapshotRefusedError) as refused:
        client.snapshots.take(folder, group="default", progress=progress)

    assert refused.value.cause == "artifact-corrupt"


def test_waiting_ends_with_the_time_that_was_given(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nouns_module, "POLL_S", 0.001)
    admin, file = served.plane.tokens.sign_in(served.token), entry(MANIFEST_NAME, b"waited for")
    served.plane.artifacts.upload(
        admin, group=GroupName("default"), sha256=file.sha256, chunks=[b"waited for"]
    )
    job = served.plane.snapshots.order(admin, TakeSnapshot(model="folded", files=(file,)))
    seen: list[JobState] = []

    with pytest.raises(TimeoutError) as late:
        client.jobs.wait(job.id, timeout_s=0.01, progress=lambda j: seen.append(j.state))

    assert isinstance(late.value, WaitedTooLongError)
    assert (late.value.job, late.value.state) == (job.id, "created")
    assert seen
    assert "pilothouse jobs wait" in late.value.message


def test_a_file_that_is_too_large_is_refused_in_the_server_s_words(
    client: Client, folder: Path
) -> None:
    (folder / "code" / "large.bin").write_bytes(b"x" * 3_000_000)

    with pytest.raises(ApiError) as refused:
        client.snapshots.take(folder, group="default")

    assert refused.value.problem_code == "artifact-too-large"


@pytest.mark.parametrize("where", ["code/link.py", "golden.jsonl", "code", MANIFEST_NAME])
def test_a_folder_with_a_link_is_refused(folder: Path, where: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    kept = folder / where
    if kept.exists():
        kept.rename(outside)
    else:
        outside.write_text("secret")
    kept.symlink_to(outside)

    with pytest.raises(FolderInvalidError) as refused:
        named_files(folder)

    assert where in refused.value.problem


def test_a_link_on_the_way_to_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "code").rename(tmp_path / "outside")
    (folder / "code").symlink_to(tmp_path / "outside")
    (folder / MANIFEST_NAME).write_text(
        '{"name": "a", "files": {"code": "code/model.py"}, "golden": "golden.jsonl"}'
    )

    with pytest.raises(FolderInvalidError) as refused:
        named_files(folder)

    assert "code is a link" in refused.value.problem


@pytest.mark.parametrize(
    "manifest", ["", "[]", "a: [", "name: a", "name: a\nfiles: 5\ngolden: g", "\x00"]
)
def test_a_folder_without_a_manifest_that_can_be_read_is_refused(
    folder: Path, manifest: str
) -> None:
    (folder / MANIFEST_NAME).write_text(manifest)

    with pytest.raises(FolderInvalidError) as refused:
        named_files(folder)

    assert "pilothouse check" in refused.value.message


def test_a_manifest_that_names_a_path_outside_is_refused(folder: Path) -> None:
    (folder / MANIFEST_NAME).write_text(
        '{"name": "a", "files": {"model": "../secret"}, "golden": "golden.jsonl"}'
    )

    with pytest.raises(PathInvalidError):
        named_files(folder)
