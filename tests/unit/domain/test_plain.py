"""The plain codec: what goes out comes back the same, and nothing else comes in."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping  # noqa: TC003 read by the codec
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.domain.plain import (
    MAXIMUM_DEPTH,
    DocumentError,
    canonical,
    digest,
    from_plain,
    to_plain,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    count: int
    colour: Colour | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    name: str
    share: float
    yes: bool
    at: datetime
    inner: Inner
    many: tuple[Inner, ...] = ()
    some: frozenset[str] = frozenset()
    by_name: Mapping[str, int] = field(default_factory=dict)
    pair: tuple[str, int, bool] = ("", 0, False)
    scalar: str | int | float | bool | None = None
    anything: object = None


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 the strategy adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
INNERS = st.builds(Inner, count=st.integers(), colour=st.none() | st.sampled_from(Colour))
SCALARS = st.none() | st.booleans() | st.integers() | FINITE | TEXT
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OUTERS = st.builds(
    Outer,
    name=TEXT,
    share=FINITE,
    yes=st.booleans(),
    at=TIMES,
    inner=INNERS,
    many=st.lists(INNERS, max_size=3).map(tuple),
    some=st.frozensets(TEXT, max_size=3),
    by_name=st.dictionaries(TEXT, st.integers(), max_size=3),
    pair=st.tuples(TEXT, st.integers(), st.booleans()),
    scalar=SCALARS,
    anything=JSON,
)
GOOD: dict[str, Any] = {
    "name": "a", "share": 0.5, "yes": True, "at": "2026-01-05T12:00:00Z", "inner": {"count": 1},
}  # fmt: skip


def same(left: object, right: object) -> bool:
    """Equality that tells 1 from 1.0 and from true."""
    return repr(left) == repr(right)


@given(OUTERS)
def test_what_is_written_as_json_is_read_as_it_was(value: Outer) -> None:
    document = json.loads(json.dumps(to_plain(value), allow_nan=False))

    read = from_plain(Outer, document)

    assert read == value
    assert same(read.scalar, value.scalar)
    assert same(read.anything, value.anything)


@given(OUTERS)
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: Outer) -> None:
    plain = to_plain(value)
    turned = dict(reversed(plain.items()))

    assert canonical(turned) == canonical(plain)
    assert digest(turned) == digest(value)


@given(st.lists(TIMES, min_size=2, max_size=5))
def test_the_order_of_times_is_the_order_of_their_texts(times: list[datetime]) -> None:
    assert sorted(to_plain(t) for t in times) == [to_plain(t) for t in sorted(times)]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"extra": 1}, "extra"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"share": "0.5"}, "share"),
        ({"share": True}, "share"),
        ({"share": math.nan}, "share"),
        ({"share": math.inf}, "share"),
        ({"share": 2**53 + 1}, "share"),
        ({"share": 10**400}, "share"),
        ({"yes": 1}, "yes"),
        ({"yes": "true"}, "yes"),
        ({"at": "2026-01-05"}, "at"),
        ({"at": "2026-01-05T12:00:00"}, "at"),
        ({"at": "yesterday"}, "at"),
        ({"at": 0}, "at"),
        ({"at": "0001-01-01T00:00:00+23:00"}, "at"),
        ({"inner": []}, "inner"),
        ({"inner": {}}, "inner.count"),
        ({"inner": {"count": 1.0}}, "inner.count"),
        ({"inner": {"count": True}}, "inner.count"),
        ({"inner": {"count": 1, "colour": "green"}}, "inner.colour"),
        ({"inner": {"count": 1, "colour": ["red"]}}, "inner.colour"),
        ({"many": [{"count": 1}, {"count": "1"}]}, "many[1].count"),
        ({"many": {}}, "many"),
        ({"many": "abc"}, "many"),
        ({"by_name": {"a": "1"}}, "by_name.a"),
        ({"pair": ["a", 1]}, "pair"),
        ({"pair": ["a", 1, 1]}, "pair[2]"),
        ({"scalar": [1]}, "scalar"),
        ({"scalar": math.nan}, "scalar"),
        ({"anything": {"deep": [1, math.nan]}}, "anything.deep[1]"),
        ({"anything": ["\udfff"]}, "anything[0]"),
        ({"anything": {"\udfff": 1}}, "anything"),
    ],
)
def test_what_is_not_of_the_form_is_refused_by_its_path(
    change: dict[str, object], path: str
) -> None:
    with pytest.raises(DocumentError) as wrong:
        from_plain(Outer, GOOD | change)

    assert wrong.value.path == path
    assert "Correct the document" in wrong.value.message


@pytest.mark.parametrize("missing", GOOD)
def test_a_missing_field_is_named(missing: str) -> None:
    document = {name: value for name, value in GOOD.items() if name != missing}

    with pytest.raises(DocumentError) as wrong:
        from_plain(Outer, document)

    assert (wrong.value.path, wrong.value.problem) == (missing, "this field is missing")


def nested(levels: int) -> object:
    document: object = 1
    for _ in range(levels):
        document = [document]
    return document


def test_a_document_is_read_to_the_depth_limit_and_no_deeper() -> None:
    from_plain(object, nested(MAXIMUM_DEPTH))

    with pytest.raises(DocumentError) as wrong:
        from_plain(object, nested(MAXIMUM_DEPTH + 1))

    assert "nested deeper" in wrong.value.problem


@given(JSON)
def test_reading_anything_at_all_gives_a_value_or_a_document_error(document: object) -> None:
    try:
        read = from_plain(Outer, document)
    except DocumentError:
        return
    assert isinstance(read, Outer)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_digest_is_made_of_what_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest({"a": value})


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        to_plain(datetime(2026, 1, 5))  # noqa: DTZ001


@pytest.mark.parametrize("key", [1, None, True, (1, 2)])
def test_a_key_that_is_no_text_is_not_written(key: object) -> None:
    with pytest.raises(TypeError, match="a key has to be text"):
        to_plain({key: 1})


def test_a_value_without_a_plain_form_is_not_written() -> None:
    with pytest.raises(TypeError, match="has no plain form"):
        to_plain({"a": {1, 2}})


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_a_whole_number_is_read_as_the_same_float(number: int) -> None:
    assert from_plain(float, number) == number
