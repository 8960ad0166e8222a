"""Pages whose marked regions are generated, and whose other lines are not touched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

REGION = re.compile(
    r"<!-- begin (?P<name>[a-z-]+)[^>]*-->\n.*?<!-- end (?P=name) -->\n", flags=re.DOTALL
)


class PagesError(ValueError):
    """The regions of the pages and the generated blocks do not fit together."""


def regions(text: str) -> tuple[str, ...]:
    r"""
    Give the names of the regions of a page.

    Examples
    --------
    >>> regions("a\n<!-- begin settings -->\nold\n<!-- end settings -->\nb\n")
    ('settings',)
    """
    return tuple(found["name"] for found in REGION.finditer(text))


def filled(text: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    r"""
    Give a page with its regions written anew.

    Raises
    ------
    PagesError
        When a region has a name that nothing is generated for.

    Examples
    --------
    >>> page = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n"
    >>> print(filled(page, {"x": lambda: "new"}), end="")
    a
    <!-- begin x (written by docs/generate.py; edit the code, not this) -->
    <BLANKLINE>
    new
    <BLANKLINE>
    <!-- end x -->
    b
    """

    def region(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in blocks:
            raise PagesError(f"nothing is generated for the region {name!r}")
        first = f"<!-- begin {name} (written by docs/generate.py; edit the code, not this) -->"
        return f"{first}\n\n{blocks[name]().strip()}\n\n<!-- end {name} -->\n"

    return REGION.sub(region, text)


def rewritten(
    folder: Path, blocks: Mapping[str, Callable[[], str]]
) -> Mapping[Path, tuple[str, str]]:
    """
    Give every page that has regions: as it is, and as it would be.

    Raises
    ------
    PagesError
        When a block has no page or two.
    """
    pages = {page: page.read_text("utf-8") for page in sorted(folder.glob("*.md"))}
    named = [name for text in pages.values() for name in regions(text)]
    homeless, twice = (
        set(blocks) - set(named),
        {name for name in named if named.count(name) > 1},
    )
    if homeless or twice:
        raise PagesError(f"without a region: {sorted(homeless)}; with two: {sorted(twice)}")
    return {page: (text, filled(text, blocks)) for page, text in pages.items() if regions(text)}


def write(folder: Path, blocks: Mapping[str, Callable[[], str]]) -> list[Path]:
    """Write the pages that change, and give them."""
    changed = [(page, new) for page, (old, new) in rewritten(folder, blocks).items() if old != new]
    for page, new in changed:
        page.write_text(new, "utf-8")
    return [page for page, _ in changed]


def outdated(folder: Path, blocks: Mapping[str, Callable[[], str]]) -> list[Path]:
    """Give the pages that `write` would change."""
    return [page for page, (old, new) in rewritten(folder, blocks).items() if old != new]
