"""In which order files that are uploaded together are taken."""

from __future__ import annotations

import pytest

from pilothouse.bpmn.drawing import document
from pilothouse.lifecycle.upload_order import (
    FileUnreadableError,
    ImportCircleError,
    upload_order,
)
from tests.integration.lifecycle.tables import DecisionFile


def decisions(namespace: str, *imports: str) -> bytes:
    """Give a decision file of a namespace that imports others."""
    return DecisionFile(
        namespace=namespace, imports={f"of_{name}": name for name in imports}, decisions={"d": "1"}
    ).xml


def test_a_decision_file_comes_after_what_it_imports() -> None:
    given = {"c": decisions("c", "b"), "b": decisions("b", "a"), "a": decisions("a")}

    assert upload_order(given) == ("a", "b", "c")


def test_files_that_need_no_order_keep_theirs() -> None:
    given = {"z": decisions("z"), "a": decisions("a"), "m": decisions("m")}

    assert upload_order(given) == ("z", "a", "m")


def test_life_cycles_come_last() -> None:
    given = {"p": document(""), "d": decisions("d"), "q": document("")}

    assert upload_order(given) == ("d", "p", "q")


def test_an_import_of_what_is_not_given_is_left_to_the_server() -> None:
    assert upload_order({"b": decisions("b", "elsewhere")}) == ("b",)


def test_files_of_one_namespace_all_come_before_what_imports_it() -> None:
    given = {"user": decisions("u", "a"), "one": decisions("a"), "two": decisions("a")}

    assert upload_order(given) == ("one", "two", "user")


def test_a_circle_is_refused_with_its_files() -> None:
    given = {"a": decisions("a", "b"), "b": decisions("b", "a"), "free": decisions("c")}

    with pytest.raises(ImportCircleError) as caught:
        upload_order(given)

    assert caught.value.files == ("a", "b")


@pytest.mark.parametrize(
    "xml", [b"nothing", b'<definitions xmlns="https://www.omg.org/spec/DMN/20991231/MODEL/"/>']
)
def test_a_file_that_cannot_be_read_is_named(xml: bytes) -> None:
    with pytest.raises(FileUnreadableError) as caught:
        upload_order({"fine": document(""), "broken": xml})

    assert caught.value.file == "broken"
