"""The command line: the API's nouns as commands."""

from __future__ import annotations
