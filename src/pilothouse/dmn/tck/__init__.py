"""
The DMN Technology Compatibility Kit, run over any part of it: ``python -m pilothouse.dmn.tck FOLDER [--json]``.

`run_kit` finds the test files of a folder, reads the models that they name, and tells of each result asked for
whether it came. Source: OMG DMN TCK, whose test files have the namespace
``http://www.omg.org/spec/DMN/20160719/testcase``.
"""

from __future__ import annotations

from pilothouse.dmn.tck.kit import run_kit
from pilothouse.dmn.tck.report import Entry, FileReport, Report

__all__ = ["Entry", "FileReport", "Report", "run_kit"]
