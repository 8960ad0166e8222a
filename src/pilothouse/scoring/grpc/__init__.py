"""Open Inference v2 over gRPC; needs the extra ``grpc``."""

from __future__ import annotations
