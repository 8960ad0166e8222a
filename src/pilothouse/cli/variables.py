"""Variables as they are written on the command line."""

from __future__ import annotations

import json

from pilothouse.domain.errors import InvalidError


class VariablesInvalidError(InvalidError):
    """Variables on the command line are not a JSON object."""

    code = "variables-invalid"

    def __init__(self, *, text: str) -> None:
        self.text = text[:200]
        super().__init__(f"{text[:200]!r} is not a JSON object. Write it as '{{\"name\": value}}'.")


def variables(text: str) -> dict[str, object]:
    """Read a JSON object."""
    try:
        read = json.loads(text)
    except ValueError as problem:
        raise VariablesInvalidError(text=text) from problem
    if not isinstance(read, dict):
        raise VariablesInvalidError(text=text)
    return read
