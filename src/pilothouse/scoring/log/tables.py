"""The log's tables in Delta Lake, written once for each position of a stream."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from pilothouse.domain.prediction_logs import LogPolicy
from pilothouse.scoring.log.rows import SCHEMAS, TableName

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

PARTITIONS = ["service", "day"]
RESTRICTED = "restricted"
# A commit every few seconds leaves many files of the table's own log; past a checkpoint nobody needs them for long.
CONFIGURATION = {"delta.logRetentionDuration": "interval 1 days"}
SAME_OUTCOME = "t.service = s.service AND t.outcome_id = s.outcome_id"


class LogTables:
    """
    The tables of one stage.

    Every commit names the stream and the position in it up to which it goes (an application transaction of Delta
    Lake), so whoever writes after a crash sees in the table itself what is there already.

    Parameters
    ----------
    root
        A folder or URL.
    stage
        The stage's name.
    """

    def __init__(self, root: str, *, stage: str) -> None:
        self._root, self._stage = root.rstrip("/"), stage
        self._open: dict[TableName, DeltaTable] = {}

    def uri(self, table: TableName) -> str:
        """Give where a table is; protected attributes are apart, so that access to them can be granted apart."""
        if table is TableName.PROTECTED:
            return f"{self._root}/{RESTRICTED}/{self._stage}/{table.value}"
        return f"{self._root}/{self._stage}/{table.value}"

    def position(self, table: TableName, stream: str) -> int:
        """Give the position up to which a stream is in a table; 0 where nothing of it is."""
        there = self._there(table)
        found = None if there is None else there.transaction_version(stream)
        return 0 if found is None else int(found)

    def append(self, table: TableName, rows: pa.Table, *, stream: str, position: int) -> None:
        """
        Append rows and the position that they reach; both are there, or neither.

        Outcomes whose id is there already are left out.
        """
        commit = CommitProperties(app_transactions=[Transaction(stream, position)])
        there = self._there(table) or self._made(table)
        if table is TableName.OUTCOMES:
            self._merge(there, rows, commit)
        else:
            write_deltalake(there, rows, mode="append", commit_properties=commit)

    def forget(self) -> None:
        """Open the tables anew when they are next used, after a commit whose end is not known."""
        self._open.clear()

    def tidy(self, logs: Mapping[str, LogPolicy], *, today: date, keep_removed_hours: int) -> None:
        """Join small files, remove days that are older than their service keeps, and files no longer used."""
        for table in TableName:
            there = self._there(table)
            if there is None:
                continue
            there.update_incremental()
            for service, day in _expired(there, logs, today):
                there.delete(f"service = '{service}' AND day = '{day}'")
            there.optimize.compact()
            there.vacuum(
                retention_hours=keep_removed_hours, dry_run=False, enforce_retention_duration=False
            )

    def _there(self, table: TableName) -> DeltaTable | None:
        if table not in self._open:
            if not DeltaTable.is_deltatable(self.uri(table)):
                return None
            self._open[table] = DeltaTable(self.uri(table))
        return self._open[table]

    def _made(self, table: TableName) -> DeltaTable:
        uri = self.uri(table)
        if "://" not in uri:
            Path(uri).mkdir(parents=True, exist_ok=True)
        self._open[table] = DeltaTable.create(
            uri,
            schema=SCHEMAS[table],
            mode="ignore",
            partition_by=PARTITIONS,
            configuration=CONFIGURATION,
            name=f"{self._stage} {table.value}",
        )
        return self._open[table]

    def _merge(self, there: DeltaTable, rows: pa.Table, commit: CommitProperties) -> None:
        seen: set[tuple[str, str]] = set()
        first = []
        for at, row in enumerate(zip(rows["service"].to_pylist(), rows["outcome_id"].to_pylist(), strict=True)):  # fmt: skip
            if row not in seen:
                seen.add(row)
                first.append(at)
        there.update_incremental()
        merging = there.merge(
            rows.take(first),
            predicate=SAME_OUTCOME,
            source_alias="s",
            target_alias="t",
            commit_properties=commit,
        )
        merging.when_not_matched_insert_all().execute()


def _expired(
    table: DeltaTable, logs: Mapping[str, LogPolicy], today: date
) -> list[tuple[str, date]]:
    found = set()
    for partition in table.partitions():
        service, day = str(partition["service"]), _day(partition["day"])
        wanted = logs.get(service, LogPolicy())
        if day < today - timedelta(days=wanted.retain_days):
            found.add((service, day))
    return sorted(found)


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))
