"""Files, locks and logs of the local connector."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pilothouse.connectors.local.files import (
    ROTATE_BYTES,
    TAIL_BYTES,
    is_locked,
    last_lines,
    locked,
    read_document,
    rotate,
    write_document,
    write_whole,
)
from pilothouse.connectors.local.homes import JobProcess
from pilothouse.domain.plain import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

PROCESS = JobProcess(pid=7, started=11, attempt=1)


def test_a_document_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "process.json"

    assert write_document(path, PROCESS) is True
    assert write_document(path, PROCESS) is False
    assert read_document(JobProcess, path) == PROCESS
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["process.json"]


def test_a_document_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_document(JobProcess, tmp_path / "process.json") is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"pid": "7"}'])
def test_a_damaged_document_is_told_by_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "process.json").write_bytes(content)

    with pytest.raises(DocumentError) as broken:
        read_document(JobProcess, tmp_path / "process.json")

    assert broken.value.path.startswith("process.json")


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "inside").touch()

    with pytest.raises(OSError, match="folder"):
        write_whole(path, b"new")

    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_a_lock_is_seen_while_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    before = is_locked(path)

    with locked(path):
        during = is_locked(path)

    assert (before, during, is_locked(path)) == (False, True, False)


def test_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    path, inside, seen = tmp_path / "lock", [0], []

    def enter() -> None:
        for _ in range(20):
            with locked(path):
                inside[0] += 1
                seen.append(inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [1] * 80


@pytest.mark.parametrize(
    ("lines", "expected"), [(1, ["d"]), (3, ["b", "c", "d"]), (9, ["a", "b", "c", "d"])]
)
def test_the_last_lines_reach_back_into_the_rotated_log(
    tmp_path: Path, lines: int, expected: list[str]
) -> None:
    (tmp_path / "entry.log.1").write_text("a\nb\n")
    (tmp_path / "entry.log").write_text("c\nd\n")

    assert last_lines(tmp_path / "entry.log", lines=lines) == expected


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "entry.log", lines=5) == []


def test_a_very_long_line_is_cut_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "entry.log").write_text("x" * 20_000)

    (line,) = last_lines(tmp_path / "entry.log", lines=1)

    assert line == "x" * 10_000 + " … (cut)"


def test_a_huge_log_is_read_from_its_end_by_whole_lines(tmp_path: Path) -> None:
    (tmp_path / "entry.log").write_bytes(b"0123456789\n" * (TAIL_BYTES // 11 + 100))

    found = last_lines(tmp_path / "entry.log", lines=10_000)

    assert found == ["0123456789"] * 10_000


@pytest.mark.parametrize(("size", "rotated"), [(ROTATE_BYTES, False), (ROTATE_BYTES + 1, True)])
def test_a_log_is_set_aside_only_when_it_is_large(tmp_path: Path, size: int, rotated: bool) -> None:
    log = tmp_path / "entry.log"
    with log.open("wb") as file:
        file.truncate(size)

    rotate(log)

    assert (tmp_path / "entry.log.1").exists() is rotated
    assert log.exists() is not rotated
