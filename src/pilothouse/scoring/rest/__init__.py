"""Open Inference v2 over REST; a thin form over `pilothouse.scoring.data_plane`."""

from __future__ import annotations
