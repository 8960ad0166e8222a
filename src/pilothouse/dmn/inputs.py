"""What a caller gave, and where the inputs of a model are found in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.dmn.model import Decision, InputData

ABSENT = object()
"""What stands for a value that was not given, null being one that was."""


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

    def find(self, element: InputData | Decision) -> object:
        """Give what the caller gave for an input; `ABSENT` where that is nothing."""
        if not element.namespace:
            return self.inputs.get(element.variable, ABSENT)
        there = self.imported.get(element.namespace, {})
        if element.variable in there:
            return there[element.variable]
        return self._among_variables(element.variable, self.imports.get(element.namespace, ""))

    def _among_variables(self, name: str, called: str) -> object:
        if f"{called}.{name}" in self.inputs:
            return self.inputs[f"{called}.{name}"]
        context = self.inputs.get(called)
        if isinstance(context, Mapping) and name in context:
            return context[name]
        own = any(name == element.name for element in self.own)
        return ABSENT if own else self.inputs.get(name, ABSENT)
