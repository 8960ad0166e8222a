"""The peer for batch: read the Parquet file with pandas, score it with the same model, write the scores."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import skops.io


def main() -> None:
    """Score one file."""
    parser = argparse.ArgumentParser()
    for name in ("model", "source", "target"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    trusted = skops.io.get_untrusted_types(file=given.model)
    model = skops.io.load(given.model, trusted=trusted)
    scores = model.predict_proba(pd.read_parquet(given.source))[:, 1]
    pd.DataFrame({"score": scores}).to_parquet(given.target)


if __name__ == "__main__":
    main()
