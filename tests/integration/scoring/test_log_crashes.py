"""
The log reconciles with what a client saw, while the entry and its writer are killed at any moment.

There is no control plane in these tests at all: the entry goes on from its disk.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import deltalake
import pytest

from pilothouse.scoring.log.settings import LogSettings
from pilothouse.scoring.log.spool import SpoolLimits
from tests.entries.documents import TOKEN, one
from tests.entries.running import (
    SERVE_STEERED,
    EntryClient,
    body,
    entry_process,
    make_home,
    settings_of,
    until,
)

if TYPE_CHECKING:
    from pathlib import Path

GOOD = json.dumps(body(2)).encode()
BAD = json.dumps(body(amount=("FP64", -1.0))).encode()
OUTCOMES = {422: "rejected", 503: "unavailable"}
HEADERS = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}


class Load:
    """Asks without pause over one connection, and keeps what it was told."""

    def __init__(self, home: Path, *, seed: int) -> None:
        self._home, self._random = home, random.Random(seed)  # noqa: S311 a seed
        self.answered: list[str] = []
        self.others: Counter[str] = Counter()
        self.broken = 0
        self.ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self.ending.is_set():
            with suppress(OSError, ValueError):  # the entry is being started
                client = EntryClient(self._home)
                connection = http.client.HTTPConnection(client.host, client.port, timeout=20)
                connection.connect()
                self._ask(connection)

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        while not self.ending.is_set():
            content = GOOD if self._random.random() < 0.9 else BAD
            try:
                connection.request("POST", "/v2/models/cc-fraud/infer", content, HEADERS)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.broken += 1  # nobody knows whether it was answered
                connection.close()
                return
            if answer.status == 200:
                self.answered.append(answer.headers["x-prediction-id"])
            else:
                self.others[OUTCOMES[answer.status]] += 1


def writer_of(home: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(json.loads((home / "log" / "writer.json").read_bytes())["pid"])
    return None


def kill(pid: int | None) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def windows(folder: Path) -> list[dict[str, Any]]:
    place = folder / "tables" / "PROD" / "windows"
    return [json.loads(p.read_bytes()) for p in place.rglob("*.json")]


class Logged:
    """What the tables and the windows of a finished log say."""

    def __init__(self, folder: Path) -> None:
        uri = str(folder / "tables" / "PROD" / "predictions")
        found = deltalake.DeltaTable(uri).to_pyarrow_table(columns=["prediction_id", "row"])
        self.rows = Counter((r["prediction_id"], r["row"]) for r in found.to_pylist())
        self.predictions = {prediction for prediction, _ in self.rows}
        self.windows = windows(folder)
        self.models = [m for w in self.windows for m in w["models"]]
        self.requests: Counter[str] = Counter()
        for window in self.windows:
            for counted in window["requests"]:
                self.requests[counted["outcome"]] += counted["requests"]


def crash_again_and_again(home: Path, load: Load, chance: random.Random) -> None:
    for _ in range(6):
        with entry_process(home, SERVE_STEERED) as entry:
            until(lambda: EntryClient(home).effective() == 1)
            for _ in range(2):
                wanted = len(load.answered) + chance.randrange(50, 1500)
                until(lambda wanted=wanted: len(load.answered) >= wanted, timeout_s=120)  # type: ignore[misc]
                if chance.random() < 0.7:
                    kill(writer_of(home))
            if chance.random() < 0.8:
                entry.kill()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_every_answer_is_in_the_tables_once_and_all_counts_agree(tmp_path: Path, seed: int) -> None:
    spool = SpoolLimits(segment_bytes=256 * 1024, total_bytes=512 * 256 * 1024, rotate_s=1.0)
    log = LogSettings(tables=str(tmp_path / "tables"), spool=spool, write_s=0.05, close_s=60)
    home = make_home(tmp_path, settings_of(tmp_path, log=log))
    with entry_process(home, SERVE_STEERED):
        EntryClient(home).take(one(1))
    with Load(home, seed=seed) as load:
        crash_again_and_again(home, load, random.Random(seed))  # noqa: S311 a seed
    with entry_process(home, SERVE_STEERED):
        until(lambda: not list((home / "log").rglob("*.segment")), timeout_s=120)

    logged = Logged(tmp_path)

    assert max(logged.rows.values()) == 1
    assert not set(load.answered) - logged.predictions
    assert len(logged.predictions) - len(load.answered) <= load.broken
    assert len(logged.rows) == 2 * len(logged.predictions)
    assert sum(m["rows"] for m in logged.models) == len(logged.rows)
    assert sum(m["kept_rows"] for m in logged.models) == len(logged.rows)
    cells = [c for m in logged.models for c in m["inputs"]["amount"]["cells"]]
    assert sum(c[2] for c in cells) == len(logged.rows)
    assert logged.requests["success"] == len(logged.predictions)
    for outcome, told in load.others.items():
        assert told <= logged.requests[outcome] <= told + load.broken
    assert not any(w["broken"] or w["dropped"] for w in logged.windows)
