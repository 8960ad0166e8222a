"""Ids, names, routes, stages, placement, whereabouts, and the words of errors."""

from __future__ import annotations

import ast
import inspect
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pilothouse
import pilothouse.bootstrap
from pilothouse.domain.errors import NotFoundError, PilothouseError
from pilothouse.domain.ids import (
    ALPHABET,
    GroupName,
    RuntimeId,
    ServiceTag,
    SnapshotId,
    StageName,
    sortable_id,
)
from pilothouse.domain.routes import Route, RouteInvalidError, Variant
from pilothouse.domain.runtimes import Mode, NoRuntimeError, Runtime, RuntimeHealth, matching
from pilothouse.domain.snapshots import (
    NameInvalidError,
    PathInvalidError,
    SnapshotNameInvalidError,
    check_name,
    check_path,
    parse_snapshot_name,
)
from pilothouse.domain.stages import Stage, StageInvalidError, StageSkippedError, check_path_to
from pilothouse.testing.clock import START

if TYPE_CHECKING:
    from collections.abc import Iterator

RISK, FRAUD = GroupName("risk"), ServiceTag("cc-fraud")


@given(
    milliseconds=st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)),
    entropy=st.binary(min_size=10, max_size=10),
)
def test_ids_sort_by_the_moment_of_their_making(
    milliseconds: tuple[int, int], entropy: bytes
) -> None:
    early, late = sorted(milliseconds)
    ids = [
        sortable_id("dep", at=START + timedelta(milliseconds=at), entropy=entropy)
        for at in (early, late)
    ]

    assert ids == sorted(ids)
    assert (ids[0] == ids[1]) is (early == late)
    assert all(len(i) == 30 and set(i[4:]) <= set(ALPHABET) for i in ids)


@given(st.lists(st.binary(min_size=10, max_size=10), min_size=2, max_size=2, unique=True))
def test_ids_of_one_millisecond_differ_by_their_entropy(entropy: list[bytes]) -> None:
    one, other = (sortable_id("dep", at=START, entropy=e) for e in entropy)

    used = [(e[0] & 0x0F, e[1], e[2] & 0x3F, e[3:]) for e in entropy]
    assert (one == other) is (used[0] == used[1])


def test_an_id_is_a_uuid_of_version_7() -> None:
    text = sortable_id("dep", at=START, entropy=bytes([255] * 10))
    number = 0
    for digit in text[4:]:
        number = number * 32 + ALPHABET.index(digit)

    assert (number >> 76) & 0xF == 7
    assert (number >> 62) & 0b11 == 0b10
    assert number >> 80 == int(START.timestamp() * 1000)


@pytest.mark.parametrize("name", ["a", "cc-fraud", "a1-b2", "a" * 63])
def test_a_plain_name_is_taken(name: str) -> None:
    assert check_name("model", name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "a--b", "-a", "a-", "a_b", "a b", "ä", "a" * 64, "a\n", "../a", "*"]
)
def test_a_name_that_not_every_floor_can_carry_is_refused(name: str) -> None:
    with pytest.raises(NameInvalidError) as refused:
        check_name("model", name)

    assert (refused.value.noun, refused.value.name) == ("model", name)


@pytest.mark.parametrize(
    ("path", "short"), [("a", "a"), ("a/b.c", "a/b.c"), ("./a//b/", "a/b"), ("a/./b", "a/b")]
)
def test_a_path_is_given_in_its_shortest_form(path: str, short: str) -> None:
    assert check_path(path) == short


@pytest.mark.parametrize(
    "path", ["", ".", "/a", "..", "a/..", "a/../b", "a\\b", "a\x00b", "a\nb", "x" * 401]
)
def test_a_path_that_leaves_its_folder_is_refused(path: str) -> None:
    with pytest.raises(PathInvalidError):
        check_path(path)


@given(st.text(max_size=50))
def test_no_checked_path_leaves_its_folder(text: str) -> None:
    try:
        short = check_path(text)
    except PathInvalidError:
        return
    assert not short.startswith("/")
    assert ".." not in short.split("/")


@pytest.mark.parametrize("name", ["", "a", "a@", "@1", "a@b", "a@1@2", "A@1", "a@-1", "a@²"])
def test_a_text_that_names_no_snapshot_is_refused(name: str) -> None:
    with pytest.raises(SnapshotNameInvalidError) as refused:
        parse_snapshot_name(name)

    assert "model@number" in refused.value.message


def route(*weights: float, shadows: tuple[float, ...] = ()) -> Route:
    return Route(
        id="rou_1",
        group=RISK,
        service=FRAUD,
        stage=StageName("PROD"),
        generation=1,
        variants=tuple(variant(i, w) for i, w in enumerate(weights)),
        shadows=tuple(variant(i, w) for i, w in enumerate(shadows)),
        changed_at=START,
    )


def variant(number: int, weight: float) -> Variant:
    return Variant(snapshot_id=SnapshotId(f"snp_{number}"), snapshot=f"m@{number}", weight=weight)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=8))
def test_shares_are_fractions_that_add_up_to_one(weights: list[float]) -> None:
    found = route(*weights)

    shares = [found.share(v.snapshot_id) for v in found.variants]

    assert all(0 < share <= 1 for share in shares)
    assert sum(shares) == pytest.approx(1)


def test_what_is_not_in_the_route_has_no_share() -> None:
    assert route(1.0).share(SnapshotId("snp_9")) == 0.0
    assert route().share(SnapshotId("snp_0")) == 0.0


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_is_a_finite_number_above_zero(weight: float) -> None:
    with pytest.raises(RouteInvalidError):
        route(weight)


def test_weights_that_together_are_no_number_are_refused() -> None:
    with pytest.raises(RouteInvalidError) as refused:
        route(1.7e308, 1.7e308)

    assert "too large" in refused.value.problem


@pytest.mark.parametrize("share", [0.0, 1.1, -0.1, float("nan")])
def test_a_shadow_sees_a_fraction_of_the_requests(share: float) -> None:
    with pytest.raises(RouteInvalidError):
        route(1.0, shadows=(share,))


def test_a_snapshot_stands_in_a_route_once() -> None:
    with pytest.raises(RouteInvalidError) as refused:
        Route(
            id="rou_1", group=RISK, service=FRAUD, stage=StageName("PROD"), generation=1,
            variants=(variant(1, 1.0), variant(1, 2.0)), shadows=(), changed_at=START,
        )  # fmt: skip

    assert "twice" in refused.value.problem


@pytest.mark.parametrize("name", ["", "dev", "PROD_1", "-A", "A-", "1A", "A" * 41])
def test_a_stage_is_named_in_capitals(name: str) -> None:
    with pytest.raises(StageInvalidError):
        stage(name, 1)


def stage(name: str, position: int) -> Stage:
    return Stage(name=StageName(name), position=position, production=False, created_at=START)


@given(st.data())
def test_a_path_is_open_exactly_when_every_earlier_stage_was_passed(data: st.DataObject) -> None:
    positions = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
    stages = [stage(f"S{i}", p) for i, p in enumerate(positions)]
    wanted = data.draw(st.sampled_from(stages))
    passed = frozenset(data.draw(st.sets(st.sampled_from([s.name for s in stages]))))
    needed = {s.name for s in stages if s.position < wanted.position}

    if needed <= passed:
        check_path_to(wanted.name, snapshot="m@1", stages=stages, passed=passed)
        return
    with pytest.raises(StageSkippedError) as skipped:
        check_path_to(wanted.name, snapshot="m@1", stages=stages, passed=passed)
    assert skipped.value.missing in needed - passed


def runtime(name: str, *, modes: tuple[Mode, ...] = tuple(Mode), **changes: object) -> Runtime:
    fields: dict[str, object] = {
        "id": RuntimeId(f"rtm_{name}"),
        "group": RISK,
        "name": name,
        "connector": "local",
        "stage": StageName("DEV"),
        "modes": modes,
        "services": (),
        "address": None,
        "options": {},
        "health": RuntimeHealth.UNKNOWN,
        "health_reason": "",
        "created_at": START,
    }
    return Runtime(**(fields | changes))  # type: ignore[arg-type]


def test_all_runtimes_that_suit_are_given_in_order_of_name() -> None:
    found = matching(
        [
            runtime("c"),
            runtime("a", services=(FRAUD,)),
            runtime("b", services=(ServiceTag("other"),)),
            runtime("d", stage=StageName("PROD")),
            runtime("e", modes=(Mode.BATCH,)),
            runtime("f", retired_at=START),
        ],
        stage=StageName("DEV"),
        service=FRAUD,
        mode=Mode.ONLINE,
    )

    assert [r.name for r in found] == ["a", "c"]


def test_no_suiting_runtime_is_told_with_what_was_looked_for() -> None:
    with pytest.raises(NoRuntimeError) as missing:
        matching([runtime("a")], stage=StageName("PROD"), service=FRAUD, mode=Mode.BATCH)

    assert (missing.value.stage, missing.value.service) == ("PROD", FRAUD)
    assert (missing.value.mode, missing.value.seen) == (Mode.BATCH, 1)
    for word in ("PROD", "batch", "cc-fraud", "1 registered", "pilothouse runtimes register"):
        assert word in missing.value.message


def kinds(kind: type[PilothouseError] = PilothouseError) -> Iterator[type[PilothouseError]]:
    for narrower in kind.__subclasses__():
        if narrower.__module__.startswith("pilothouse."):
            yield narrower
            yield from kinds(narrower)


def test_every_error_is_named_and_coded_by_the_rule() -> None:
    for kind in kinds():
        assert kind.__name__.endswith("Error"), kind
        assert kind.code == kind.code.lower().replace("_", "-"), kind
        assert inspect.getdoc(kind), kind


def test_no_two_errors_share_a_code() -> None:
    codes = [
        ast.unparse(line.value)
        for source in Path(pilothouse.__path__[0]).rglob("*.py")
        for kind in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(kind, ast.ClassDef) and kind.name.endswith("Error")
        for line in kind.body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code"
    ]

    assert len(codes) > 100
    assert {code for code in codes if codes.count(code) > 1} == set()


def test_what_is_not_found_names_a_command_that_lists_it() -> None:
    missing = NotFoundError(noun="model", name="x")

    assert missing.message.endswith("List what there is with `pilothouse models list`.")
