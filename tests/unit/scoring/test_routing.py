"""Which variant answers."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.scoring.routing import choose, shadows
from tests.entries.documents import route, variant

KEYS = [f"customer-{n}" for n in range(4000)]


@given(st.text(max_size=40))
def test_one_key_always_meets_the_same_variant(key: str) -> None:
    weighted = route(1, variant(1, 70), variant(2, 30))
    assert choose(weighted, key) == choose(weighted, key)


def test_the_order_of_variants_does_not_matter() -> None:
    one, other = route(1, variant(1, 70), variant(2, 30)), route(2, variant(2, 30), variant(1, 70))
    assert [choose(one, k) for k in KEYS] == [choose(other, k) for k in KEYS]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_shares_follow_the_weights(share: float) -> None:
    weighted = route(1, variant(1, (1 - share) * 100), variant(2, share * 100))

    found = Counter(choose(weighted, k) for k in KEYS)

    # Five standard deviations of a binomial: the keys are fixed, so this holds always or never.
    spread = 5 * (share * (1 - share) / len(KEYS)) ** 0.5
    assert abs(found["dep_gbm_2"] / len(KEYS) - share) < spread  # type: ignore[index]


def test_a_growing_weight_moves_nobody_back() -> None:
    def of(weight: float) -> set[str]:
        weighted = route(1, variant(1, 100 - weight), variant(2, weight))
        return {k for k in KEYS if choose(weighted, k) == "dep_gbm_2"}

    groups = [of(w) for w in (1, 10, 20, 50, 99)]
    assert all(few <= more for few, more in pairwise(groups))


def test_a_removed_variants_keys_are_shared_and_the_others_stay() -> None:
    three = route(1, variant(1), variant(2), variant(3))
    two = route(2, variant(1), variant(2))
    stayed = [k for k in KEYS if choose(three, k) != "dep_gbm_3"]
    assert all(choose(two, k) == choose(three, k) for k in stayed)


def test_a_variant_without_weight_is_never_chosen() -> None:
    weighted = route(1, variant(1, 1), variant(2, 0), variant(3, 1))
    assert {choose(weighted, k) for k in KEYS} == {"dep_gbm_1", "dep_gbm_3"}


def test_shadows_see_their_fraction_and_keep_their_keys() -> None:
    def of(weight: float) -> set[str]:
        return {k for k in KEYS if shadows(route(1, variant(1), shadows=[variant(2, weight)]), k)}

    assert of(1.0) == set(KEYS)
    assert of(0.1) <= of(0.2)
    assert abs(len(of(0.1)) / len(KEYS) - 0.1) < 0.025
