"""What the use cases need from outside, as protocols; every adapter and every fake keeps them."""

from __future__ import annotations
