from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.scoring.log.segments import SMALLEST, SegmentReader
from pilothouse.scoring.log.spool import DropReason, Spool, SpoolLimits, SpoolLimitsError
from pilothouse.testing.clock import SetClock

if TYPE_CHECKING:
    from pathlib import Path

STREAM = "cd" * 16
LIMITS = SpoolLimits(segment_bytes=SMALLEST, total_bytes=3 * SMALLEST, rotate_s=30, retry_s=1)
APPENDING = """
import sys
from pathlib import Path
from pilothouse.observability.clock import SystemClock
from pilothouse.scoring.log.spool import Spool, SpoolLimits
limits = SpoolLimits(segment_bytes=65536, total_bytes=1 << 30)
spool = Spool(Path(sys.argv[1]), stream="ef" * 16, limits=limits, clock=SystemClock())
number = 0
while True:
    number += 1
    assert spool.append(b"%d" % number * 20, about=1, description=lambda: b"about") is None
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def spool_in(folder: Path, clock: SetClock, limits: SpoolLimits = LIMITS) -> Spool:
    return Spool(folder, stream=STREAM, limits=limits, clock=clock)


def append(spool: Spool, payload: bytes, about: str = "a") -> DropReason | None:
    return spool.append(payload, about=about, description=f"about {about}".encode)


def contents(folder: Path) -> list[list[bytes]]:
    found = []
    for path in sorted(folder.glob("*.segment")):
        reader = SegmentReader(path)
        found.append([r.payload for r in reader.records()])
        reader.close()
    return found


def test_every_segment_describes_what_its_records_are_about(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, SetClock())
    for payload in (b"1" * 1500, b"2" * 1500, b"3" * 1500):
        assert append(spool, payload) is None
    assert append(spool, b"4", about="b") is None
    assert contents(tmp_path) == [
        [b"about a", b"1" * 1500, b"2" * 1500],
        [b"about a", b"3" * 1500, b"about b", b"4"],
    ]
    spool.close()


def test_a_full_spool_drops_and_counts_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    clock = SetClock()
    spool = spool_in(tmp_path, clock)
    big = b"x" * 3000
    assert [append(spool, big) for _ in range(4)] == [None, None, None, DropReason.BACKLOG]
    oldest = min(tmp_path.glob("*.segment"))
    oldest.unlink()
    assert append(spool, big) is DropReason.BACKLOG  # the folder is not asked at every request

    clock.advance(timedelta(seconds=1))

    assert append(spool, big) is None
    assert (spool.appended, spool.dropped) == (4, {DropReason.BACKLOG: 2})
    spool.close()


def test_segments_set_aside_count_for_the_bound(tmp_path: Path) -> None:
    (tmp_path / "set-aside").mkdir()
    for number in range(3):
        (tmp_path / "set-aside" / f"{number}.segment").write_bytes(bytes(SMALLEST))
    spool = spool_in(tmp_path, SetClock())
    assert append(spool, b"x") is DropReason.BACKLOG


def test_a_record_larger_than_a_segment_is_dropped_alone(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, SetClock())
    assert append(spool, b"x" * SMALLEST) is DropReason.SIZE
    assert append(spool, b"x") is None
    spool.close()


def test_a_disk_that_refuses_drops_and_counts(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    clock = SetClock()
    spool = spool_in(gone, clock)
    gone.rmdir()
    assert append(spool, b"x") is DropReason.DISK
    gone.mkdir()
    assert append(spool, b"x") is DropReason.DISK
    clock.advance(timedelta(seconds=2))
    assert append(spool, b"x") is None
    spool.close()


def test_an_old_segment_is_finished_although_it_has_room(tmp_path: Path) -> None:
    clock = SetClock()
    spool = spool_in(tmp_path, clock)
    spool.tend()
    append(spool, b"1")
    clock.advance(timedelta(seconds=29))
    spool.tend()
    append(spool, b"2")
    clock.advance(timedelta(seconds=1))
    spool.tend()
    append(spool, b"3")
    assert contents(tmp_path) == [[b"about a", b"1", b"2"], [b"about a", b"3"]]
    spool.close()


def test_a_segment_whose_making_was_cut_off_is_swept(tmp_path: Path) -> None:
    (tmp_path / f"{STREAM}-0000000001.segment.making").write_bytes(b"half")
    spool = spool_in(tmp_path, SetClock())
    assert append(spool, b"x") is None
    assert len(list(tmp_path.iterdir())) == 1
    spool.close()


@pytest.mark.parametrize("limits", [(100, 10**9), (5000, 10**9), (8192, 8192)])
def test_limits_that_make_no_sense_are_refused(limits: tuple[int, int]) -> None:
    with pytest.raises(SpoolLimitsError):
        SpoolLimits(segment_bytes=limits[0], total_bytes=limits[1])


@pytest.mark.parametrize("lines", [1, 50, 700, 2500])
def test_a_killed_process_leaves_every_record_that_it_told_of(tmp_path: Path, lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", APPENDING, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(lines)]
    os.kill(process.pid, signal.SIGKILL)
    told += [
        int(line)
        for line in process.stdout.read().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    process.wait()
    process.stdout.close()
    found = [p for s in contents(tmp_path) for p in s if p != b"about"]
    expected = [b"%d" % n * 20 for n in range(1, len(found) + 1)]
    assert found == expected
    assert len(found) >= told[-1]
