"""The REST API: thin routes over the use cases, a file per noun."""

from __future__ import annotations
