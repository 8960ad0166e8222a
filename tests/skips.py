"""
A pytest plug-in: where CI runs the tests, nothing may be skipped.

Elsewhere a test that lacks something of the system is skipped with its reason, which is printed at the end. In CI everything
is there, so that a skip is a hole in what was tested: it fails, with the reason of the skip. The conformance kits of
standards are no part of the project; where they are not beside it, their tests are skipped in CI too, loudly.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

KIT_ELSEWHERE = "THE CONFORMANCE KIT IS NOT HERE"
"""How the reason of the one skip that is allowed in CI begins."""

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test into a failure."""
    report = yield
    allowed = hasattr(report, "wasxfail") or KIT_ELSEWHERE in _reason(report.longrepr)
    if IN_CI and report.skipped and not allowed:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and nothing may be skipped in CI: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole file into a failure."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, and nothing may be skipped in CI: {_reason(report.longrepr)}"
    return report


def _reason(shown: object) -> str:
    return str(shown[2]) if isinstance(shown, tuple) and len(shown) == 3 else str(shown)
