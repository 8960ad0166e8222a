"""The world outside, as life cycles reach it: guarded HTTP calls, and notifications."""

from __future__ import annotations
