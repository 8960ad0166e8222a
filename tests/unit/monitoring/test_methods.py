"""Each method: against scikit-learn, against its own laws, and at the edges where it is not defined."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from pilothouse.monitoring.accuracy import accuracy
from pilothouse.monitoring.brier import brier
from pilothouse.monitoring.log_loss import log_loss
from pilothouse.monitoring.mae import mae
from pilothouse.monitoring.population_stability_index import population_stability_index
from pilothouse.monitoring.r2 import r2
from pilothouse.monitoring.rmse import rmse
from pilothouse.monitoring.roc_auc import roc_auc
from pilothouse.monitoring.samples import ShapesDifferError, ValuesOutsideError

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
Method = Callable[[NDArray[np.float64], NDArray[np.float64]], float | None]

BINARY: tuple[Method, ...] = (roc_auc, accuracy, log_loss, brier)
NUMERIC: tuple[Method, ...] = (rmse, mae, r2)
ALL = BINARY + NUMERIC


def arrays(pairs: list[tuple[float, float]]) -> Pair:
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


# Hundredths, so that ties are common, as they are for tree models.
chances = st.integers(0, 100).map(lambda n: n / 100)
scored = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), chances), min_size=1, max_size=60).map(
    arrays
)
# Steps of a millionth: of smaller variances the peer's quotient overflows.
figures = st.floats(-1e6, 1e6).map(lambda figure: round(figure, 6))
measured = st.lists(st.tuples(figures, figures), min_size=2, max_size=60).map(arrays)


@settings(deadline=None)
@given(scored)
def test_binary_methods_agree_with_scikit_learn(pair: Pair) -> None:
    labels, scores = pair
    if len(set(labels.tolist())) == 2:
        assert roc_auc(labels, scores) == pytest.approx(
            metrics.roc_auc_score(labels, scores), abs=1e-12
        )
    else:
        assert roc_auc(labels, scores) is None
    assert brier(labels, scores) == pytest.approx(np.mean((labels - scores) ** 2), abs=1e-12)
    assert log_loss(labels, scores) == pytest.approx(
        metrics.log_loss(labels, scores, labels=[0.0, 1.0]), rel=1e-9, abs=1e-12
    )
    said = (scores >= 0.5).astype(np.float64)
    assert accuracy(labels, said) == metrics.accuracy_score(labels, said)


def test_brier_agrees_with_scikit_learn() -> None:
    labels, scores = np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.7, 0.4])

    assert brier(labels, scores) == pytest.approx(metrics.brier_score_loss(labels, scores))


@settings(deadline=None)
@given(measured)
def test_numeric_methods_agree_with_scikit_learn(pair: Pair) -> None:
    labels, given_ = pair
    assert rmse(labels, given_) == pytest.approx(
        math.sqrt(metrics.mean_squared_error(labels, given_)), rel=1e-12
    )
    assert mae(labels, given_) == pytest.approx(
        metrics.mean_absolute_error(labels, given_), rel=1e-12
    )
    explained = r2(labels, given_)
    if explained is not None:
        assert explained == pytest.approx(metrics.r2_score(labels, given_), rel=1e-9, abs=1e-9)


@given(scored)
def test_order_of_rows_changes_no_ranking(pair: Pair) -> None:
    labels, scores = pair
    order = np.random.default_rng(labels.size).permutation(labels.size)

    assert roc_auc(labels[order], scores[order]) == roc_auc(labels, scores)


@given(scored)
def test_area_depends_on_the_order_of_scores_alone(pair: Pair) -> None:
    labels, scores = pair

    assert roc_auc(labels, scores**3 * 8 - 5) == roc_auc(labels, scores)


@given(scored)
def test_turning_the_scores_round_mirrors_the_area(pair: Pair) -> None:
    labels, scores = pair
    area = roc_auc(labels, scores)

    turned = roc_auc(labels, -scores)

    assert turned == (None if area is None else pytest.approx(1 - area))


@given(measured)
def test_mean_absolute_error_never_exceeds_the_root_mean_square(pair: Pair) -> None:
    usual, large = mae(*pair), rmse(*pair)

    assert usual is not None
    assert large is not None
    assert 0 <= usual <= large * (1 + 1e-12)


@given(measured)
def test_perfect_predictions_miss_nothing(pair: Pair) -> None:
    labels, _ = pair

    assert (rmse(labels, labels), mae(labels, labels)) == (0.0, 0.0)
    assert r2(labels, labels) in (1.0, None)


@pytest.mark.parametrize("method", ALL)
def test_no_rows_measure_nothing(method: Method) -> None:
    empty = np.array([], dtype=np.float64)

    assert method(empty, empty) is None


def test_labels_that_do_not_vary_leave_nothing_to_explain() -> None:
    assert r2(np.array([2.0, 2.0]), np.array([1.0, 2.0])) is None


@pytest.mark.parametrize("method", ALL)
def test_arrays_of_other_lengths_are_refused(method: Method) -> None:
    with pytest.raises(ShapesDifferError) as caught:
        method(np.array([0.0, 1.0]), np.array([1.0]))

    assert (caught.value.first, caught.value.second) == ((2,), (1,))


@pytest.mark.parametrize("method", [m for m in ALL if m is not accuracy])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_not_finite_are_refused(method: Method, bad: float) -> None:
    with pytest.raises(ValuesOutsideError):
        method(np.array([0.0, 1.0]), np.array([0.5, bad]))


@pytest.mark.parametrize("method", [log_loss, brier])
def test_a_margin_is_no_probability(method: Method) -> None:
    with pytest.raises(ValuesOutsideError) as caught:
        method(np.array([0.0, 1.0]), np.array([0.5, 2.5]))

    assert caught.value.found == 2.5


@pytest.mark.parametrize("method", [roc_auc, log_loss, brier])
def test_labels_of_three_classes_are_refused(method: Method) -> None:
    with pytest.raises(ValuesOutsideError) as caught:
        method(np.array([0.0, 2.0]), np.array([0.5, 0.5]))

    assert caught.value.name == "labels"


def test_certainty_that_was_wrong_costs_much_and_not_infinitely() -> None:
    loss = log_loss(np.array([1.0]), np.array([0.0]))

    assert loss == pytest.approx(52 * math.log(2))


counts = st.lists(
    st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=20
).map(lambda rows: np.array(rows, dtype=np.int64))


@given(counts)
def test_index_is_symmetric_and_never_negative(table: NDArray[np.int64]) -> None:
    index = population_stability_index(table[:, 0], table[:, 1])
    back = population_stability_index(table[:, 1], table[:, 0])

    assert index is None or index >= 0
    assert back == (None if index is None else pytest.approx(index))


@given(counts, st.integers(2, 9))
def test_index_is_zero_between_equal_shares(table: NDArray[np.int64], factor: int) -> None:
    index = population_stability_index(table[:, 0], table[:, 0] * factor)

    assert index in (None, pytest.approx(0.0, abs=1e-12))


def test_index_of_an_empty_bin_is_bounded_by_its_floor() -> None:
    index = population_stability_index(np.array([1, 1]), np.array([2, 0]))

    assert index == pytest.approx(0.5 * math.log(2) + 0.4999 * math.log(5000))


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValuesOutsideError) as caught:
        population_stability_index(np.array([1, -1]), np.array([2, 0]))

    assert caught.value.found == -1


def test_labels_that_hardly_vary_explain_nothing() -> None:
    assert r2(np.array([0.0, 6.5e-155]), np.array([0.0, 1.0])) is None
