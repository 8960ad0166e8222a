"""Use cases, one class per noun: who may do it, what the rules say, what is written."""

from __future__ import annotations
