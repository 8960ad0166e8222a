"""The contract of the artefact store, over a local folder and over S3."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import httpx
import obstore
import pytest
from obstore.store import LocalStore, ObjectStore, S3Store

from pilothouse.application.sweep import sweep
from pilothouse.artifacts.errors import Sha256InvalidError, StoreUnreachableError, StoreUrlError
from pilothouse.artifacts.landing import PART_BYTES
from pilothouse.artifacts.layout import key_of
from pilothouse.artifacts.store import ObstoreArtifacts, open_store
from pilothouse.domain.artifacts import (
    ArtifactCorruptError,
    ArtifactDigestError,
    ArtifactMissingError,
    ArtifactTooLargeError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.ports.artifacts import ArtifactStore

LATER = datetime(2200, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SMALL = b"a small file"
LARGE = bytes(range(256)) * (3 * PART_BYTES // 256 + 7)


class Place(NamedTuple):
    """A store, and the bare objects under it."""

    store: ObstoreArtifacts
    objects: ObjectStore


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        root = tmp_path / "artifacts with space"
        store = open_store(root.as_uri())
        return Place(store, LocalStore(prefix=root))
    bucket: dict[str, str] = request.getfixturevalue("bucket")
    return Place(open_store(**bucket), _bare(bucket))


def _bare(bucket: dict[str, str]) -> ObjectStore:
    return S3Store.from_url(
        bucket["url"],
        endpoint=bucket["endpoint"],
        client_options={"allow_http": True},
        access_key_id=bucket["access_key_id"],
        secret_access_key=bucket["secret_access_key"],
    )


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def chunked(content: bytes, size: int = 1_000_003) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def put(store: ArtifactStore, content: bytes) -> str:
    store.put(chunked(content), sha256=sha256(content))
    return sha256(content)


def keys(place: Place) -> list[str]:
    return sorted(meta["path"] for batch in obstore.list(place.objects) for meta in batch)


@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_what_was_put_can_be_read_back(place: Place, content: bytes) -> None:
    size = place.store.put(chunked(content), sha256=sha256(content))

    assert size == len(content) == place.store.size(sha256(content))
    assert b"".join(place.store.get(sha256(content))) == content


def test_an_artifact_lies_under_its_digest(place: Place) -> None:
    name = put(place.store, SMALL)

    assert keys(place) == [f"sha256/{name[:2]}/{name[2:]}"]


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_stream_of_another_digest_is_refused_and_leaves_nothing(
    place: Place, content: bytes
) -> None:
    with pytest.raises(ArtifactDigestError) as refused:
        place.store.put(chunked(content[:-1]), sha256=sha256(content))

    assert refused.value.expected == sha256(content)
    assert refused.value.found == sha256(content[:-1])
    assert refused.value.size == len(content) - 1
    assert keys(place) == []


def test_a_refused_large_upload_leaves_no_parts(bucket: dict[str, str]) -> None:
    store = open_store(**bucket)

    with pytest.raises(ArtifactDigestError):
        store.put(chunked(LARGE[:-1]), sha256=sha256(LARGE))

    listing = httpx.get(f"{bucket['endpoint']}/artifacts?uploads", trust_env=False).text
    assert "ListMultipartUploadsResult" in listing
    assert "<Upload>" not in listing


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_stream_over_the_limit_is_refused_and_leaves_nothing(
    place: Place, content: bytes
) -> None:
    with pytest.raises(ArtifactTooLargeError) as refused:
        place.store.put(chunked(content), sha256=sha256(content), limit=len(content) - 1)

    assert refused.value.limit == len(content) - 1
    assert keys(place) == []


def test_a_stream_that_breaks_leaves_nothing(place: Place) -> None:
    class CutOffError(Exception):
        pass

    def broken() -> Iterator[bytes]:
        yield from chunked(LARGE[:-5])
        raise CutOffError

    with pytest.raises(CutOffError):
        place.store.put(broken(), sha256=sha256(LARGE))

    assert keys(place) == []


def test_putting_again_writes_nothing(place: Place) -> None:
    name = put(place.store, SMALL)
    before = obstore.head(place.objects, key_of(name))

    again = place.store.put([SMALL], sha256=name)

    assert again == len(SMALL)
    assert obstore.head(place.objects, key_of(name)) == before


def test_putting_again_still_checks_the_promise(place: Place) -> None:
    name = put(place.store, SMALL)

    with pytest.raises(ArtifactDigestError):
        place.store.put([b"something else"], sha256=name)

    assert b"".join(place.store.get(name)) == SMALL


@pytest.mark.parametrize("damage", [b"", b"a small fil", b"a small fiLe", b"a small file."])
def test_a_damaged_artifact_is_never_given_out_whole(place: Place, damage: bytes) -> None:
    name = put(place.store, SMALL)
    obstore.put(place.objects, key_of(name), damage)
    given: list[bytes] = []

    with pytest.raises(ArtifactCorruptError) as corrupt:
        given.extend(place.store.get(name))

    assert corrupt.value.found == sha256(damage)
    assert given == []


def test_the_last_chunk_of_a_damaged_large_artifact_is_held_back(place: Place) -> None:
    name = put(place.store, LARGE)
    obstore.put(place.objects, key_of(name), LARGE[:-1] + b"!")
    given: list[bytes] = []

    with pytest.raises(ArtifactCorruptError):
        given.extend(place.store.get(name))

    assert 0 < sum(map(len, given)) < len(LARGE)


def test_uploading_again_heals_a_damaged_artifact(place: Place) -> None:
    name = put(place.store, SMALL)
    obstore.put(place.objects, key_of(name), b"rotten")

    put(place.store, SMALL)

    assert b"".join(place.store.get(name)) == SMALL


def test_many_uploads_of_one_file_at_once_all_succeed(place: Place) -> None:
    for content in (SMALL, LARGE):
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _, content=content: put(place.store, content), range(4)))

        assert b"".join(place.store.get(sha256(content))) == content
    assert len(keys(place)) == 2


def test_the_usual_variables_of_the_environment_name_the_endpoint_and_the_keys(
    bucket: dict[str, str],
) -> None:
    environment = {
        "AWS_ENDPOINT_URL": bucket["endpoint"],
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": bucket["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": bucket["secret_access_key"],
        "AWS_REGION": bucket["region"],
    }
    script = (
        "from pilothouse.artifacts.store import open_store\n"
        f"print(open_store({bucket['url']!r}).put([{SMALL!r}], sha256={sha256(SMALL)!r}))"
    )

    subprocess.run([sys.executable, "-c", script], env=environment, check=True)

    assert open_store(**bucket).size(sha256(SMALL)) == len(SMALL)


def test_a_missing_artifact_is_named(place: Place) -> None:
    with pytest.raises(ArtifactMissingError) as missing:
        place.store.get(sha256(b"never put"))

    assert missing.value.sha256 == sha256(b"never put")
    assert place.store.size(sha256(b"never put")) is None


@pytest.mark.parametrize("text", ["", "../../etc/passwd", 64 * "A", 63 * "a", 64 * "a" + "\n"])
def test_only_a_sha256_names_an_artifact(place: Place, text: str) -> None:
    with pytest.raises(Sha256InvalidError) as refused:
        place.store.put([b""], sha256=text)

    assert refused.value.found == text


def test_every_artifact_is_listed_and_nothing_else(place: Place) -> None:
    names = {put(place.store, SMALL), put(place.store, LARGE), put(place.store, b"")}
    obstore.put(place.objects, "sha256/ab/notes.txt", b"not ours")

    listed = {artifact.sha256: artifact.size for artifact in place.store.stored()}

    assert listed == {name: place.store.size(name) for name in names}


def test_removing_twice_is_no_error(place: Place) -> None:
    name = put(place.store, SMALL)

    place.store.remove(name)
    place.store.remove(name)

    assert place.store.size(name) is None


def test_the_sweep_removes_what_nothing_names(place: Place) -> None:
    named, unnamed = put(place.store, b"in a snapshot"), put(place.store, b"in none")

    swept = sweep(place.store, lambda: [named], older_than=LATER)

    assert [artifact.sha256 for artifact in swept.removed] == [unnamed]
    assert (swept.named, swept.young, swept.bytes_removed) == (1, 0, len(b"in none"))
    assert [artifact.sha256 for artifact in place.store.stored()] == [named]


def test_the_sweep_leaves_what_is_young(place: Place) -> None:
    name = put(place.store, b"just uploaded")

    swept = sweep(place.store, list, older_than=LONG_AGO)

    assert (swept.removed, swept.young) == ((), 1)
    assert place.store.size(name) is not None


def test_the_sweep_sees_what_was_named_since_it_began(place: Place) -> None:
    first, second = sorted((put(place.store, b"one"), put(place.store, b"two")))
    asked: list[int] = []

    def named() -> list[str]:
        asked.append(1)
        return [] if len(asked) == 1 else [first, second]

    swept = sweep(place.store, named, older_than=LATER)

    assert swept.removed == ()
    assert len(asked) == 3


def test_the_sweep_discards_what_broken_uploads_left(tmp_path: Path) -> None:
    store = open_store(tmp_path.as_uri())
    (tmp_path / "staging" / "killed-in-the-middle").write_bytes(b"half")

    kept = sweep(store, list, older_than=LONG_AGO)
    swept = sweep(store, list, older_than=LATER + timedelta(days=1))

    assert (kept.abandoned, swept.abandoned) == (0, 1)
    assert list((tmp_path / "staging").iterdir()) == []


def test_an_unreachable_store_is_told_apart_from_a_missing_artifact() -> None:
    store = open_store(
        "s3://artifacts",
        endpoint="http://127.0.0.1:9",
        access_key_id="a",
        secret_access_key="b",
        retry_config={"max_retries": 0},
    )

    with pytest.raises(StoreUnreachableError) as unreachable:
        store.size(sha256(b""))

    assert unreachable.value.url == "s3://artifacts"


@pytest.mark.parametrize(
    "url", ["", "folder", "file://host/folder", "file:///", "ftp://host/x", "s3://"]
)
def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(StoreUrlError) as refused:
        open_store(url)

    assert refused.value.url == url


def test_a_file_in_the_way_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreUrlError):
        open_store((tmp_path / "file").as_uri())
