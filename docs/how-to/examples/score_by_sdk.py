"""Score records by the Python client: ``python score_by_sdk.py http://HOST:PORT/v2/models/cc-fraud``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pilothouse.sdk import ScoringClient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.sdk.scoring import Answer

RECORDS: Mapping[str, Sequence[str | int | float | bool | None]] = {
    "amount": [21.5, 990.0],
    "age": [44, None],
    "abroad": [False, True],
    "segment": ["retail", "corporate"],
    "at": ["2026-01-05T12:00:00Z", "2026-01-05T12:00:01Z"],
}


def score(url: str, token: str) -> Answer:
    """Ask a service's endpoint; rows of one customer shall meet one variant."""
    client = ScoringClient(token=token)
    try:
        return client.score(url, RECORDS, sticky_key="customer-17")
    finally:
        client.close()


if __name__ == "__main__":
    answer = score(sys.argv[1], os.environ["PILOTHOUSE_SCORING_TOKEN"])
    print(answer.columns["score"], "by", answer.snapshot, "as", answer.prediction_id)
