"""Shifting traffic between the variants of a route."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.domain.ids import GroupName, ServiceTag, SnapshotId, StageName
from pilothouse.domain.routes import Route, RouteInvalidError, Variant

NEW = SnapshotId("snp_new")


def variant(name: str, weight: float) -> Variant:
    return Variant(snapshot_id=SnapshotId(name), snapshot=name, weight=weight)


def route(*weights: float) -> Route:
    """Give a route of variants named by their positions."""
    return Route(
        id="rou_1",
        group=GroupName("risk"),
        service=ServiceTag("cards"),
        stage=StageName("PROD"),
        generation=1,
        variants=tuple(variant(f"snp_{n}", w) for n, w in enumerate(weights)),
        shadows=(),
        changed_at=datetime(2026, 1, 5, tzinfo=UTC),
    )


def shifted(before: Route, share: float) -> Route:
    variants = before.shifted(NEW, "new", share=share)
    return before.changed(variants=variants, shadows=(), at=before.changed_at)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=5), st.floats(0, 0.999))
def test_the_others_keep_their_proportions(weights: list[float], share: float) -> None:
    before = route(*weights)

    after = shifted(before, share)

    assert after.share(NEW) == pytest.approx(share)
    for old in before.variants:
        kept = (1 - share) * before.share(old.snapshot_id)
        assert after.share(old.snapshot_id) == pytest.approx(kept)


def test_a_share_that_it_has_already_is_set_anew() -> None:
    twice = shifted(shifted(route(1.0), 0.25), 0.5)

    assert (twice.share(NEW), len(twice.variants)) == (0.5, 2)


def test_all_of_it_leaves_nobody_else() -> None:
    assert [v.snapshot for v in shifted(route(1.0, 3.0), 1.0).variants] == ["new"]


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_somebody_must_answer_the_rest(share: float) -> None:
    with pytest.raises(RouteInvalidError, match="nobody besides new"):
        shifted(route(), share)
