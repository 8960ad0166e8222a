"""Streams that are checked as they pass."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.artifacts.streams import PromisedStream, verified
from pilothouse.domain.artifacts import (
    ArtifactCorruptError,
    ArtifactDigestError,
    ArtifactTooLargeError,
)

CHUNKS = st.lists(st.binary(max_size=8), max_size=8)


def sha256(chunks: list[bytes]) -> str:
    return hashlib.sha256(b"".join(chunks)).hexdigest()


@given(chunks=CHUNKS)
def test_a_promise_that_is_kept_passes_every_byte(chunks: list[bytes]) -> None:
    stream = PromisedStream(chunks, sha256=sha256(chunks), limit=None)

    passed = b"".join(stream)

    assert passed == b"".join(chunks)
    assert stream.size == len(passed)


@given(chunks=CHUNKS)
def test_a_promise_that_is_broken_never_reaches_its_end(chunks: list[bytes]) -> None:
    promised = sha256([*chunks, b"more"])

    with pytest.raises(ArtifactDigestError) as broken:
        list(PromisedStream(chunks, sha256=promised, limit=None))

    assert (broken.value.expected, broken.value.found) == (promised, sha256(chunks))


@given(chunks=CHUNKS, data=st.data())
def test_not_a_byte_over_the_limit_is_passed(chunks: list[bytes], data: st.DataObject) -> None:
    whole = b"".join([*chunks, b"x"])
    limit = data.draw(st.integers(0, len(whole) - 1))
    stream = PromisedStream([*chunks, b"x"], sha256=sha256([whole]), limit=limit)
    passed: list[bytes] = []

    with pytest.raises(ArtifactTooLargeError) as refused:
        passed.extend(stream)

    assert refused.value.limit == limit
    assert len(b"".join(passed)) <= limit


@given(chunks=CHUNKS)
def test_a_stream_of_just_the_limit_is_passed(chunks: list[bytes]) -> None:
    size = len(b"".join(chunks))

    assert len(b"".join(PromisedStream(chunks, sha256=sha256(chunks), limit=size))) == size


@given(chunks=CHUNKS)
def test_what_is_read_whole_is_given_whole(chunks: list[bytes]) -> None:
    assert b"".join(verified(chunks, sha256=sha256(chunks))) == b"".join(chunks)


@given(chunks=st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=8))
def test_the_last_chunk_of_something_else_is_never_given(chunks: list[bytes]) -> None:
    passed: list[bytes] = []

    with pytest.raises(ArtifactCorruptError):
        passed.extend(verified(chunks, sha256=64 * "0"))

    assert passed == chunks[:-1]
