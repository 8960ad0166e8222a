"""Files that attack the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.dmn import Decisions, DmnRejectedError, read_decisions

if TYPE_CHECKING:
    from pathlib import Path

DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
BODY = "<definitions xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/'><decision id='d'><literalExpression><text>{}</text></literalExpression></decision></definitions>"
LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))


def problem_of(xml: bytes) -> str:
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(xml)
    return caught.value.problems[0].problem


@pytest.mark.parametrize(
    "prolog",
    [
        f"<!DOCTYPE d [<!ENTITY l0 'ha'>{LAUGHS}]>",
        "<!DOCTYPE d SYSTEM 'http://127.0.0.1:9/evil.dtd'>",
        "<!DOCTYPE d>",
        "<?xml version='1.0'?><!DOCTYPE d [<!ENTITY x 'y'>]>",
    ],
)
def test_a_document_type_is_refused(prolog: str) -> None:
    assert "DOCTYPE" in problem_of((prolog + BODY.format("&l9;")).encode())


def test_no_file_of_the_machine_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('"found"')
    xml = f"<!DOCTYPE d [<!ENTITY x SYSTEM '{secret.as_uri()}'>]>" + BODY.format("&x;")
    assert "DOCTYPE" in problem_of(xml.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_document_type_cannot_hide_in_an_encoding(encoding: str) -> None:
    xml = "<?xml version='1.0' encoding='" + encoding + "'?><!DOCTYPE d [<!ENTITY x 'y'>]>"
    assert "encoding" in problem_of((xml + BODY.format("&x;")).encode(encoding))


def test_a_document_type_cannot_hide_in_utf_7() -> None:
    xml = b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE d+AD4-"
    assert "encoding" in problem_of(xml + BODY.format("1").encode())


def test_inclusion_is_not_done() -> None:
    xml = BODY.format(
        "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/hostname' parse='text'/>"
    )
    assert "no text" in problem_of(xml.encode())


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        (b"", "not well-formed"),
        (b"not xml", "not well-formed"),
        (b"<definitions", "not well-formed"),
        (b"<a/>", "no DMN"),
        (f"<decision xmlns='{DMN}'/>".encode(), "no DMN"),
        (b"x" * 1_000_001, "1000001 bytes"),
        (b"<a>" * 10_000, "not well-formed"),
        (b"\x00\x01\x02", "encoding"),
        (BODY.format("1").encode()[:-5], "not well-formed"),
    ],
)  # fmt: skip
def test_what_is_no_dmn_is_refused(xml: bytes, problem: str) -> None:
    assert problem in problem_of(xml)


def test_problems_without_end_are_cut_off() -> None:
    xml = f"<definitions xmlns='{DMN}'>{'<import/>' * 50_000}</definitions>"
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(xml.encode())
    assert len(caught.value.problems) == 101
    assert "more" in caught.value.problems[-1].problem


@given(
    st.binary(max_size=300)
    | st.text(max_size=200).map(lambda t: BODY.format(t).encode(errors="replace"))
)
def test_random_files_are_read_or_refused(xml: bytes) -> None:
    try:
        found: object = read_decisions(xml)
    except DmnRejectedError as error:
        found = error
    assert isinstance(found, (Decisions, DmnRejectedError))
