"""
What a test has logged or printed can be written down, whatever it is.

pytest-xdist sends it from its workers in UTF-8. Half of a surrogate pair, which some tests log on purpose, has none: the
report was lost with it, and the session ended with an internal error, as if the worker had crashed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write out what has no UTF-8."""
    report = yield
    report.sections = [(name, printable(text)) for name, text in report.sections]
    return report


def printable(text: str) -> str:
    """Give text in which half of a surrogate pair is written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
