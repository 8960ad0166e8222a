"""Policies: what the control plane grants to a group's models. Never read from a model's own files."""

from __future__ import annotations

from dataclasses import dataclass

TRUSTED_SKOPS_TYPES = frozenset(
    {
        # Internals that scikit-learn's own estimators hold and that skops (0.16) does not trust by itself.
        # Classes, with one exception: a function in this list would let a file choose what is called.
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogLink",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.AbsoluteError",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfGammaLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfPoissonLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn._loss.loss.HalfTweedieLoss",
        "sklearn._loss.loss.HalfTweedieLossIdentity",
        "sklearn._loss.loss.PinballLoss",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.compose._column_transformer.make_column_selector",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._dist_metrics.ManhattanDistance64",
        "sklearn.metrics._dist_metrics.MinkowskiDistance64",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "scipy.interpolate._bsplines.BSpline",
        "numpy.dtype",
        # HistGradientBoosting binds this one check to its encoder of categories. A partial holds nothing that is
        # not in this list or trusted by skops itself, and the check calls nothing of the file.
        "functools.partial",
        "sklearn.utils.validation.check_array",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPolicy:
    """
    What a group's models may be made of.

    Attributes
    ----------
    python_source
        Whether models may bring Python source, which runs when they are loaded.
    skops_types
        Types that a skops file may build beside those that skops trusts by itself, by full name.
    """

    python_source: bool = False
    skops_types: frozenset[str] = TRUSTED_SKOPS_TYPES
