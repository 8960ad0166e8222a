"""bpmn-js and the parts of Camunda Modeler around it, in a headless Chromium."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.integration.modeler.page import Modeler

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
KEPT = Path(sys.prefix) / "npm"
"""Installed packages by the digest of what they were made from; `make clean` removes them with the rest."""
MADE_FROM = ("package.json", "package-lock.json", ".npmrc", "modeler.js")
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)


def found(*names: str) -> str:
    """Give the path of the first of these programs that is there."""
    path = next((p for p in map(shutil.which, names) if p), None)
    if path is None:
        pytest.skip(f"there is no {names[0]}: install it, such as by apt-get install {names[0]}")
    return path


@pytest.fixture(scope="session")
def bundle() -> Path:
    """Give the one script that a page needs, made once for each state of what it is made from."""
    npm = found("npm")
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in MADE_FROM)).hexdigest()
    kept = KEPT / f"{digest[:16]}.js"
    if not kept.is_file():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            made = _made(npm, Path(folder))
            made.replace(kept)  # at once, since two test runs may make it at the same time
    return kept


def _made(npm: str, folder: Path) -> Path:
    for name in MADE_FROM:
        shutil.copy(HERE / name, folder)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    done = subprocess.run(
        [npm, "ci", *quiet], cwd=folder, capture_output=True, text=True, timeout=280, check=False
    )
    if done.returncode:
        pytest.skip(f"npm cannot install what package-lock.json names: {done.stderr.strip()}")
    made = folder / "bundle.js"
    subprocess.run(
        [
            folder / "node_modules" / ".bin" / "esbuild",
            "modeler.js",
            "--bundle",
            f"--outfile={made}",
        ],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return made


@pytest.fixture(scope="module")  # while a browser is there, nobody else may run an event loop
def modeler(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modeler]:
    """Give a page of a fresh Chromium that has the script."""
    chromium = found("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"),
            executable_path=chromium,
            headless=True,
            args=list(FLAGS),
            viewport={"width": 1600, "height": 900},
        )
        page = browser.new_page()
        css = "#canvas { width: 100vw; height: 100vh } body { margin: 0; background: white }"
        page.set_content(f"<!doctype html><style>{css}</style><body></body>")
        page.add_script_tag(path=bundle)
        yield Modeler(page)
        browser.close()
