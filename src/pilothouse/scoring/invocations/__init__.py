"""MLflow's scoring protocol: ``POST …/invocations``."""

from __future__ import annotations
