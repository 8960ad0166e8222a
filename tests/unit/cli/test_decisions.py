"""`pilothouse decisions`: lint, test and evaluate files on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pilothouse.cli.decisions import InputsInvalidError
from pilothouse.cli.main import command_line
from pilothouse.dmn import DecisionNotFoundError, DmnRejectedError
from pilothouse.lifecycle.errors import NamespaceTwiceError
from tests.integration.lifecycle.tables import DecisionFile, importing, unique_table

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = DecisionFile(namespace="lib", id="lib", functions={"double": "x * 2"}).xml
FINE = unique_table("size", ("&lt; 5", '"small"'), ("&gt;= 5", '"big"'))
OVERLAP = unique_table("size", ("&lt;= 5", '"small"'), ("&gt;= 5", '"big"'))


def ran(*words: str) -> tuple[int, str]:
    """Run a command, and give its exit code and what it printed."""
    done = CliRunner().invoke(command_line("decisions"), ["decisions", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def printed(*words: str) -> Any:  # noqa: ANN401 whatever the command prints
    _, text = ran(*words, "--json")
    return json.loads(text)


def file(folder: Path, xml: bytes, name: str = "table.dmn") -> str:
    path = folder / name
    path.write_bytes(xml)
    return str(path)


def test_a_table_that_leaves_nothing_open_has_no_finding(tmp_path: Path) -> None:
    code, text = ran("lint", file(tmp_path, FINE))

    assert (code, "leaves nothing open" in text) == (0, True)


def test_an_overlap_is_an_error_with_an_example(tmp_path: Path) -> None:
    code, _ = ran("lint", file(tmp_path, OVERLAP))
    [finding] = printed("lint", file(tmp_path, OVERLAP))

    assert code == 1
    assert (finding["severity"], finding["rules"]) == ("error", [1, 2])
    assert "5" in finding["example"]


def test_what_an_upload_would_refuse_is_a_finding(tmp_path: Path) -> None:
    broken = unique_table("size", ("&lt; &lt; 5", '"small"'))

    code, _ = ran("lint", file(tmp_path, broken))
    findings = printed("lint", file(tmp_path, broken))

    assert code == 1
    assert {f["severity"] for f in findings} == {"refused"}


def test_a_file_that_is_no_dmn_is_a_finding(tmp_path: Path) -> None:
    findings = printed("lint", file(tmp_path, b"<svg xmlns='svg'/>"))

    assert [f["severity"] for f in findings] == ["refused"]


def test_imported_files_are_given_beside(tmp_path: Path) -> None:
    user = file(tmp_path, importing("user", "lib.double(n)", namespace="lib"))
    library = file(tmp_path, LIBRARY, "lib.dmn")

    alone, _ = ran("lint", user)
    both, _ = ran("lint", user, "--with", library)

    assert (alone, both) == (1, 0)


def test_two_files_of_one_namespace_are_refused(tmp_path: Path) -> None:
    library = file(tmp_path, LIBRARY)

    with pytest.raises(NamespaceTwiceError) as twice:
        ran("lint", library, "--with", library, "--with", library)

    assert twice.value.namespace == "lib"


def test_cases_that_pass_end_well(tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("name,decision,n,expected,rules\nsmall,size,4,small,r1\nbig,size,5,big,r2\n")

    code, text = ran("test", file(tmp_path, FINE), str(cases))

    assert (code, "2 of 2 cases passed." in text) == (0, True)


def test_a_case_that_fails_is_shown_and_fails_the_command(tmp_path: Path) -> None:
    cases = tmp_path / "cases.csv"
    cases.write_text("name,decision,n,expected\nsmall,size,4,big\n")

    code, _ = ran("test", file(tmp_path, FINE), str(cases))
    [result] = printed("test", file(tmp_path, FINE), str(cases))

    assert code == 1
    assert (result["verdict"], result["expected"], result["got"]) == ("failed", '"big"', '"small"')
    assert [rule["rule"] for rule in result["fired"]] == ["r1"]


def test_a_decision_is_taken_with_its_rules(tmp_path: Path) -> None:
    outcome = printed("evaluate", file(tmp_path, FINE), "size", "--inputs", '{"n": 7}')

    assert outcome["value"] == "big"
    assert [rule["rule"] for rule in outcome["fired"]] == ["r2"]


def test_a_null_is_shown_with_its_reason(tmp_path: Path) -> None:
    code, text = ran("evaluate", file(tmp_path, OVERLAP), "size", "--inputs", '{"n": 5}')
    outcome = printed("evaluate", file(tmp_path, OVERLAP), "size", "--inputs", '{"n": 5}')

    assert (code, text.startswith("null")) == (0, True)
    assert (outcome["value"], outcome["nulls"][0]["fault"]) == (None, "conflict")


def test_inputs_may_stand_in_a_file_and_hold_feel(tmp_path: Path) -> None:
    table = file(tmp_path, DecisionFile(namespace="n", decisions={"year": "day.year"}).xml)
    given = tmp_path / "inputs.json"
    given.write_text('{"day": {"feel": "date(2026, 1, 31)"}}')

    outcome = printed("evaluate", table, "year", "--inputs", f"@{given}")

    assert outcome["value"] == 2026


@pytest.mark.parametrize("inputs", ["[1]", "{", '{"n": {"feel": "1 +"}}', "[" * 100_000])
def test_inputs_that_are_no_object_of_values_are_refused(tmp_path: Path, inputs: str) -> None:
    with pytest.raises(InputsInvalidError):
        ran("evaluate", file(tmp_path, FINE), "size", "--inputs", inputs)


def test_an_unknown_decision_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(DecisionNotFoundError) as missing:
        ran("evaluate", file(tmp_path, FINE), "sise")

    assert missing.value.known == ("size",)


def test_a_file_that_cannot_run_is_not_evaluated(tmp_path: Path) -> None:
    with pytest.raises(DmnRejectedError):
        ran("evaluate", file(tmp_path, unique_table("size", ("&lt; &lt;", "1"))), "size")
