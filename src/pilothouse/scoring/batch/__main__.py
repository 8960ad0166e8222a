"""``python -m pilothouse.scoring.batch --home DIR``."""

from __future__ import annotations

import sys

from pilothouse.scoring.batch.main import main

sys.exit(main(sys.argv[1:]))
