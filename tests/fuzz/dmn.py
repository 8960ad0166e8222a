"""
``python -m tests.fuzz.dmn [options of libFuzzer]``: decision files found by coverage (atheris).

The bytes choose a file built of the standard's elements with FEEL of the grammar in them; then the same file with
a few of its characters changed, which XML seldom survives.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["pilothouse.dmn", "pilothouse.feel"]):
    from tests.fuzz.files import Files
    from tests.fuzz.oracle import hold_file

from tests.fuzz.feel import Bytes


def one(data: bytes) -> None:
    """Try one input."""
    choices = Bytes(data)
    file = Files(choices).definitions()
    hold_file(file)
    place = choices.below(len(file))
    hold_file(file[:place] + data[-8:] + file[place + choices.below(40) :])


def main() -> None:
    """Fuzz until libFuzzer is content."""
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
