"""What becomes of desired states."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.connectors.local import homes
from pilothouse.connectors.local.files import read_document
from pilothouse.connectors.local.processes import ProcessIdentity, is_alive
from pilothouse.connectors.settings import PredictionLog
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.ids import RuntimeId, ServiceTag
from pilothouse.domain.plain import DocumentError, canonical
from pilothouse.scoring.entry import DesiredNotMineError, GenerationTakenError, check
from pilothouse.scoring.log.settings import LogSettings
from pilothouse.scoring.serve import Running
from pilothouse.scoring.state import Home, HomeHeldError, HomeInvalidError
from tests.entries.documents import deployment, desired, one, route, variant
from tests.entries.running import make_home, settings_of
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from pathlib import Path

GOOD = one(1)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"deployments": [deployment(1), deployment(1)]}, "deployments"),
        ({"deployments": [deployment(1, digest="abc")]}, "deployments[0]"),
        ({"deployments": [replace(deployment(1), number=2)]}, "deployments[0]"),
        ({"routes": [route(1, variant(1)), route(2, variant(1))]}, "routes"),
        ({"routes": [route(1, variant(9))]}, "routes[0].variants"),
        ({"routes": [route(1, variant(1, -1.0))]}, "routes[0].variants"),
        ({"routes": [route(1, variant(1, 0.0))]}, "routes[0].variants"),
        ({"routes": [route(1, variant(1, float("inf")))]}, "routes[0].variants"),
        ({"routes": [route(1, variant(1), variant(1))]}, "routes[0].variants"),
        ({"routes": [route(1, variant(1), shadows=[variant(1, 1.5)])]}, "routes[0].shadows"),
        ({"routes": [route(1, variant(1), service=ServiceTag("heloc"))]}, "routes[0].variants"),
    ],
)
def test_a_desired_state_that_contradicts_itself_is_refused(
    changes: dict[str, Any], path: str, tmp_path: Path
) -> None:
    given = {"deployments": GOOD.deployments, "routes": GOOD.routes, **changes}
    wrong = desired(1, **given)
    with pytest.raises(DocumentError) as caught:
        check(wrong, settings_of(tmp_path))
    assert caught.value.path == path


@pytest.mark.parametrize("service", ["../x", "Fraud", "a b"])
def test_a_service_has_a_name_that_every_floor_can_carry(service: str, tmp_path: Path) -> None:
    wrong = desired(1, deployments=[deployment(1, service=ServiceTag(service))])
    with pytest.raises(PilothouseError) as caught:
        check(wrong, settings_of(tmp_path))
    assert caught.value.code == "name-invalid"


def test_a_desired_state_of_another_runtime_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DesiredNotMineError) as caught:
        check(desired(1, runtime_id=RuntimeId("rt_2")), settings_of(tmp_path))
    assert caught.value.found == "rt_2 in PROD"


async def entry_in(folder: Path) -> tuple[Running, Home]:
    home = Home(make_home(folder, settings_of(folder)))
    return Running(home, home.settings(), open_scorer=Workshop()), home


async def end(running: Running) -> None:
    await running.hosting.close(timeout_s=10)
    await running.server.close(timeout_s=1)
    await running.control.close(timeout_s=1)


def test_generations_only_rise(tmp_path: Path) -> None:
    async def run() -> None:
        running, home = await entry_in(tmp_path)
        await running.entry.take(one(1, generation=5))
        lower = await running.entry.take(one(2, generation=4))
        again = await running.entry.take(one(1, generation=5))
        with pytest.raises(GenerationTakenError) as caught:
            await running.entry.take(one(2, generation=5))

        assert (lower.generation, lower.applied) == (5, False)
        assert (again.generation, again.applied) == (5, True)
        assert caught.value.generation == 5
        assert home.desired() == one(1, generation=5)
        await end(running)

    asyncio.run(run())


def test_of_many_states_at_once_the_highest_remains_in_memory_and_on_disk(tmp_path: Path) -> None:
    async def run() -> None:
        running, home = await entry_in(tmp_path)
        states = [one(1 + g % 3, generation=g) for g in (7, 3, 12, 9, 12, 1, 11)]

        taken = await asyncio.gather(*map(running.entry.take, states))

        assert [t.generation for t in taken] == [7, 7, 12, 12, 12, 12, 12]
        assert running.entry.observed().generation == 12
        assert home.desired() == one(1, generation=12)
        await end(running)

    asyncio.run(run())


def test_an_entry_goes_on_with_what_it_held(tmp_path: Path) -> None:
    async def run() -> None:
        running, _ = await entry_in(tmp_path)
        await running.entry.take(one(3, generation=8))
        await end(running)

        again, _ = await entry_in(tmp_path)
        again.entry.resume()

        assert again.entry.observed().generation == 8
        assert [d.id for d in again.entry.observed().deployments] == ["dep_gbm_3"]
        await end(again)

    asyncio.run(run())


def test_a_home_has_one_holder(tmp_path: Path) -> None:
    folder = make_home(tmp_path, settings_of(tmp_path))
    Home(folder).hold()
    with pytest.raises(HomeHeldError) as caught:
        Home(folder).hold()
    assert caught.value.home == str(folder)


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    folder = make_home(tmp_path, settings_of(tmp_path))
    (folder / "secret").chmod(0o640)
    with pytest.raises(HomeInvalidError) as caught:
        Home(folder).secret()
    assert "0600" in caught.value.problem


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema": 1}', b'{"x": 1}'])
def test_an_altered_desired_state_stops_the_start(content: bytes, tmp_path: Path) -> None:
    folder = make_home(tmp_path, settings_of(tmp_path))
    (folder / "desired.json").write_bytes(content)
    with pytest.raises(HomeInvalidError) as caught:
        Home(folder).desired()
    assert caught.value.file.endswith("desired.json")


def test_a_half_written_state_is_never_seen(tmp_path: Path) -> None:
    home = Home(make_home(tmp_path, settings_of(tmp_path)))
    home.keep_desired(one(1))
    (home.folder / ".desired.json.new").write_bytes(canonical(one(2))[:20])  # the power went here

    assert home.desired() == one(1)
    home.keep_desired(one(2, generation=2))
    assert home.desired() == one(2, generation=2)


def test_a_long_home_has_its_socket_in_a_short_private_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    home = Home(make_home(folder, settings_of(folder)))

    path = home.socket()

    assert len(os.fsencode(path)) < 100
    assert path.parent.stat().st_mode & 0o777 == 0o700
    home.leave()
    assert not path.parent.exists()


def test_what_the_local_connector_writes_can_be_read_and_the_other_way_round(
    tmp_path: Path,
) -> None:
    plain = settings_of(tmp_path, log=LogSettings(tables="/tables", hash_key="file:/key"))
    same = {f: getattr(plain, f) for f in homes.EntrySettings.__dataclass_fields__}
    same["log"] = PredictionLog(tables="/tables", hash_key="file:/key")
    written = homes.EntrySettings(**same)
    home = Home(make_home(tmp_path, plain))
    (home.folder / "entry.json").write_bytes(canonical(written))

    home.keep_process(
        address="http://127.0.0.1:1",
        socket=tmp_path / "s",
        started_at=datetime(2026, 1, 5, tzinfo=UTC),
    )

    assert home.settings() == plain
    record = read_document(homes.EntryProcess, home.folder / "process.json")
    assert record is not None
    assert (record.pid, record.address) == (os.getpid(), "http://127.0.0.1:1")
    assert is_alive(
        ProcessIdentity(pid=record.pid, start_time=record.start_time, boot_id=record.boot_id)
    )
