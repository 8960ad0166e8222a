"""The scoring side: models in their own processes, the scoring server and the batch runner."""

from __future__ import annotations
