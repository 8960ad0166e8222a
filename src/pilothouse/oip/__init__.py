"""Open Inference Protocol, version 2: its types, its JSON form and its errors; knows nothing of models or services."""

from __future__ import annotations
