from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.desired import LogState
from pilothouse.scoring.log import hosted, status
from pilothouse.scoring.log.hosted import open_log
from pilothouse.scoring.log.settings import LogSettings, LogSettingsError
from pilothouse.testing.clock import CountingIds, SetClock

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = LogSettings(tables="/nowhere")


def test_without_what_tables_need_there_is_no_log_and_everybody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted, "NEEDED", ("numpy", "a_package_that_is_not_there"))
    log = open_log(tmp_path, SETTINGS, clock=SetClock(), ids=CountingIds())
    assert not log.recorder.on
    assert log.observed().state is LogState.UNAVAILABLE
    assert "a_package_that_is_not_there is not installed" in log.observed().reason
    assert not (tmp_path / "log").exists()


def test_a_folder_that_cannot_be_made_stops_the_log_alone(tmp_path: Path) -> None:
    log = open_log(tmp_path / "missing", SETTINGS, clock=SetClock(), ids=CountingIds())
    assert log.observed().state is LogState.UNAVAILABLE


def test_a_writer_that_says_nothing_is_noticed(tmp_path: Path) -> None:
    clock = SetClock()
    log = open_log(tmp_path, SETTINGS, clock=clock, ids=CountingIds())
    assert log.observed().state is LogState.ON
    clock.advance(timedelta(seconds=hosted.SILENT_S + 1))
    assert log.observed().state is LogState.STALLED


def test_a_status_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert status.read(tmp_path) is None
    (tmp_path / status.FILE).write_text("{")
    assert status.read(tmp_path) is None
    status.keep(tmp_path, status.WriterStatus(pid=1, at_us=2, problem="disk"))
    assert status.read(tmp_path) == status.WriterStatus(pid=1, at_us=2, problem="disk")


@pytest.mark.parametrize("tables", ["log", "./log", ""])
def test_tables_are_at_an_absolute_place(tables: str) -> None:
    with pytest.raises(LogSettingsError):
        LogSettings(tables=tables)
