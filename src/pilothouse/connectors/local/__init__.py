"""The local connector: scoring processes on the control plane's own host."""

from __future__ import annotations
