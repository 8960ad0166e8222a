"""`pilothouse lifecycles diff`, and `upload` of several files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.drawing import document, service
from pilothouse.lifecycle.definitions import shipped
from pilothouse.lifecycle.offline import element_templates
from tests.integration.api.serving import Served, serving
from tests.integration.lifecycle.tables import DecisionFile, importing, unique_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIBRARY = DecisionFile(namespace="lib", id="lib", functions={"double": "x * 2"}).xml
USER = importing("twice", "lib.double(21)", namespace="lib")
START, END = '<startEvent id="start"/>', '<endEvent id="end"/>'
ONE = document(START + END, flows="start>end").replace(b'id="test"', b'id="one"')
BROKEN = document(service("a", topic="nobody-does-this")).replace(b'id="test"', b'id="broken"')


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("lifecycles") / "home") as s:
        yield s


def ran(served: Served | None, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does, who knows a server or none."""
    address = {"PILOTHOUSE_URL": served.url, "PILOTHOUSE_TOKEN": served.token} if served else {}
    return subprocess.run(
        [sys.executable, "-m", "pilothouse", "lifecycles", *words],
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere", **address},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def written(folder: Path, **files: bytes) -> list[str]:
    """Write files, such as ``a_dmn`` to ``a.dmn``, and give their paths."""
    paths = {folder / name.replace("_", "."): xml for name, xml in files.items()}
    for path, xml in paths.items():
        path.write_bytes(xml)
    return [str(path) for path in paths]


def test_equal_files_exit_with_0(tmp_path: Path) -> None:
    done = ran(None, "diff", *written(tmp_path, old_bpmn=ONE, new_bpmn=ONE))

    assert (done.returncode, done.stdout) == (0, "Nothing differs, but perhaps the drawing.\n")


def test_different_files_exit_with_1_and_a_row_for_each_detail(tmp_path: Path) -> None:
    old = unique_table("size", ("&lt; 5", '"small"'))
    new = unique_table("size", ("&lt; 6", '"tiny"'))

    done = ran(None, "diff", *written(tmp_path, old_dmn=old, new_dmn=new))

    heading, *rows = (line.split() for line in done.stdout.splitlines())
    assert (done.returncode, heading) == (
        *(1, ["change", "kind", "element", "in", "what", "old", "new"]),
    )
    assert rows == [
        ["changed", "rule", "r1", "size", "n", "<", "5", "<", "6"],
        ["changed", "rule", "r1", "size", "out", '"small"', '"tiny"'],
    ]


def test_differences_are_printed_for_programs(tmp_path: Path) -> None:
    more = document(START + service("a") + END, flows="start>end").replace(
        b'id="test"', b'id="one"'
    )

    done = ran(None, "diff", *written(tmp_path, old_bpmn=more, new_bpmn=ONE), "--json")

    [found] = json.loads(done.stdout)
    assert (done.returncode, found["change"], found["element"]) == (1, "removed", "a")
    assert list(found["details"][0].values()) == ["zeebe:taskDefinition/type", "work", None]


def test_equal_files_are_an_empty_list_for_programs(tmp_path: Path) -> None:
    done = ran(None, "diff", *written(tmp_path, old_bpmn=ONE, new_bpmn=ONE), "--json")

    assert (done.returncode, json.loads(done.stdout)) == (0, [])


@pytest.mark.parametrize(
    ("xml", "code"), [(USER, "kinds-differ"), (b"<a/>", "not-a-lifecycle"), (b"<", "rejected")]
)
def test_what_cannot_be_compared_exits_with_2(tmp_path: Path, xml: bytes, code: str) -> None:
    done = ran(None, "diff", *written(tmp_path, old_bpmn=ONE, new_xml=xml))

    assert (done.returncode, done.stdout) == (2, "")
    assert f"{code})" in done.stderr.splitlines()[0]


def test_a_file_that_is_not_there_exits_with_2(tmp_path: Path) -> None:
    done = ran(None, "diff", *written(tmp_path, old_bpmn=ONE), "/nowhere.bpmn")

    assert done.returncode == 2
    assert done.stderr.startswith("error (file): No such file or directory: /nowhere.bpmn.")


def test_a_file_is_compared_with_a_version_of_the_server(served: Served, tmp_path: Path) -> None:
    [old] = written(tmp_path, old_dmn=unique_table("grade", ("&lt; 5", '"low"')))
    [new] = written(tmp_path, new_dmn=unique_table("grade", ("&lt; 7", '"low"')))
    assert ran(served, "upload", old, new).returncode == 0

    codes = [
        ran(served, "diff", *pair).returncode
        for pair in (("grade@1", old), ("grade@1", "grade@2"), (new, "grade"))
    ]

    assert codes == [0, 1, 0]


def test_a_version_that_the_server_does_not_have_exits_with_2(served: Served) -> None:
    done = ran(served, "diff", "never@1", "never@2")

    assert done.returncode == 2
    assert "never@1" in done.stderr


def test_files_are_uploaded_after_what_they_import(served: Served, tmp_path: Path) -> None:
    files = written(tmp_path, one_bpmn=ONE, twice_dmn=USER, lib_dmn=LIBRARY)

    done = ran(served, "upload", *files, "--json")

    assert done.returncode == 0, done.stderr
    assert [taken["key"] for taken in json.loads(done.stdout)] == ["lib", "twice", "one"]


def test_the_first_refusal_ends_the_upload_and_says_what_was_taken(
    served: Served, tmp_path: Path
) -> None:
    last = ONE.replace(b'id="one"', b'id="last"')
    first = ONE.replace(b'id="one"', b'id="first"')
    files = written(tmp_path, first_bpmn=first, broken_bpmn=BROKEN, last_bpmn=last)

    done = ran(served, "upload", *files, "--json")

    assert (done.returncode, [d["key"] for d in json.loads(done.stdout)]) == (1, ["first"])
    said = f"Refused: {files[1]}. Taken: {files[0]} as first@1. Not tried: {files[2]}."
    assert done.stderr.splitlines()[0] == said
    assert "error (definition-rejected)" in done.stderr
    assert ran(served, "show", "last").returncode == 1


def test_a_file_that_cannot_be_read_lets_none_be_taken(served: Served, tmp_path: Path) -> None:
    other = ONE.replace(b'id="one"', b'id="other"')
    files = written(tmp_path, other_bpmn=other, broken_bpmn=b"<")

    done = ran(served, "upload", *files)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"error (file-unreadable): {files[1]}:" in done.stderr
    assert ran(served, "show", "other").returncode == 1


def test_warnings_of_several_files_name_their_file(served: Served, tmp_path: Path) -> None:
    overlap = unique_table("span", ("&lt;= 5", '"small"'), ("&gt;= 5", '"big"'))
    files = written(tmp_path, span_dmn=overlap, one_bpmn=ONE)

    done = ran(served, "upload", *files)

    assert done.returncode == 0
    assert f"Mind {files[0]}: rule r2, line 1:" in done.stderr


def test_a_shipped_life_cycle_is_exported_byte_by_byte(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "mine.bpmn"

    done = ran(served, "export", "promote-online", "--out", str(path))

    assert (done.returncode, done.stdout) == (0, f"Written: {path}\n")
    assert path.read_bytes() in shipped()


def test_a_file_that_cannot_be_written_says_so(served: Served) -> None:
    done = ran(served, "export", "promote-online", "--out", "/nowhere/mine.bpmn")

    assert done.returncode == 1
    assert "error (file-not-written): /nowhere/mine.bpmn cannot be written" in done.stderr


def test_element_templates_are_printed_or_written(tmp_path: Path) -> None:
    path = tmp_path / "templates.json"

    printed, wrote = ran(None, "templates"), ran(None, "templates", "--out", str(path))

    assert (printed.returncode, wrote.returncode) == (0, 0)
    assert json.loads(printed.stdout) == json.loads(path.read_text("utf-8")) == element_templates()
