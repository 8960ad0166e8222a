"""Requirements and locks."""

from __future__ import annotations

import pytest

from pilothouse.scoring.locks import check_lock, locked_names, requirement_names
from pilothouse.scoring.model_errors import LockInvalidError, RequirementRefusedError

HASH = "--hash=sha256:" + "a" * 64


@pytest.mark.parametrize(
    "requirement",
    [
        "https://example.org/evil.whl",
        "evil @ https://example.org/evil.whl",
        "git+https://example.org/evil.git",
        "./evil",
        "/opt/evil.whl",
        "-e .",
        "-r other.txt",
        "--index-url=https://example.org",
        "numpy --hash=sha256:00",
        "numpy\n--index-url https://example.org",
        "numpy; python_version > '3'\n-e .",
        "numpy \\",
        "numpy==1 2",
        "evil.whl/..",
        "",
        "# comment",
    ],
)
def test_only_named_packages_may_be_required(requirement: str) -> None:
    with pytest.raises(RequirementRefusedError) as caught:
        requirement_names([requirement])

    assert caught.value.requirement == requirement


def test_named_packages_with_extras_versions_and_markers_are_taken() -> None:
    names = requirement_names(
        ["numpy", "Foo_Bar[a, b] >=1.0,!=1.5, <2 ; sys_platform == 'linux'", "x~=1.2"]
    )

    assert names == ("numpy", "foo-bar", "x")


def test_a_lock_with_hashes_and_continued_lines_is_read() -> None:
    lock = f"# made by a tool\nnumpy==2.4.6 \\\n    {HASH} \\\n    {HASH}\n\nfoo_bar==1 ; sys_platform == 'linux' {HASH}\n"

    assert locked_names(lock) == ("numpy", "foo-bar")


@pytest.mark.parametrize(
    ("lock", "line"),
    [
        ("numpy==2.4.6\n", 1),
        ("numpy>=2 " + HASH, 1),
        ("# fine\n--index-url https://example.org\n", 2),
        ("-e .\n", 1),
        ("numpy @ https://example.org/n.whl " + HASH, 1),
        ("numpy==2.4.6 --hash=md5:" + "a" * 32, 1),
        (f"numpy==2.4.6 {HASH}\nscipy==1 \\\n", 2),
        (f"numpy==2.4.6 {HASH} --no-deps", 1),
    ],
)
def test_a_lock_with_anything_else_is_refused(lock: str, line: int) -> None:
    with pytest.raises(LockInvalidError) as caught:
        locked_names(lock)

    assert caught.value.line == line


def test_a_lock_must_hold_what_the_manifest_requires() -> None:
    with pytest.raises(LockInvalidError) as caught:
        check_lock(f"numpy==2.4.6 {HASH}\n", ["scikit-learn"])

    assert "scikit-learn" in caught.value.problem
