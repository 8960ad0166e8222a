"""
``python -m tests.fuzz.feel [options of libFuzzer]``: FEEL text found by coverage (atheris).

Each input is read twice: its bytes as the choices of the grammar, and as text itself.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["pilothouse.feel"]):
    from tests.fuzz.grammar import Grammar
    from tests.fuzz.oracle import hold


class Bytes:
    """The choices that bytes make; the first option when none are left."""

    def __init__(self, data: bytes) -> None:
        self._data = atheris.FuzzedDataProvider(data)

    def below(self, limit: int, /) -> int:
        """Give a whole number from 0 to `limit` - 1."""
        return int(self._data.ConsumeIntInRange(0, limit - 1))


def one(data: bytes) -> None:
    """Try one input."""
    hold(Grammar(Bytes(data)).expression())
    hold(Grammar(Bytes(data[::-1]), depth=3).tests())
    hold(data.decode("utf-8", "replace"))


def main() -> None:
    """Fuzz until libFuzzer is content."""
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
