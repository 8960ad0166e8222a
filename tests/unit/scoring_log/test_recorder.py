from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.scoring.log.records import (
    Dropped,
    RecordInvalidError,
    Scored,
    decode,
    encode,
)
from pilothouse.scoring.log.segments import SegmentReader
from pilothouse.testing.clock import SetClock
from tests.unit.scoring_log.documents import INPUTS, OUTPUTS, recorder_in, scored

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.scoring.log.records import LogRecord


def records(folder: Path) -> list[LogRecord]:
    found = []
    for path in sorted(folder.glob("*.segment")):
        reader = SegmentReader(path)
        found += [decode(r.payload) for r in reader.records()]
        reader.close()
    return found


def test_a_record_comes_back_as_it_was() -> None:
    record = scored(1, flags=[(0, "amount", "range")])
    found = decode(encode(record))
    assert isinstance(found, Scored)
    assert (found.columns, found.prediction_id, found.role) == (
        record.columns,
        record.prediction_id,
        record.role,
    )


@given(content=st.binary(max_size=300))
def test_other_bytes_are_a_typed_error(content: bytes) -> None:
    with pytest.raises(RecordInvalidError):
        decode(content)


def test_columns_of_unequal_length_are_a_typed_error() -> None:
    with pytest.raises(RecordInvalidError, match="2 values for 1 rows"):
        decode(encode(scored(1, columns={"amount": [1.0, 2.0]})))


def test_whole_numbers_that_no_64_bits_hold_are_kept_as_the_binary64_that_they_are(
    tmp_path: Path,
) -> None:
    recorder, spool = recorder_in(tmp_path, SetClock())
    recorder.scored(scored(1, columns={"amount": [2**70, 3]}, rows=2, outputs={}), INPUTS, OUTPUTS)
    spool.close()
    _, record = records(tmp_path)
    assert isinstance(record, Scored)
    assert record.columns["amount"] == [2.0**70, 3]


def test_a_value_without_a_form_is_counted_and_never_raised(tmp_path: Path) -> None:
    recorder, spool = recorder_in(tmp_path, SetClock())
    recorder.scored(scored(1, columns={"account": ["\ud800"]}), INPUTS, OUTPUTS)
    assert sum(recorder.counts.dropped_rows.values()) == 1
    assert recorder.counts.rows.total() == 0
    spool.close()


def test_what_was_dropped_is_written_down_once_there_is_room(tmp_path: Path) -> None:
    clock, folder = SetClock(), tmp_path / "log"
    folder.mkdir()
    recorder, spool = recorder_in(folder, clock)
    folder.rmdir()
    for number in range(3):
        recorder.scored(scored(number, rows=2), INPUTS, OUTPUTS)
    folder.mkdir()
    clock.advance(timedelta(seconds=2))
    recorder.scored(scored(9), INPUTS, OUTPUTS)
    recorder.scored(scored(10), INPUTS, OUTPUTS)
    spool.close()
    told = [r for r in records(folder) if isinstance(r, Dropped)]
    assert [(d.service, d.reason, d.requests, d.rows) for d in told] == [("cc-fraud", "disk", 3, 6)]
    assert sum(recorder.counts.dropped_rows.values()) == 6
    assert recorder.counts.rows["cc-fraud"] == 2
