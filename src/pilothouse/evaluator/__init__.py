"""Compiled models: a form of flat arrays, its lowering from a model, and what evaluates it."""

from __future__ import annotations

from pilothouse.evaluator.compiled import Compiled, load
from pilothouse.evaluator.container import dumps, loads
from pilothouse.evaluator.ir import Form, Input, Kind, Output

__all__ = ["Compiled", "Form", "Input", "Kind", "Output", "dumps", "load", "loads"]
