"""FEEL behind the seam that bpmn has for expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel import compile_expression, python_value

if TYPE_CHECKING:
    from pilothouse.bpmn.expressions import Compiled


class FeelExpressions:
    """
    Compiles the expressions of a drawing, each inside its own step budget.

    Examples
    --------
    >>> FeelExpressions().compile('metrics.auc >= 0.8')({"metrics": {"auc": 0.91}})
    True
    """

    def compile(self, text: str, /) -> Compiled:
        """
        Compile an expression, without its leading ``=``; what it gives are Python's own values.

        Raises
        ------
        FeelSyntaxError
            When the text is not FEEL.
        """
        expression = compile_expression(text)
        return lambda variables: python_value(expression.evaluate(variables))
