from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import polars as pl
import pytest

from pilothouse.domain.prediction_logs import LogPolicy, SensitiveLogging
from pilothouse.scoring.log.privacy import Hasher, HashKeyMissingError
from pilothouse.scoring.log.records import Dropped, Observation, Role, Scored, Unanswered, encode
from pilothouse.scoring.log.rows import TableName
from pilothouse.scoring.log.tables import LogTables
from pilothouse.scoring.log.windows import WindowStore
from pilothouse.scoring.log.writer import SET_ASIDE, Writer
from pilothouse.testing.clock import SetClock
from tests.unit.scoring_log.documents import (
    AT_US,
    INPUTS,
    OUTPUTS,
    SECRET_ACCOUNTS,
    STAGE,
    STREAM,
    recorder_in,
    scored,
)

KEY = b"a key of sixteen bytes"


class KilledError(Exception):
    """Stands for the end of the process at that place."""


@dataclass
class House:
    """A spool, its tables, and as many writers as are started one after another."""

    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    logs: dict[str, LogPolicy] = field(default_factory=dict)
    key: bytes | None = KEY

    def __post_init__(self) -> None:
        self.spooled, self.root = self.folder / "log", str(self.folder / "tables")
        self.spooled.mkdir()
        self.recorder, self.spool = recorder_in(self.spooled, self.clock)

    def record(self, *records: Scored, inputs: Any = INPUTS) -> None:  # noqa: ANN401
        for record in records:
            self.recorder.scored(record, inputs, OUTPUTS)

    def writer(self, tables: LogTables | None = None, windows: WindowStore | None = None) -> Writer:
        return Writer(
            self.spooled,
            tables=tables or LogTables(self.root, stage=STAGE),
            windows=windows or WindowStore(self.root, stage=STAGE),
            logs=lambda: self.logs,
            hasher=Hasher(self.key),
            clock=self.clock,
        )

    def want(self, **log: Any) -> None:  # noqa: ANN401
        self.logs["cc-fraud"] = LogPolicy(**log)

    def rows(self, table: TableName) -> list[dict[str, Any]]:
        uri = LogTables(self.root, stage=STAGE).uri(table)
        if not deltalake.DeltaTable.is_deltatable(uri):
            return []
        found: list[dict[str, Any]] = (
            deltalake.DeltaTable(uri).to_pyarrow_table().sort_by("at").to_pylist()
        )
        return found

    def ids(self) -> list[str]:
        return sorted(r["prediction_id"] for r in self.rows(TableName.PREDICTIONS))

    def windows(self, *, restricted: bool = False) -> list[dict[str, Any]]:
        place = Path(self.root) / ("restricted" if restricted else "") / STAGE / "windows"
        return [json.loads(p.read_bytes()) for p in sorted(place.rglob("*.json"))]

    def segments(self) -> list[Path]:
        return sorted(self.spooled.glob("*.segment"))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_rows_of_a_segment_that_is_still_appended_to_are_written_as_they_come(house: House) -> None:
    writer = house.writer()
    house.record(scored(1))
    assert writer.write()
    house.record(scored(2, rows=2))
    assert writer.write()
    assert not writer.write()
    assert house.ids() == ["prd_1", "prd_2", "prd_2"]
    assert [r["row"] for r in house.rows(TableName.PREDICTIONS)] == [0, 0, 1]
    assert len(house.segments()) == 1


def test_a_row_says_all_that_is_known_of_it(house: House) -> None:
    house.record(scored(1, flags=[(0, "amount", "range")]))
    house.writer().write()
    (row,) = house.rows(TableName.PREDICTIONS)
    assert json.loads(row.pop("inputs")) == {"account": "4711", "amount": 25.0, "age": None}
    assert json.loads(row.pop("outputs")) == {"score": 0.001}
    assert json.loads(row.pop("flags")) == [{"column": "amount", "kind": "range"}]
    assert row.pop("at").timestamp() * 1e6 == AT_US + 1
    assert row == {
        "service": "cc-fraud",
        "day": date(2026, 1, 5),
        "prediction_id": "prd_1",
        "row": 0,
        "key": "4711",
        "sticky_key": "customer-9",
        "snapshot": "gbm@7",
        "digest": "d" * 64,
        "deployment": "dep_1",
        "role": "routed",
        "route_generation": 3,
        "latency_us": 250,
        "sampling": 1.0,
    }


def test_sensitive_values_are_in_no_table_and_protected_ones_in_their_own(house: House) -> None:
    house.record(scored(1), scored(1, role=Role.SHADOW, snapshot="gbm@8"))
    house.writer().write()
    everything = b"".join(p.read_bytes() for p in Path(house.root).rglob("*.parquet"))
    assert b"51000" not in everything
    assert all("sex" not in r["inputs"] for r in house.rows(TableName.PREDICTIONS))
    (row,) = house.rows(TableName.PROTECTED)
    assert (row["prediction_id"], row["row"], row["values"]) == ("prd_1", 0, '{"sex":"f"}')
    assert "/restricted/" in LogTables(house.root, stage=STAGE).uri(TableName.PROTECTED)


def test_sensitive_values_become_hashes_where_a_service_asks_for_them(house: House) -> None:
    house.want(sensitive=SensitiveLogging.HASH)
    house.record(scored(1), scored(2), inputs=SECRET_ACCOUNTS)
    house.writer().write()
    first, second = house.rows(TableName.PREDICTIONS)
    hasher = Hasher(KEY)
    assert json.loads(first["inputs"])["income"] == hasher.one(51_000.0)
    assert first["key"] == second["key"] == hasher.one("4711")
    assert first["sticky_key"] == hasher.one("customer-9")


def test_a_sensitive_business_key_takes_the_sticky_key_with_it(house: House) -> None:
    house.record(scored(1), inputs=SECRET_ACCOUNTS)
    house.writer().write()
    (row,) = house.rows(TableName.PREDICTIONS)
    assert (row["key"], row["sticky_key"]) == (None, None)


def test_without_a_key_nothing_is_written_and_nothing_is_lost(house: House) -> None:
    house.want(sensitive=SensitiveLogging.HASH)
    house.key = None
    house.record(scored(1))
    writer = house.writer()
    for _ in range(2):
        with pytest.raises(HashKeyMissingError):
            writer.write()
    assert house.ids() == []
    house.want(sensitive=SensitiveLogging.OMIT)
    writer.write()
    assert house.ids() == ["prd_1"]


def test_a_share_of_requests_is_kept_whole_and_the_others_are_counted(house: House) -> None:
    house.record(*(scored(n, rows=2, sampling=0.25) for n in range(400)))
    house.spool.close()
    writer = house.writer()
    writer.write()
    rows = house.rows(TableName.PREDICTIONS)
    assert 140 <= len(rows) <= 260
    assert {r["sampling"] for r in rows} == {0.25}
    assert writer.written.sampled_out == 800 - len(rows)
    models = [m for w in house.windows() for m in w["models"]]
    assert sum(m["rows"] for m in models) == 800
    assert sum(m["kept_rows"] for m in models) == len(rows)


def test_a_request_larger_than_a_segment_is_logged_in_parts_and_counted_once(house: House) -> None:
    house.record(scored(1, rows=3000, flags=[(2999, "amount", "range")]))
    house.spool.close()
    house.writer().write()
    rows = house.rows(TableName.PREDICTIONS)
    assert sorted(r["row"] for r in rows) == list(range(3000))
    assert [r["row"] for r in rows if r["flags"]] == [2999]
    requests = [r for w in house.windows() for r in w["requests"]]
    assert sum(r["requests"] for r in requests) == 1


class DyingTables(LogTables):
    """Is killed before or after its n-th commit."""

    def __init__(self, root: str, *, commits: int, after: bool) -> None:
        super().__init__(root, stage=STAGE)
        self._left, self._after = commits, after

    def append(self, table: TableName, rows: Any, *, stream: str, position: int) -> None:  # noqa: ANN401
        self._left -= 1
        if self._left == 0 and not self._after:
            raise KilledError
        super().append(table, rows, stream=stream, position=position)
        if self._left == 0:
            raise KilledError


class DyingWindows(WindowStore):
    """Is killed before or after a window is put."""

    def __init__(self, root: str, *, after: bool) -> None:
        super().__init__(root, stage=STAGE)
        self._after = after

    def put(self, window: Any) -> None:  # noqa: ANN401
        if self._after:
            super().put(window)
        raise KilledError


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commits", [1, 2, 3, 4])
@pytest.mark.parametrize("same", [False, True])
def test_a_writer_killed_at_any_commit_doubles_nothing_and_loses_nothing(
    house: House, commits: int, *, after: bool, same: bool
) -> None:
    house.record(*(scored(n) for n in range(100)))
    house.recorder.observed([observation(1)])
    dying = house.writer(DyingTables(house.root, commits=commits, after=after))

    def records_come_meanwhile() -> None:
        for first in range(100, 200, 10):
            dying.write()
            house.record(*(scored(n) for n in range(first, first + 10)))

    with pytest.raises(KilledError):
        records_come_meanwhile()
    house.spool.close()
    written = [len(house.ids())]
    if not same:
        dying = house.writer()
    else:
        dying._tables._left = 10**6  # type: ignore[attr-defined]  # the commit failed, the process lives
    while dying.write():
        written.append(len(house.ids()))
    recorded = house.recorder.counts.rows["cc-fraud"]
    assert written[-1] == recorded
    assert len(set(house.ids())) == recorded
    assert len(house.rows(TableName.PROTECTED)) == recorded
    assert len(house.rows(TableName.OUTCOMES)) == 1
    assert sum(m["rows"] for w in house.windows() for m in w["models"]) == recorded
    assert house.segments() == []


@pytest.mark.parametrize("after", [False, True])
def test_a_writer_killed_while_it_puts_a_window_leaves_it_once(
    house: House, *, after: bool
) -> None:
    house.record(scored(1))
    house.spool.close()
    with pytest.raises(KilledError):
        house.writer(windows=DyingWindows(house.root, after=after)).write()
    house.writer().write()
    assert house.ids() == ["prd_1"]
    assert [m["rows"] for w in house.windows() for m in w["models"]] == [1]
    assert house.segments() == []


def test_several_streams_are_told_apart(house: House) -> None:
    house.record(scored(1))
    house.spool.close()
    house.recorder, house.spool = recorder_in(house.spooled, house.clock, stream="cd" * 16)
    house.record(scored(2))
    house.spool.close()
    house.writer().write()
    assert house.ids() == ["prd_1", "prd_2"]


def test_what_was_read_before_a_broken_record_is_kept_and_the_segment_is_set_aside(
    house: House,
) -> None:
    house.record(scored(1))
    house.spool.append(b"no record at all")
    house.record(scored(2))
    writer = house.writer()
    assert not writer.write()  # somebody still appends to it
    assert house.ids() == ["prd_1"]
    house.spool.close()
    assert writer.write()
    assert house.ids() == ["prd_1"]
    assert [p.parent.name for p in house.spooled.rglob("*.segment")] == [SET_ASIDE]
    assert writer.written.set_aside == 1
    (window,) = house.windows()
    assert (window["broken"], window["models"][0]["rows"]) == (True, 1)


def test_rows_of_a_snapshot_that_nobody_described_are_not_guessed_at(house: House) -> None:
    house.spool.append(encode(scored(1)))
    house.spool.close()
    writer = house.writer()
    writer.write()
    assert (house.ids(), writer.written.set_aside) == ([], 1)


def observation(number: int, **changes: Any) -> Observation:  # noqa: ANN401
    return Observation(
        **{
            "service": "cc-fraud",
            "outcome_id": f"out-{number}",
            "prediction_id": "prd_1",
            "row": 0,
            "key": None,
            "value": True,
            "label_us": AT_US,
            "at_us": AT_US + number,
            "token": "tok_1",
            **changes,
        }
    )


def test_outcomes_are_kept_once_for_each_id(house: House) -> None:
    writer = house.writer()
    house.recorder.observed([observation(1), observation(1), observation(2, value="late")])
    writer.write()
    house.recorder.observed([observation(2), observation(1, service="heloc")])
    writer.write()
    found = {(r["service"], r["outcome_id"], r["value"]) for r in house.rows(TableName.OUTCOMES)}
    assert found == {
        ("cc-fraud", "out-1", "true"),
        ("cc-fraud", "out-2", '"late"'),
        ("heloc", "out-1", "true"),
    }
    assert len(house.rows(TableName.OUTCOMES)) == 3


def test_an_outcome_by_a_sensitive_key_meets_the_hash_of_its_prediction(house: House) -> None:
    house.want(sensitive=SensitiveLogging.HASH)
    house.record(scored(1), inputs=SECRET_ACCOUNTS)
    house.recorder.observed([observation(1, prediction_id=None, key="4711", sensitive_key=True)])
    house.writer().write()
    (prediction,), (outcome,) = house.rows(TableName.PREDICTIONS), house.rows(TableName.OUTCOMES)
    assert outcome["key"] == prediction["key"] is not None


def test_windows_count_requests_that_were_not_answered_and_what_was_dropped(house: House) -> None:
    for number in range(3):
        house.recorder.unanswered(
            Unanswered(
                service="cc-fraud",
                snapshot="gbm@7",
                outcome="rejected",
                prediction_id=f"prd_{number}",
                at_us=AT_US,
            )
        )
    house.spool.append(
        encode(Dropped(service="cc-fraud", reason="disk", requests=2, rows=5, at_us=AT_US))
    )
    house.record(scored(1))
    house.spool.close()
    house.writer().write()
    (window,) = house.windows()
    assert {(r["outcome"], r["requests"]) for r in window["requests"]} == {
        ("rejected", 3),
        ("success", 1),
    }
    assert window["dropped"] == [
        {"service": "cc-fraud", "reason": "disk", "requests": 2, "rows": 5}
    ]


def test_sensitive_and_protected_columns_are_counted_in_restricted_windows_alone(
    house: House,
) -> None:
    house.record(scored(1))
    house.spool.close()
    house.writer().write()
    (window,), (restricted,) = house.windows(), house.windows(restricted=True)
    assert set(window["models"][0]["inputs"]) == {"account", "amount", "age"}
    assert set(restricted["models"][0]["inputs"]) == {"income", "sex"}
    assert restricted["models"][0]["inputs"]["sex"]["cells"] == [["f", 1]]


def test_polars_and_duckdb_read_the_tables(house: House) -> None:
    house.record(*(scored(n) for n in range(5)))
    house.writer().write()
    uri = LogTables(house.root, stage=STAGE).uri(TableName.PREDICTIONS)
    frame = pl.read_delta(uri)
    assert frame.height == 5
    assert frame["inputs"].str.json_path_match("$.amount").to_list() == ["25.0"] * 5
    with duckdb.connect() as others:
        others.register("predictions", deltalake.DeltaTable(uri).to_pyarrow_dataset())
        ((total,),) = others.execute(
            "SELECT sum(json_extract(outputs, '$.score')::DOUBLE) FROM predictions "
            "WHERE day = DATE '2026-01-05'"
        ).fetchall()
    assert total == pytest.approx(0.01)


def test_small_files_are_joined_and_old_days_removed(house: House) -> None:
    house.want(retain_days=30)
    writer = house.writer()
    old = AT_US - 31 * 86_400_000_000
    house.record(scored(1, at_us=old))
    for number in range(2, 6):
        house.record(scored(number))
        writer.write()
    uri = LogTables(house.root, stage=STAGE).uri(TableName.PREDICTIONS)
    assert len(deltalake.DeltaTable(uri).file_uris()) == 5

    writer.tidy(keep_removed_hours=0)

    assert house.ids() == ["prd_2", "prd_3", "prd_4", "prd_5"]
    assert len(deltalake.DeltaTable(uri).file_uris()) == 1
    assert len(list(Path(uri).rglob("*.parquet"))) == 1
    house.record(scored(6))
    writer.write()
    assert len(house.ids()) == 5


def test_positions_outlive_a_checkpoint_and_the_cleaning_of_the_tables_own_log(
    house: House,
) -> None:
    house.record(scored(1))
    house.writer().write()
    uri = LogTables(house.root, stage=STAGE).uri(TableName.PREDICTIONS)
    table = deltalake.DeltaTable(uri)
    table.create_checkpoint()
    table.cleanup_metadata()

    house.record(scored(2))
    house.writer().write()

    assert house.ids() == ["prd_1", "prd_2"]
    assert LogTables(house.root, stage=STAGE).position(TableName.PREDICTIONS, STREAM) > 1 << 32


def test_what_waits_is_told_in_bytes_and_age(house: House) -> None:
    writer = house.writer()
    assert writer.waiting().size == 0
    house.record(scored(1))
    house.clock.advance(timedelta(seconds=7))
    waiting = writer.waiting()
    assert waiting.size > 100
    assert writer.behind_s(waiting) == 7
    writer.write()
    assert writer.behind_s(writer.waiting()) == 0
    assert writer.waiting().size == 0
