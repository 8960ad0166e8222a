from __future__ import annotations

import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.scoring.log.segments import (
    HEADER,
    SMALLEST,
    Segment,
    SegmentInvalidError,
    SegmentName,
    SegmentReader,
)

if TYPE_CHECKING:
    from pathlib import Path

STREAM = "ab" * 16
NAME = SegmentName(stream=STREAM, number=1)


def made(folder: Path, *payloads: bytes, size: int = SMALLEST) -> Segment:
    segment = Segment(folder, NAME, size=size, made_us=1_767_614_400_000_000)
    for payload in payloads:
        segment.append(payload)
    return segment


def let_go(segment: Segment) -> None:
    """Leave a segment as a process does that is killed."""
    segment._words.release()
    segment._map.close()
    os.close(segment._handle)


def read(path: Path, *, after: int = 0) -> list[bytes]:
    reader = SegmentReader(path)
    try:
        return [r.payload for r in reader.records(after=after)]
    finally:
        reader.close()


def altered(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def test_records_are_read_while_the_segment_is_still_appended_to(tmp_path: Path) -> None:
    segment = made(tmp_path, b"one")
    reader = SegmentReader(segment.path)
    assert [r.payload for r in reader.records()] == [b"one"]
    assert not reader.finished

    segment.append(b"two")

    first, second = reader.records()
    assert (first.payload, second.payload) == (b"one", b"two")
    assert [r.payload for r in reader.records(after=first.end)] == [b"two"]
    reader.close()
    segment.seal()


def test_a_sealed_segment_is_finished_and_says_where_it_ends(tmp_path: Path) -> None:
    segment = made(tmp_path, b"one", b"")
    segment.seal()
    reader = SegmentReader(segment.path)
    assert reader.finished
    assert reader.sealed == segment.end
    reader.close()


def test_a_segment_has_all_of_its_disk_from_the_start(tmp_path: Path) -> None:
    segment = made(tmp_path, size=16 * SMALLEST)
    assert segment.path.stat().st_blocks * 512 >= 16 * SMALLEST
    segment.seal()


def test_a_segment_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError):  # noqa: PT011 whatever the system says of so large a file
        Segment(tmp_path, NAME, size=1 << 62, made_us=0)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, deadline=None)
@given(
    payloads=st.lists(st.binary(min_size=1, max_size=90), min_size=1, max_size=20),
    cut=st.integers(0, 200),
)
def test_whatever_of_the_last_record_was_written_those_before_it_are_read(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    segment = made(folder, *payloads[:-1])
    before = segment.end
    segment.append(payloads[-1])
    end = segment.end
    whole = segment.path.read_bytes()
    let_go(segment)
    kept = min(before + cut, end)
    segment.path.write_bytes(whole[:kept] + bytes(len(whole) - kept))

    found = read(segment.path)

    assert found[: len(payloads) - 1] == payloads[:-1]
    assert len(found) <= len(payloads)
    if len(found) == len(payloads):
        assert found[-1] == payloads[-1]


def test_a_record_without_its_length_is_not_there_yet(tmp_path: Path) -> None:
    segment = made(tmp_path, b"one")
    altered(segment.path, segment.end + 4, struct.pack("<I", 7) + b"payload")
    assert read(segment.path) == [b"one"]
    segment.seal()


def test_a_torn_record_is_told_once_its_process_is_gone(tmp_path: Path) -> None:
    segment = made(tmp_path, b"one")
    altered(segment.path, segment.end, struct.pack("<II", 7, 1) + b"payload")
    reader = SegmentReader(segment.path)
    assert [r.payload for r in reader.records()] == [b"one"]
    in_the_making = reader.torn
    assert not in_the_making
    let_go(segment)
    reader.look()
    assert [r.payload for r in reader.records()] == [b"one"]
    assert reader.torn
    reader.close()


@pytest.mark.parametrize(
    ("at", "content", "words"),
    [
        (0, b"NOTALOG!", "first bytes"),
        (24, b"\x09", "header was altered"),
        (56, (8).to_bytes(8, "little"), "sealed at 8"),
        (56, (2**40).to_bytes(8, "little"), "sealed at"),
        (56, (HEADER.size + 64).to_bytes(8, "little"), "records end at"),
        (HEADER.size + 8, b"x", "checksum"),
        (HEADER.size, struct.pack("<I", 2**31), "checksum"),
        (HEADER.size, struct.pack("<I", 0), "records end at"),
    ],
)
def test_a_segment_that_was_altered_is_refused_with_its_place(
    tmp_path: Path, at: int, content: bytes, words: str
) -> None:
    segment = made(tmp_path, b"one")
    segment.seal()
    altered(segment.path, at, content)
    with pytest.raises(SegmentInvalidError, match=words):
        read(segment.path)


def test_a_segment_under_another_name_is_refused(tmp_path: Path) -> None:
    segment = made(tmp_path, b"one")
    segment.seal()
    moved = segment.path.rename(tmp_path / SegmentName(stream=STREAM, number=2).file)
    with pytest.raises(SegmentInvalidError, match="by its header"):
        SegmentReader(moved)


@pytest.mark.parametrize("content", [b"", b"short", bytes(SMALLEST), b"\xff" * SMALLEST])
def test_any_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / NAME.file
    path.write_bytes(content)
    with pytest.raises(SegmentInvalidError):
        SegmentReader(path)


@settings(max_examples=80, deadline=None)
@given(content=st.binary(max_size=600), sealed=st.booleans())
def test_hostile_records_end_in_a_typed_error_or_in_nothing(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, *, sealed: bool
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    segment = made(folder, b"one")
    at = HEADER.size
    if sealed:
        segment.seal()
    altered(folder / NAME.file, at, content)
    with suppress(SegmentInvalidError):
        assert len(read(folder / NAME.file)) <= SMALLEST // 8
    if not sealed:
        segment.seal()
