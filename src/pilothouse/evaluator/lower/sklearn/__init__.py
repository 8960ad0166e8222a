"""The lowering of scikit-learn, one family a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.evaluator.checking import check
from pilothouse.evaluator.errors import NotLoweredError
from pilothouse.evaluator.ir import Form, Output
from pilothouse.evaluator.lower.lowering import Families, Lowering
from pilothouse.evaluator.lower.sklearn import (
    bayes,
    boosting,
    clusters,
    combining,
    composing,
    decomposing,
    encoding,
    forests,
    imputing,
    linear,
    scaling,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.evaluator.ir import Input
    from pilothouse.evaluator.lower.lowering import Answers, Foreign

MODULES = (
    bayes,
    boosting,
    clusters,
    combining,
    composing,
    decomposing,
    encoding,
    forests,
    imputing,
    linear,
    scaling,
)
FAMILIES = Families(
    transformers={k: v for m in MODULES for k, v in getattr(m, "TRANSFORMERS", {}).items()},
    predictors={k: v for m in MODULES for k, v in getattr(m, "PREDICTORS", {}).items()},
)


def lower_sklearn(model: Foreign, schema: Sequence[Input]) -> Form:
    """
    Lower an estimator or a pipeline that ends in one.

    Raises
    ------
    NotLoweredError
        When a step has no lowering.
    """
    lowering = Lowering(schema, FAMILIES)
    _check_names(model, schema)
    answers = lowering.predict("model", model, lowering.given)
    outputs = tuple(
        output
        for index, said in enumerate(answers)
        for output in _outputs(said, f":{index}" if len(answers) > 1 else "")
        if hasattr(model, output.name.partition(":")[0])
    )
    form = Form(
        inputs=lowering.inputs,
        operations=tuple(lowering.operations),
        outputs=outputs,
        facts={"library": "scikit-learn", "class": type(model).__name__},
    )
    check(form)
    return form


def _check_names(model: Foreign, schema: Sequence[Input]) -> None:
    """Refuse columns in another order than in training: by position they would be taken for one another."""
    names = [str(name) for name in getattr(model, "feature_names_in_", ())]
    if names and names != [given.name for given in schema]:
        raise NotLoweredError(
            step="model",
            kind=f"{type(model).__module__}.{type(model).__qualname__}",
            problem="the schema has other columns than it was trained on, or in another order",
        )


def _outputs(said: Answers, target: str) -> Iterator[Output]:
    yield Output(name=f"predict{target}", column=said.value, labels=said.classes)
    for label, column in zip(said.classes or (), said.proba, strict=False):
        yield Output(name=f"predict_proba{target}:{label}", column=column)
    if len(said.decision) == 1:
        yield Output(name=f"decision_function{target}", column=said.decision[0])
    elif said.decision and said.classes is not None:
        for label, column in zip(said.classes, said.decision, strict=True):
            yield Output(name=f"decision_function{target}:{label}", column=column)
