"""The unit of work keeps its contract on every database: repositories, versions, pages, commits."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pilothouse.domain.errors import (
    AlreadyExistsError,
    ConflictError,
    CursorInvalidError,
    NotFoundError,
)
from pilothouse.domain.ids import GroupName, PersonId
from pilothouse.domain.models import RiskTier
from pilothouse.persistence.addresses import DatabaseOptions
from pilothouse.persistence.engine import Database
from pilothouse.persistence.errors import (
    DatabaseBusyError,
    DatabaseOutdatedError,
    DatabaseUnreachableError,
    DatabaseUrlInvalidError,
    ReferenceMissingError,
    ValueUnstorableError,
)
from tests.contract.persistence import values

if TYPE_CHECKING:
    from pilothouse.domain.access import Grant
    from pilothouse.domain.snapshots import ServiceAssignment
    from tests.contract.persistence.conftest import CountingIds, HandClock

ADA = values.principal()
EVERY_NOUN: dict[str, Any] = {
    "groups": values.group("other"),
    "people": values.person("bob"),
    "stages": values.stage("DEV", 1),
    "grants": values.grant(),
    "tokens": values.token(),
    "models": values.model("mod_2", "other-model"),
    "snapshots": values.snapshot("snp_2", 2),
    "assignments": values.assignment(),
    "datasets": values.dataset(),
    "services": values.service("heloc"),
    "locations": values.location(),
    "runtimes": values.runtime("rtm_2", "other"),
    "routes": values.route(),
    "deployments": values.deployment(),
    "jobs": values.job(),
    "evaluations": values.evaluation(),
    "definitions": values.definition("def_2", 2),
    "given_decisions": values.given_decision(),
}


def models(company: Database, count: int) -> None:
    with company.open_work(ADA) as work:
        work.groups.add(values.group("cards"))
        for n in range(2, count + 1):
            of = GroupName("cards") if n % 2 else values.RISK
            work.models.add(values.model(f"mod_{n:02}", f"model-{n}", of=of))
        work.commit(None)


@pytest.mark.parametrize("noun", EVERY_NOUN)
def test_every_noun_comes_back_as_it_went_in(company: Database, noun: str) -> None:
    value = EVERY_NOUN[noun]
    with company.open_work(ADA) as work:
        added = getattr(work, noun).add(value)
        work.commit(None)
    with company.open_work.reading(ADA) as work:
        read = [v for v in getattr(work, noun).all() if v == value]
    assert (added, read) == (value, [value])


def test_headings_and_tasks_come_back_as_they_went_in(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.runs.add(values.heading(), values.started())
        work.tasks.add(values.task())
        work.commit(None)
    with company.open_work.reading(ADA) as work:
        assert work.headings.get("run_1") == values.heading()
        assert work.tasks.get("tsk_1") == values.task()


def test_leaving_without_commit_changes_nothing(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.models.add(values.model("mod_2", "lost"))
    with company.open_work.reading(ADA) as work:
        assert work.models.find(name="lost") is None


def test_an_error_in_the_block_changes_nothing(company: Database) -> None:
    def fail() -> None:
        with company.open_work(ADA) as work:
            work.models.add(values.model("mod_2", "lost"))
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    with company.open_work.reading(ADA) as work:
        assert work.models.find(name="lost") is None


def test_what_is_missing_is_named(company: Database) -> None:
    with company.open_work.reading(ADA) as work, pytest.raises(NotFoundError) as caught:
        work.models.get("mod_9")
    assert caught.value.fields == {"noun": "model", "name": "mod_9"}


def test_find_gives_none_for_nothing_and_refuses_more_than_one(company: Database) -> None:
    models(company, 3)
    with company.open_work.reading(ADA) as work:
        assert work.models.find(name="nobody") is None
        with pytest.raises(ValueError, match="More than one"):
            work.models.find(owner=values.ADA)


def test_equals_takes_any_of_several_values_and_none(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.grants.add(values.grant("grt_1"))
        work.grants.add(values.grant("grt_2", at_stage=None))
        found = [
            work.grants.all(id=("grt_1", "grt_2", "grt_3")),
            work.grants.all(stage=None),
            work.grants.all(stage=frozenset({values.PROD, None})),
            work.grants.all(id=frozenset()),
        ]
    assert [[g.id for g in some] for some in found] == [
        ["grt_1", "grt_2"],
        ["grt_2"],
        ["grt_1", "grt_2"],
        [],
    ]


def test_equals_compares_enums_flags_and_times(company: Database) -> None:
    east = values.NOON.astimezone(timezone(timedelta(hours=5)))
    with company.open_work.reading(ADA) as work:
        assert len(work.models.all(risk_tier=RiskTier.HIGH, created_at=east)) == 1
        assert work.people.all(machine=True) == ()


@pytest.mark.parametrize("field", ["colour", "group_name", "retired"])
def test_an_unknown_field_is_a_programming_error(company: Database, field: str) -> None:
    with company.open_work.reading(ADA) as work, pytest.raises(ValueError, match=field):
        work.models.all(**{field: 1})


def test_a_json_column_cannot_be_compared(company: Database) -> None:
    with company.open_work.reading(ADA) as work, pytest.raises(ValueError, match="modes"):
        work.runtimes.all(modes=("online",))


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_give_everything_once_in_order(company: Database, newest_first: bool) -> None:
    models(company, 11)
    seen, after = [], None
    with company.open_work.reading(ADA) as work:
        for _ in range(4):
            page = work.models.page(after=after, limit=4, newest_first=newest_first)
            seen.append([m.id for m in page.items])
            after = page.next
            if after is None:
                break
    assert [len(ids) for ids in seen] == [4, 4, 3]
    flat = [one for ids in seen for one in ids]
    assert flat == sorted(flat, reverse=newest_first)


def test_a_page_keeps_to_its_groups(company: Database) -> None:
    models(company, 6)
    with company.open_work.reading(ADA) as work:
        mine = work.models.page(groups=frozenset({GroupName("cards")}))
        nobody = work.models.page(groups=frozenset())
    assert {m.group for m in mine.items} == {"cards"}
    assert (len(mine.items), mine.next, nobody.items) == (2, None, ())


def test_a_noun_without_groups_cannot_be_cut_by_them(company: Database) -> None:
    with company.open_work.reading(ADA) as work, pytest.raises(ValueError, match="no group"):
        work.stages.page(groups=frozenset({values.RISK}))


def test_groups_are_cut_by_their_own_names(company: Database) -> None:
    models(company, 1)
    with company.open_work.reading(ADA) as work:
        assert [g.name for g in work.groups.page(groups=frozenset({values.RISK})).items] == ["risk"]


def test_names_are_paged_by_name(company: Database) -> None:
    with company.open_work(ADA) as work:
        for name in ("DEV", "SIT", "PROD-FAILOVER", "UAT"):
            work.stages.add(values.stage(name))
        first = work.stages.page(limit=3)
        rest = work.stages.page(after=first.next, limit=3)
    assert [s.name for s in first.items] == ["DEV", "PROD", "PROD-FAILOVER"]
    assert [s.name for s in rest.items] == ["SIT", "UAT"]


@pytest.mark.parametrize(
    "cursor", ["", "x", "bW9k", "é", "WzFd", "bnVsbA", "WyJzdGFnZSIsZmFsc2UsIkRFViJd", "A" * 4001]
)
def test_a_wrong_cursor_is_refused(company: Database, cursor: str) -> None:
    with company.open_work.reading(ADA) as work, pytest.raises(CursorInvalidError) as caught:
        work.models.page(after=cursor)
    assert caught.value.cursor == cursor[:80]


def test_a_cursor_of_the_other_order_is_refused(company: Database) -> None:
    models(company, 3)
    with company.open_work.reading(ADA) as work:
        forwards = work.models.page(limit=1).next
        with pytest.raises(CursorInvalidError):
            work.models.page(after=forwards, limit=1, newest_first=True)


@pytest.mark.parametrize("limit", [0, 501])
def test_a_page_of_another_size_is_a_programming_error(company: Database, limit: int) -> None:
    with company.open_work.reading(ADA) as work, pytest.raises(ValueError, match="1 to 500"):
        work.models.page(limit=limit)


def test_saving_counts_the_version(company: Database) -> None:
    with company.open_work(ADA) as work:
        saved = work.models.save(replace(work.models.get("mod_1"), use_case="loans"))
        work.commit(None)
    with company.open_work.reading(ADA) as work:
        read = work.models.get("mod_1")
    assert (saved, read.version, read.use_case) == (read, 2, "loans")


def test_adding_starts_at_version_one(company: Database) -> None:
    with company.open_work(ADA) as work:
        added = work.models.add(replace(values.model("mod_2", "b"), version=7))
        assert work.models.get("mod_2") == added
    assert added.version == 1


def test_the_second_of_two_writers_of_one_version_loses(company: Database) -> None:
    with company.open_work.reading(ADA) as work:
        read = work.models.get("mod_1")
    with company.open_work(ADA) as work:
        work.models.save(replace(read, use_case="first"))
        work.commit(None)
    with company.open_work(ADA) as work, pytest.raises(ConflictError) as caught:
        work.models.save(replace(read, use_case="second"))
    assert caught.value.fields == {"noun": "model", "name": "mod_1", "expected": 1, "found": 2}


def test_saving_what_is_not_there_is_a_conflict(company: Database) -> None:
    with company.open_work(ADA) as work, pytest.raises(ConflictError) as caught:
        work.models.save(values.model("mod_9", "ghost"))
    assert caught.value.found is None


@pytest.mark.parametrize("noun", ["snapshots", "evaluations", "headings"])
def test_what_is_written_once_cannot_be_saved(company: Database, noun: str) -> None:
    once: dict[str, Any] = EVERY_NOUN | {"headings": values.heading()}
    with company.open_work(ADA) as work, pytest.raises(ValueError, match="never changes"):
        getattr(work, noun).save(once[noun])


TAKEN: list[tuple[str, Any, str]] = [
    ("models", values.model("mod_9", "fraud-gbm"), "fraud-gbm"),
    ("models", values.model("mod_1", "other"), "mod_1"),
    ("groups", values.group(), "risk"),
    ("people", replace(values.person(), id=PersonId("per_9")), "ada"),
    ("services", values.service(), "cc-fraud"),
    ("stages", values.stage(), "PROD"),
    ("runtimes", values.runtime("rtm_9"), "prod-local"),
    ("snapshots", replace(values.snapshot("snp_9"), digest="f" * 64), "mod_1/1"),
    ("snapshots", replace(values.snapshot("snp_9"), number=2), f"mod_1/{1:064x}"),
    ("definitions", replace(values.definition("def_9"), sha256="f" * 64), "promote-online/1"),
    (
        "definitions",
        replace(values.definition("def_9"), definition_version=2),
        f"risk/promote-online/{1:064x}",
    ),
]


@pytest.mark.parametrize(("noun", "value", "name"), TAKEN)
def test_what_is_taken_is_named_and_the_unit_goes_on(
    company: Database, noun: str, value: object, name: str
) -> None:
    with company.open_work(ADA) as work:
        with pytest.raises(AlreadyExistsError) as caught:
            getattr(work, noun).add(value)
        work.models.add(values.model("mod_8", "after"))
        work.commit(None)
    with company.open_work.reading(ADA) as work:
        assert work.models.find(name="after") is not None
    assert caught.value.name == name


AGAIN: list[tuple[str, Any, Any]] = [
    ("assignments", values.assignment(), "asg_2"),
    ("grants", values.grant(), "grt_2"),
    ("grants", values.grant(at_stage=None), "grt_2"),
]


@pytest.mark.parametrize(("noun", "value", "second"), AGAIN)
def test_only_one_of_a_kind_is_active(
    company: Database, noun: str, value: Grant | ServiceAssignment, second: str
) -> None:
    with company.open_work(ADA) as work:
        first = getattr(work, noun).add(value)
        with pytest.raises(AlreadyExistsError):
            getattr(work, noun).add(replace(value, id=second))
        getattr(work, noun).save(replace(first, ended_at=work.at))
        getattr(work, noun).add(replace(value, id=second))
        assert len(getattr(work, noun).all()) == 2


def test_other_unique_names_are_taken_once(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.tokens.add(values.token())
        work.datasets.add(values.dataset())
        work.locations.add(values.location())
        work.routes.add(values.route())
        names = []
        again: tuple[tuple[str, Any], ...] = (
            ("tokens", values.token()),
            ("datasets", values.dataset()),
            ("locations", values.location()),
            ("routes", values.route()),
        )
        for noun, value in again:
            with pytest.raises(AlreadyExistsError) as caught:
                getattr(work, noun).add(replace(value, id="new_1"))
            names.append(caught.value.name)
    assert names == ["a" * 64, "cards/2015", "lake", "cc-fraud/PROD"]


def test_what_refers_to_nothing_is_refused(company: Database) -> None:
    with company.open_work(ADA) as work, pytest.raises(ReferenceMissingError) as caught:
        work.models.add(values.model("mod_9", "orphan", of=GroupName("nobody")))
    assert caught.value.fields == {"noun": "model", "name": "mod_9"}


def test_a_unit_whose_statement_failed_cannot_be_committed(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.models.add(values.model("mod_8", "before"))
        with pytest.raises(ReferenceMissingError):
            work.models.add(values.model("mod_9", "orphan", of=GroupName("nobody")))
        with pytest.raises(RuntimeError, match="broken"):
            work.commit(None)
    with company.open_work.reading(ADA) as work:
        assert work.models.find(name="before") is None


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_database_keeps_is_refused(company: Database, text: str) -> None:
    with company.open_work(ADA) as work, pytest.raises(ValueUnstorableError):
        work.models.add(replace(values.model("mod_9", "nine"), use_case=text))


def test_a_number_too_large_for_a_column_is_refused(company: Database) -> None:
    with company.open_work(ADA) as work, pytest.raises(ValueUnstorableError):
        work.models.add(replace(values.model("mod_9", "nine"), last_number=2**63))


def test_nan_is_refused(company: Database) -> None:
    with company.open_work(ADA) as work, pytest.raises(ValueUnstorableError):
        work.jobs.add(replace(values.job(), metrics={"auc": float("nan")}))


def test_a_time_without_a_zone_is_refused(company: Database) -> None:
    bare = datetime(2026, 1, 1)  # noqa: DTZ001 that is the point
    with company.open_work(ADA) as work, pytest.raises(ValueUnstorableError):
        work.models.add(replace(values.model("mod_9", "nine"), created_at=bare))


def test_times_keep_their_microseconds_and_come_back_in_utc(company: Database) -> None:
    east = datetime(2026, 7, 1, 3, 0, 0, 1, tzinfo=timezone(timedelta(hours=2)))
    with company.open_work(ADA) as work:
        work.models.add(replace(values.model("mod_9", "nine"), created_at=east))
        read = work.models.get("mod_9").created_at
    assert (read, read.tzinfo) == (datetime(2026, 7, 1, 1, 0, 0, 1, tzinfo=UTC), UTC)


def test_an_ended_unit_cannot_be_used(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.commit(None)
        with pytest.raises(RuntimeError, match="ended"):
            work.models.get("mod_1")
    with pytest.raises(RuntimeError, match="ended"):
        work.models.get("mod_1")


def test_a_reading_unit_cannot_write_nor_commit(company: Database) -> None:
    with company.open_work.reading(ADA) as work:
        with pytest.raises(RuntimeError, match="reading"):
            work.models.add(values.model("mod_9", "nine"))
        with pytest.raises(RuntimeError, match="reading"):
            work.commit(None)


def test_a_reading_unit_sees_one_moment(company: Database) -> None:
    with company.open_work.reading(ADA) as reader:
        before = reader.models.get("mod_1")
        with company.open_work(ADA) as work:
            work.models.save(replace(before, use_case="changed"))
            work.commit(None)
        assert reader.models.get("mod_1") == before


def test_a_unit_knows_who_and_when(database: Database, clock: HandClock) -> None:
    moment = clock.forward(5)
    with database.open_work(ADA) as work:
        clock.forward(5)
        assert (work.at, work.who) == (moment, ADA)
        assert work.new_id("dep").startswith("dep_")


def test_a_database_of_another_revision_is_refused(
    empty_database_url: str, clock: HandClock, ids: CountingIds
) -> None:
    with pytest.raises(DatabaseOutdatedError) as caught:
        Database.connect(empty_database_url, subscribers={}, clock=clock, ids=ids)
    assert caught.value.found is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://a/b",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////no/such/dir/a.db",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(
    url: str, clock: HandClock, ids: CountingIds
) -> None:
    with pytest.raises(DatabaseUrlInvalidError):
        Database.connect(url, subscribers={}, clock=clock, ids=ids)


def test_a_server_that_is_not_there_is_unreachable(clock: HandClock, ids: CountingIds) -> None:
    url = "postgresql://postgres@127.0.0.1:1/none"
    with pytest.raises(DatabaseUnreachableError):
        Database.connect(url, subscribers={}, clock=clock, ids=ids)


def test_a_file_that_is_no_database_is_unreachable(
    tmp_path: Path, clock: HandClock, ids: CountingIds
) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear reader, " * 1000)
    with pytest.raises(DatabaseUnreachableError):
        Database.connect(f"sqlite:///{path}", subscribers={}, clock=clock, ids=ids)


def test_the_file_is_for_its_owner_alone(
    sqlite_url: str, clock: HandClock, ids: CountingIds
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.chmod(0o644)
    database = Database.connect(sqlite_url, subscribers={}, clock=clock, ids=ids)
    with database.open_work(ADA) as work:
        work.groups.add(values.group())
        work.commit(None)
        modes = {stat.S_IMODE(p.stat().st_mode) for p in path.parent.glob(path.name + "*")}
    database.dispose()
    assert modes == {0o600}


def test_a_second_writer_waits_and_then_is_told(
    sqlite_url: str, clock: HandClock, ids: CountingIds
) -> None:
    options = DatabaseOptions(busy_timeout_s=0.05)
    first, second = (
        Database.connect(sqlite_url, subscribers={}, clock=clock, ids=ids, options=options)
        for _ in range(2)
    )
    with first.open_work(ADA), pytest.raises(DatabaseBusyError), second.open_work(ADA):
        pass
    first.dispose()
    second.dispose()


def test_a_unit_inside_a_unit_of_one_thread_is_a_programming_error(
    sqlite_url: str, clock: HandClock, ids: CountingIds
) -> None:
    database = Database.connect(sqlite_url, subscribers={}, clock=clock, ids=ids)
    with (
        database.open_work(ADA),
        pytest.raises(RuntimeError, match="open already"),
        database.open_work(ADA),
    ):
        pass
    database.dispose()


@pytest.mark.postgresql
def test_the_address_of_a_server_may_carry_its_own_settings(
    postgresql_url: str, clock: HandClock, ids: CountingIds
) -> None:
    url = f"{postgresql_url}?application_name=mine&options=-c%20lock_timeout%3D70"
    database = Database.connect(url, subscribers={}, clock=clock, ids=ids)
    query = "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
    with psycopg.connect(postgresql_url, application_name="test") as connection:
        names = {row[0] for row in connection.execute(query)}
    with database.open_work(ADA) as first, database.open_work(ADA) as second:
        values.seed(first)
        with pytest.raises(DatabaseBusyError):
            second.groups.add(values.group())
    database.dispose()
    assert names == {"mine", "test"}


@pytest.mark.postgresql
def test_a_lock_held_too_long_is_busy(
    postgresql_url: str, clock: HandClock, ids: CountingIds
) -> None:
    options = DatabaseOptions(busy_timeout_s=0.05)
    database = Database.connect(
        postgresql_url, subscribers={}, clock=clock, ids=ids, options=options
    )
    with database.open_work(ADA) as work:
        values.seed(work)
        work.commit(None)
    with database.open_work(ADA) as first, database.open_work(ADA) as second:
        read = first.models.get("mod_1")
        first.models.save(read)
        with pytest.raises(DatabaseBusyError):
            second.models.save(read)
    database.dispose()


@pytest.mark.postgresql
def test_a_connection_that_is_cut_is_unreachable_and_the_next_unit_works(
    postgresql_company: Database, postgresql_url: str
) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in tran%'"
    with postgresql_company.open_work(ADA) as work:
        work.models.save(work.models.get("mod_1"))
        with psycopg.connect(postgresql_url) as other:
            other.execute(cut)
        with pytest.raises(DatabaseUnreachableError):
            work.models.get("mod_1")
    with postgresql_company.open_work(ADA) as work:
        assert work.models.get("mod_1").version == 1


@pytest.mark.postgresql
def test_a_commit_over_a_cut_connection_is_unreachable(
    postgresql_company: Database, postgresql_url: str
) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in tran%'"
    with postgresql_company.open_work(ADA) as work:
        work.models.save(work.models.get("mod_1"))
        with psycopg.connect(postgresql_url) as other:
            other.execute(cut)
        with pytest.raises(DatabaseUnreachableError):
            work.commit(None)
