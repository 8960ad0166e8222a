"""
Boxed expressions: what gives decisions and business knowledge models their values.

`read_logic` reads one, of whatever kind; each kind is a `pilothouse.dmn.taking.Logic`. Source: DMN 1.5, chapters 7.3 and 10.2.2.
"""

from __future__ import annotations

from pilothouse.dmn.boxed.reader import LOGIC_NAMES, read_function, read_logic

__all__ = ["LOGIC_NAMES", "read_function", "read_logic"]
