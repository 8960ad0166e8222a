"""k-means: the nearest centre, and distances to all of them."""

from __future__ import annotations

import numpy as np

from pilothouse.evaluator.lower.lowering import Answers, Foreign, Lowering, Matrix, columns
from pilothouse.evaluator.lower.sklearn.answering import linear_scores
from pilothouse.evaluator.operations import Across, Distances, Unary


def _squares(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    source = lowering.finite(matrix)
    centres = np.ascontiguousarray(model.cluster_centers_, dtype=np.float64)
    return lowering.add(Distances(source=source, centres=centres, scales=np.ones_like(centres)))


def nearest(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower the choice of the nearest centre."""
    lowering.finite(matrix)
    centres = np.asarray(model.cluster_centers_, dtype=np.float64)
    # The square of the row is the same for all centres, and the original leaves it out too.
    scores = linear_scores(lowering, matrix, -2.0 * centres, np.sum(centres * centres, axis=1))
    place = lowering.row(scores, Across.ARGMIN)
    return Answers(value=columns(place)[0], classes=tuple(range(len(model.cluster_centers_))))


def distances(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the distances to the centres."""
    return lowering.apply(_squares(lowering, model, matrix), Unary.SQUARE_ROOT)


TRANSFORMERS = {"KMeans": distances, "MiniBatchKMeans": distances}
PREDICTORS = {"KMeans": nearest, "MiniBatchKMeans": nearest}
