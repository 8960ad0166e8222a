"""
Write what the code knows into the reference pages: ``python docs/generate.py [--check]``.

Between ``<!-- begin NAME ... -->`` and ``<!-- end NAME -->`` a page of `docs/reference` holds what is generated
here; all around it is written by hand. With ``--check`` nothing is written, and the exit code is 1 when a page is
not what it would become.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, only docs/ itself is on the path

from docs.generating.blocks import BLOCKS  # noqa: E402  the line above is what finds it
from docs.generating.pages import outdated, write  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"


def main() -> int:
    """Write the pages, or say which are not up to date; give the exit code."""
    parser = argparse.ArgumentParser(description="Write the generated parts of the reference.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if something would")
    if not parser.parse_args().check:
        for page in write(REFERENCE, BLOCKS):
            print(f"written: {page.relative_to(ROOT)}")
        return 0
    stale = outdated(REFERENCE, BLOCKS)
    for page in stale:
        print(f"not up to date: {page.relative_to(ROOT)} (run `make docs`)")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
