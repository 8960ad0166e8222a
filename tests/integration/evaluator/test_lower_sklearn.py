"""Models of scikit-learn against their compiled forms, on real rows and at the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from pilothouse.evaluator import Compiled, dumps, loads
from pilothouse.evaluator.edges import edge_rows
from pilothouse.evaluator.errors import NotLoweredError
from pilothouse.evaluator.lower import lower
from pilothouse.evaluator.parity import Verdict, prove
from tests.integration.evaluator import families
from tests.integration.evaluator.families import (
    CLASSIFIERS,
    NUMBER_STEPS,
    REGRESSORS,
    WORD_STEPS,
    prepared,
)
from tests.integration.evaluator.originals import Asked, Given, people

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.filterwarnings("ignore")  # small data does not always converge
Foreign = Any
PEOPLE = people(100)
NUMBERS_ONLY = people(100, words=False)


def each(models: Mapping[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", models)


def prove_all(model: Foreign, data: Given, target: Foreign, *, per_input: int = 30) -> None:
    """Fit, lower, write, read, and hold kernel and numpy against the original."""
    model = clone(model).fit(data.frame, target)
    form = loads(dumps(lower(model, data.schema)))
    compiled = Compiled(form)
    rows = [*data.rows, *edge_rows(form, data.rows, per_input=per_input).rows]

    proof = prove(Asked(model=model, given=data, outputs=form.outputs), compiled, rows)
    numpy_proof = prove(Compiled(form, native=False).block, compiled, rows)

    assert proof.verdict is Verdict.PASSED, (proof, rows[(proof.first_difference or (0, ""))[0]])
    assert numpy_proof.verdict is Verdict.PASSED, numpy_proof


@pytest.mark.parametrize("classes", [2, 3])
@each(CLASSIFIERS)
def test_classifiers(name: str, classes: int) -> None:
    prove_all(prepared(CLASSIFIERS[name]), PEOPLE, PEOPLE.target(classes))


@each(families.COUNTS)
def test_naive_bayes_over_counts(name: str) -> None:
    model = prepared(families.COUNTS[name], numbers=families.SHIFTED)
    prove_all(model, PEOPLE, PEOPLE.target(3))


@each(REGRESSORS)
def test_regressors(name: str) -> None:
    prove_all(prepared(REGRESSORS[name]), PEOPLE, PEOPLE.target(7) / 3 + 0.1)


@each(families.OF_TARGETS)
def test_regressors_of_two_targets(name: str) -> None:
    target = np.c_[PEOPLE.target(5), PEOPLE.target(9)] * 0.7
    prove_all(prepared(families.OF_TARGETS[name]), PEOPLE, target)


@each(families.OF_TARGETS_WITH_CLASSES)
def test_classifiers_of_two_targets(name: str) -> None:
    target = np.c_[PEOPLE.target(2), PEOPLE.target(3)]
    prove_all(prepared(families.OF_TARGETS_WITH_CLASSES[name]), PEOPLE, target)


@each(NUMBER_STEPS)
def test_steps_on_numbers(name: str) -> None:
    model = prepared(LogisticRegression(), numbers=NUMBER_STEPS[name])
    prove_all(model, PEOPLE, PEOPLE.target(2))


@each(WORD_STEPS)
def test_steps_on_words(name: str) -> None:
    model = prepared(families.CLASSIFIERS["tree"], words=WORD_STEPS[name])
    prove_all(model, PEOPLE, PEOPLE.target(3))


@each(families.TAKING_GAPS)
def test_models_that_take_missing_values(name: str) -> None:
    prove_all(families.TAKING_GAPS[name], NUMBERS_ONLY, NUMBERS_ONLY.target(2))


@each(families.WITHOUT_GAPS)
def test_clusters(name: str) -> None:
    data = people(100, words=False, gaps=0)
    prove_all(families.WITHOUT_GAPS[name], data, data.target(2))


@pytest.mark.parametrize("unknown", [-1, np.nan])
@pytest.mark.parametrize("classes", [2, 3])
def test_boosting_by_sets_of_categories(unknown: float, classes: int) -> None:
    prove_all(families.histogram_categories(unknown), PEOPLE, PEOPLE.target(classes))


def test_naive_bayes_over_categories() -> None:
    data = people(100, gaps=0)
    prove_all(families.categories_alone(), data, data.target(3))


@given(
    numbers=st.sampled_from(sorted(NUMBER_STEPS)),
    # The plain ordinal encoder leaves missing values, which most models cannot be trained on.
    words=st.sampled_from(sorted(set(WORD_STEPS) - {"ordinal"})),
    model=st.sampled_from([("c", n) for n in CLASSIFIERS] + [("r", n) for n in REGRESSORS]),
    classes=st.integers(2, 4),
    seed=st.integers(0, 10**6),
    gaps=st.sampled_from([0.02, 0.3]),
)
@settings(max_examples=12, deadline=None)
def test_random_pipelines(
    numbers: str, words: str, model: tuple[str, str], classes: int, seed: int, gaps: float
) -> None:
    data = people(120, gaps=gaps, seed=seed)
    kind, name = model
    last = CLASSIFIERS[name] if kind == "c" else REGRESSORS[name]
    target = data.target(classes) if kind == "c" else data.target(7) / 3 + 0.1
    whole = prepared(last, numbers=NUMBER_STEPS[numbers], words=WORD_STEPS[words])

    prove_all(whole, data, target, per_input=22)


def test_labels_are_plain_values() -> None:
    words = np.array(["no", "yes"], dtype=object)[NUMBERS_ONLY.target(2)]
    model = RandomForestClassifier(3, random_state=1).fit(NUMBERS_ONLY.frame, words)
    form = lower(model, NUMBERS_ONLY.schema)

    answer = Compiled(form).row(list(NUMBERS_ONLY.rows[0]))

    assert [o.name for o in form.outputs] == ["predict", "predict_proba:no", "predict_proba:yes"]
    assert answer[0] in ("no", "yes")
    assert {type(v) for v in answer} == {str, float}


def test_a_step_without_lowering_is_named() -> None:
    steps = make_pipeline(StandardScaler(), KNNImputer(), LogisticRegression())
    model = steps.fit(NUMBERS_ONLY.frame, NUMBERS_ONLY.target(2))

    with pytest.raises(NotLoweredError) as caught:
        lower(model, NUMBERS_ONLY.schema)

    assert caught.value.step == "model.knnimputer"
    assert caught.value.kind == "sklearn.impute._knn.KNNImputer"


def _log1p(x: Foreign) -> Foreign:
    return x


def test_a_function_is_known_by_what_it_is_and_not_by_its_name() -> None:
    _log1p.__name__ = "log1p"
    data = people(100, words=False, gaps=0)
    model = make_pipeline(FunctionTransformer(_log1p), LogisticRegression())

    with pytest.raises(NotLoweredError, match="not one that is known"):
        lower(model.fit(data.frame, data.target(2)), data.schema)


class Bespoke(LogisticRegression):  # type: ignore[misc]  # scikit-learn has no types
    """May answer anything."""


def test_a_subclass_of_a_known_class_is_not_taken_for_it() -> None:
    data = people(100, words=False, gaps=0)
    model = Bespoke().fit(data.frame, data.target(2))

    with pytest.raises(NotLoweredError):
        lower(model, data.schema)


def test_columns_in_another_order_than_in_training_are_refused() -> None:
    data = people(100, words=False, gaps=0)
    model = LogisticRegression().fit(data.frame, data.target(2))

    with pytest.raises(NotLoweredError, match="in another order"):
        lower(model, data.schema[::-1])


def test_a_model_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(NotLoweredError, match="not fitted"):
        lower(LogisticRegression(), NUMBERS_ONLY.schema)
