"""
Analysis of decision tables without running them: `analysed` gives what it found.

Each input is a line that the conditions cut into regions (`columns`), so that a rule is a box: a set of regions for
each input. Boxes that meet overlap (`meetings`, `overlaps`); what no box covers is a gap (`gaps`, `covering`); a box that others
cover is a rule that never counts (`rules`).
"""

from __future__ import annotations

from pilothouse.dmn.analysis.analysing import analysed
from pilothouse.dmn.analysis.findings import Finding, Severity

__all__ = ["Finding", "Severity", "analysed"]
