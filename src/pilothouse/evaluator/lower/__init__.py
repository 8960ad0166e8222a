"""From a trained model to a form. No library is imported here: a model brings its own, and is known by its class's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.evaluator.errors import NotLoweredError
from pilothouse.evaluator.lower.sklearn import lower_sklearn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.evaluator.ir import Form, Input
    from pilothouse.evaluator.lower.lowering import Foreign


def lower(model: Foreign, schema: Sequence[Input]) -> Form:
    """
    Lower a trained model with its whole pipeline.

    Parameters
    ----------
    model
        A fitted model of a library that has a lowering.
    schema
        The columns that it is given, in order; the words of a text column are added here.

    Returns
    -------
    Form
        Its outputs are named ``predict`` (``predict:<index>`` of several targets), ``predict_proba:<class>``,
        ``decision_function`` or ``decision_function:<class>``, as far as the model has them.

    Raises
    ------
    NotLoweredError
        When a step has no lowering; it is named with its class.
    """
    library = type(model).__module__.partition(".")[0]
    if library != "sklearn":
        raise NotLoweredError(
            step="model",
            kind=f"{type(model).__module__}.{type(model).__qualname__}",
            problem="its library has no lowering",
        )
    return lower_sklearn(model, schema)
