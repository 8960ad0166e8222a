"""
Make the compact copies of the data that this example keeps: one file a year, without columns that it does not need.

``python prepare.py SOURCE`` was run once, on the table that the README of the data names; the example itself does not
need it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

YEARS = (2015, 2016, 2017)
UNUSED = ("year", "reference_model_prediction", "reference_model_probability")
DATA = Path(__file__).parent / "data"


def main() -> None:
    """Read the whole table and write a file for each year."""
    parser = argparse.ArgumentParser(description="Make the compact copies of the data.")
    parser.add_argument("source", type=Path, help="Parquet file of all years.")
    table = pq.read_table(parser.parse_args().source)
    DATA.mkdir(exist_ok=True)
    for year in YEARS:
        rows = table.filter(pc.equal(table["year"], year)).drop_columns(list(UNUSED))
        target = DATA / f"acs_employment_ma_{year}.parquet"
        pq.write_table(
            rows.replace_schema_metadata(None), target, compression="zstd", compression_level=19
        )
        print(f"{target}: {rows.num_rows} rows, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
