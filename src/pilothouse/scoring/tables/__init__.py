"""Tables in files: Parquet, CSV and JSON lines, read strictly and in blocks, written exactly; one format a file."""

from __future__ import annotations
