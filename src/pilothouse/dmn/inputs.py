"""What a caller gave, and where the inputs of a model are found in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.feel import admit

if TYPE_CHECKING:
    from pilothouse.dmn.model import Decision, InputData
    from pilothouse.feel import Budget, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """
    The variables of one evaluation.

    An input of the model's own file is found by its name. One of an imported file is found, in this order, by its
    name among the inputs of its namespace; as ``Import.Name``; as the entry ``Name`` of a context named like the
    import; by its name alone, unless the model's own file has an input of that name.

    Parameters
    ----------
    inputs
        The variables.
    imported
        The inputs of imported files, by their namespaces and names.
    imports
        What the model calls the files that it imports, by their namespaces.
    own
        The inputs of the model's own file.
    """

    inputs: Mapping[str, object]
    imported: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    imports: Mapping[str, str] = field(default_factory=dict)
    own: Collection[InputData] = ()

    def has(self, element: InputData | Decision) -> bool:
        """Say whether an input was given."""
        return bool(self._found(element))

    def value(self, element: InputData | Decision, budget: Budget) -> Value:
        """
        Give the value of an input that was given, as one of its type.

        Raises
        ------
        FeelValueError
            When it is none of FEEL's values.
        """
        raw = self._found(element)[0]
        return element.type.coerced(admit(raw, name=element.variable, budget=budget), budget)

    def _found(self, element: InputData | Decision) -> tuple[object, ...]:
        """Give the value alone; nothing where it is not there."""
        name = element.variable
        if not element.namespace:
            return (self.inputs[name],) if name in self.inputs else ()
        there = self.imported.get(element.namespace, {})
        if name in there:
            return (there[name],)
        called = self.imports.get(element.namespace, "")
        if f"{called}.{name}" in self.inputs:
            return (self.inputs[f"{called}.{name}"],)
        context = self.inputs.get(called)
        if isinstance(context, Mapping) and name in context:
            return (context[name],)
        alone = name in self.inputs and all(name != element.name for element in self.own)
        return (self.inputs[name],) if alone else ()
