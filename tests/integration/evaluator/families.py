"""Every model that is lowered, in small, by the name of what is special about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import (
    GammaRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.integration.evaluator.originals import NUMBERS, WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

Estimator = Any
IGNORING = OneHotEncoder(handle_unknown="ignore")
SHIFTED = make_pipeline(SimpleImputer(), MinMaxScaler(clip=True))


def prepared(
    model: Estimator, *, numbers: Estimator = None, words: Estimator = IGNORING
) -> Estimator:
    """Put the usual preparation before a model."""
    usual = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    parts = [("numbers", numbers or usual, list(NUMBERS)), ("words", words, list(WORDS))]
    return make_pipeline(ColumnTransformer(parts, sparse_threshold=0), model)


def bins(encode: str, strategy: str) -> Estimator:
    return KBinsDiscretizer(
        4, encode=encode, strategy=strategy, quantile_method="averaged_inverted_cdf"
    )


CLASSIFIERS: Mapping[str, Estimator] = {
    "logistic": LogisticRegression(),
    "sgd-log-loss": SGDClassifier(loss="log_loss", random_state=1),
    "sgd-modified-huber": SGDClassifier(loss="modified_huber", random_state=1),
    "sgd-hinge": SGDClassifier(random_state=1),
    "linear-svc": LinearSVC(random_state=1),
    "ridge-classifier": RidgeClassifier(),
    "perceptron": Perceptron(random_state=1),
    "tree": DecisionTreeClassifier(random_state=1),
    "forest": RandomForestClassifier(9, random_state=1),
    "extra-trees": ExtraTreesClassifier(9, random_state=1),
    "boosting": GradientBoostingClassifier(n_estimators=9, random_state=1),
    "boosting-from-zero": GradientBoostingClassifier(n_estimators=5, init="zero", random_state=1),
    "histograms": HistGradientBoostingClassifier(max_iter=9, min_samples_leaf=3),
    "gaussian": GaussianNB(),
    "bernoulli": BernoulliNB(),
    "calibrated-sigmoid": CalibratedClassifierCV(LogisticRegression(), cv=3),
    "calibrated-isotonic": CalibratedClassifierCV(
        RandomForestClassifier(5, random_state=1), method="isotonic", cv=3
    ),
    "one-against-rest": OneVsRestClassifier(LinearSVC(random_state=1)),
    "one-forest-against-rest": OneVsRestClassifier(RandomForestClassifier(5, random_state=1)),
    "votes": VotingClassifier(
        [("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=4, random_state=1))],
        voting="soft",
        weights=[1, 2],
    ),
}
COUNTS: Mapping[str, Estimator] = {"multinomial": MultinomialNB(), "complement": ComplementNB()}
REGRESSORS: Mapping[str, Estimator] = {
    "least-squares": LinearRegression(),
    "ridge": Ridge(),
    "lasso": Lasso(0.01),
    "sgd-regressor": SGDRegressor(random_state=1),
    "poisson": PoissonRegressor(),
    "gamma": GammaRegressor(),
    "tweedie": TweedieRegressor(power=0),
    "linear-svr": LinearSVR(random_state=1),
    "tree-regressor": DecisionTreeRegressor(random_state=1),
    "forest-regressor": RandomForestRegressor(9, random_state=1),
    "extra-trees-regressor": ExtraTreesRegressor(9, random_state=1),
    "boosting-regressor": GradientBoostingRegressor(n_estimators=9, random_state=1),
    "histograms-regressor": HistGradientBoostingRegressor(max_iter=9),
    "histograms-poisson": HistGradientBoostingRegressor(max_iter=9, loss="poisson"),
    "votes-regressor": VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3))]),
}
OF_TARGETS: Mapping[str, Estimator] = {
    "least-squares": LinearRegression(),
    "forest-regressor": RandomForestRegressor(5, random_state=1),
    "several-ridges": MultiOutputRegressor(Ridge()),
}
OF_TARGETS_WITH_CLASSES: Mapping[str, Estimator] = {
    "forest": RandomForestClassifier(5, random_state=1),
    "several-logistic": MultiOutputClassifier(LogisticRegression()),
}
NUMBER_STEPS: Mapping[str, Estimator] = {
    "median-min-max": make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler(clip=True)),
    "constant-max-abs": make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-5), MaxAbsScaler()
    ),
    "robust": make_pipeline(RobustScaler(), SimpleImputer()),
    "cubic": make_pipeline(SimpleImputer(), PolynomialFeatures(3)),
    "interactions": make_pipeline(
        SimpleImputer(),
        StandardScaler(),
        PolynomialFeatures(2, interaction_only=True, include_bias=False),
    ),
    "principal": make_pipeline(SimpleImputer(), PCA(2, whiten=True)),
    "singular": make_pipeline(SimpleImputer(), TruncatedSVD(2)),
    "bins-one-hot": make_pipeline(SimpleImputer(), bins("onehot-dense", "quantile")),
    "bins-ordinal": make_pipeline(SimpleImputer(), bins("ordinal", "uniform")),
    "to-centres": make_pipeline(SimpleImputer(), KMeans(3, random_state=1)),
    "length-one": make_pipeline(SimpleImputer(), Normalizer()),
    "greatest-one": make_pipeline(SimpleImputer(), Normalizer("max")),
    "binary": make_pipeline(SimpleImputer(), Binarizer(threshold=0.3)),
    "functions": make_pipeline(
        SimpleImputer(), FunctionTransformer(np.square), FunctionTransformer(np.log1p)
    ),
    "union": make_pipeline(
        SimpleImputer(),
        FeatureUnion(
            [("s", StandardScaler()), ("m", MissingIndicator(features="all")), ("p", "passthrough")]
        ),
    ),
    "with-variance": make_pipeline(SimpleImputer(), VarianceThreshold()),
    "best-two": make_pipeline(SimpleImputer(), SelectKBest(k=2)),
}
WORD_STEPS: Mapping[str, Estimator] = {
    "one-hot": OneHotEncoder(),
    "one-hot-ignoring": IGNORING,
    "one-hot-without-first": OneHotEncoder(drop="first", handle_unknown="ignore"),
    "one-hot-if-binary": OneHotEncoder(drop="if_binary"),
    "one-hot-grouped": OneHotEncoder(min_frequency=26, handle_unknown="infrequent_if_exist"),
    "one-hot-grouped-without-first": OneHotEncoder(
        min_frequency=26, handle_unknown="ignore", drop="first"
    ),
    "ordinal": OrdinalEncoder(),
    "ordinal-encoded": OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    ),
    "ordinal-grouped": OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=99,
        encoded_missing_value=7,
        min_frequency=26,
    ),
    "target": TargetEncoder(random_state=1),
    "most-frequent": make_pipeline(SimpleImputer(strategy="most_frequent"), IGNORING),
    "constant-word": make_pipeline(
        SimpleImputer(strategy="constant", fill_value="?", add_indicator=True), IGNORING
    ),
}
TAKING_GAPS: Mapping[str, Estimator] = {
    "forest": RandomForestClassifier(5, random_state=1),
    "extra-trees": ExtraTreesClassifier(5, random_state=1),
    "tree": DecisionTreeClassifier(random_state=1),
    "histograms": HistGradientBoostingClassifier(max_iter=9, min_samples_leaf=3),
    "isolation": IsolationForest(n_estimators=9, contamination=0.1, random_state=1),
    "isolation-of-two": IsolationForest(n_estimators=9, max_features=2, random_state=1),
}
WITHOUT_GAPS: Mapping[str, Estimator] = {
    "means": KMeans(3, random_state=1),
    "means-by-batches": MiniBatchKMeans(3, random_state=1),
}


def histogram_categories(unknown: float) -> Estimator:
    """Give boosting that splits by sets of categories."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=unknown)
    boosted = HistGradientBoostingClassifier(
        max_iter=9, categorical_features=[4, 5], min_samples_leaf=3
    )
    parts = [("numbers", "passthrough", list(NUMBERS)), ("words", encoder, list(WORDS))]
    return make_pipeline(ColumnTransformer(parts), boosted)


def categories_alone() -> Estimator:
    """Give naive Bayes over numbered words."""
    words = ColumnTransformer([("words", OrdinalEncoder(), list(WORDS))])
    return make_pipeline(words, CategoricalNB(min_categories=9))
