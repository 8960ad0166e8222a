"""ARCHITECTURE.md tells the truth: its floors are the folders, its layers those that the linter holds, its links lead somewhere."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SOURCES = CHECKOUT / "src" / "pilothouse"
ARCHITECTURE = (CHECKOUT / "ARCHITECTURE.md").read_text("utf-8")
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
FOUND = {*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"), *CHECKOUT.glob("*/*.md")}
PAGES = sorted(p for p in FOUND if not p.relative_to(CHECKOUT).parts[0].startswith("."))


def layers() -> list[str]:
    """Give the layers that the linter holds, top to bottom."""
    config = configparser.ConfigParser()
    config.read(CHECKOUT / ".importlinter")
    return config["importlinter:contract:floors"]["layers"].strip().splitlines()


def test_the_layers_on_the_page_are_those_that_the_linter_holds() -> None:
    assert "```\n" + "\n".join(layers()) + "\n```" in ARCHITECTURE


def test_the_page_names_every_floor() -> None:
    floors = {p.name for p in SOURCES.iterdir() if p.is_dir() and p.name != "__pycache__"}
    named = set(re.findall(r"^  (\w+)/ ", ARCHITECTURE, flags=re.MULTILINE))

    assert named == floors


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(CHECKOUT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = [
        target
        for target in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []
