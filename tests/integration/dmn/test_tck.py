"""The DMN Technology Compatibility Kit: every test passes but for those that the reference lists with a reason."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from pilothouse.dmn.cases import Verdict
from pilothouse.dmn.tck import FileReport, Report, run_kit
from pilothouse.dmn.tck.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "dmn-tck.md"
ROW = re.compile(
    r"^\| `(?P<case>[^`]+)` \| `(?P<test>[^`]*)` \| `(?P<result>[^`]*)` \| (?P<reason>.+) \|$"
)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LEVEL_2 = "compliance-level-2"
LEVEL_3 = "compliance-level-3"

MODEL = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="m" namespace="urn:m">
  <inputData name="n" id="n"><variable name="n" typeRef="number"/></inputData>
  <decision name="half" id="half"><variable name="half"/><informationRequirement><requiredInput href="#n"/></informationRequirement>
    <literalExpression><text>n / 2</text></literalExpression></decision>
  <decision name="broken" id="broken"><variable name="broken"/><literalExpression><text>1 +</text></literalExpression></decision>
</definitions>"""
TESTS = """<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema"><modelName>{model}</modelName>{tests}</testCases>"""
TEST = """<testCase id="{id}"><inputNode name="n"><value xsi:type="xsd:decimal">3</value></inputNode>
  <resultNode name="{node}" errorResult="{error}"><expected><value xsi:type="xsd:decimal">{value}</value></expected></resultNode></testCase>"""


def a_test(*, node: str = "half", value: str = "1.5", error: str = "false") -> str:
    return TEST.format(id="001", node=node, value=value, error=error)


def listed(heading: str, report: Report) -> set[tuple[str, str, str]]:
    """Read the rows of one section of the page, as far as they are about this part of the kit."""
    run = {file.case for file in report.files}
    section = PAGE.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [ROW.match(line) for line in section.splitlines()]
    return {(row["case"], row["test"], row["result"]) for row in rows if row and row["case"] in run}


def ended(report: Report, verdict: Verdict) -> set[tuple[str, str, str]]:
    return {(entry.case, entry.test, entry.result) for entry in report.entries(verdict)}


@pytest.fixture(scope="module")
def report(kit: Path) -> Report:
    """Run the whole part of the kit that is here."""
    return run_kit(kit, now=NOW, tell=lambda _: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a little kit of one test."""
    place = tmp_path / "compliance-level-9" / "0001-half"
    place.mkdir(parents=True)
    (place / "0001-half.dmn").write_text(MODEL)
    (place / "0001-half-test-01.xml").write_text(
        TESTS.format(model="0001-half.dmn", tests=a_test())
    )
    return tmp_path


def run(folder: Path) -> Report:
    return run_kit(folder, now=NOW, tell=lambda _: None)


def replaced(folder: Path, *, model: str = "0001-half.dmn", tests: str) -> Report:
    (test_file,) = folder.rglob("*.xml")
    test_file.write_text(TESTS.format(model=model, tests=tests))
    return run(folder)


def reasons(report: Report, verdict: Verdict) -> Iterator[str]:
    return (entry.reason for entry in report.entries(verdict))


# the kit itself


def test_all_of_the_kit_is_run(report: Report, kit: Path) -> None:
    asked = Counter(
        path.relative_to(kit).with_suffix("").as_posix()
        for path in kit.rglob("*-test-*.xml")
        for _ in etree.parse(path).getroot().iter("{*}resultNode")
    )
    assert {file.case: len(file.entries) for file in report.files} == asked
    assert report.notes == ()


def test_what_is_not_passed_is_listed_with_its_reason(report: Report) -> None:
    assert ended(report, Verdict.FAILED) == listed("Not passed", report)


def test_what_is_refused_by_design_is_listed_with_its_reason(report: Report) -> None:
    assert ended(report, Verdict.REFUSED) == listed("Refused by design", report)


def test_every_test_of_level_2_is_passed(report: Report) -> None:
    files = report.levels()[LEVEL_2]
    assert [f.case for f in files if f.count(Verdict.PASSED) < len(f.entries)] == []


def test_nearly_all_of_level_3_is_passed(report: Report) -> None:
    files = report.levels()[LEVEL_3]
    passed = sum(file.count(Verdict.PASSED) for file in files)
    failed = sum(file.count(Verdict.FAILED) for file in files)
    assert passed / (passed + failed) >= 0.98


# the runner


def test_a_test_is_known_by_its_path_and_level(folder: Path) -> None:
    report = run(folder)
    (entry,) = report.entries(Verdict.PASSED)
    assert entry.case == "compliance-level-9/0001-half/0001-half-test-01"
    assert (entry.test, entry.result, entry.reason) == ("001", "half", "as expected")
    assert report.files[0].level == "compliance-level-9"


def test_any_part_of_the_kit_can_be_run(folder: Path) -> None:
    report = run(folder / "compliance-level-9" / "0001-half")
    assert report.files[0].case == "0001-half-test-01"
    assert report.files[0].level == "compliance-level-9"


def test_each_file_is_told_when_it_is_run(folder: Path) -> None:
    told: list[FileReport] = []
    report = run_kit(folder, now=NOW, tell=told.append)
    assert tuple(told) == report.files


def test_rounded_numbers_are_met_within_the_tolerance(folder: Path) -> None:
    tests = a_test(value="1.500000009") + a_test(value="1.50000002")
    report = replaced(folder, tests=tests)
    assert [verdict for verdict, _ in report.files[0].entries] == [Verdict.PASSED, Verdict.FAILED]


def test_a_broken_decision_answers_an_expected_error_alone(folder: Path) -> None:
    tests = a_test(node="broken", error="true") + a_test(node="broken") + a_test()
    report = replaced(folder, tests=tests)
    assert [verdict for verdict, _ in report.files[0].entries] == [
        *(Verdict.PASSED, Verdict.FAILED),
        Verdict.PASSED,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "count(for a in 1..99999, b in 1..99999 return a)",
        "{f: function(x) f(x), r: f(1)}.r",
        'replace("' + "a" * 5000 + '", "(a*)*b", "")',
        "10 ** 6000 ** 2",
    ],
)
def test_no_case_stops_the_run(folder: Path, text: str) -> None:
    (model,) = folder.rglob("*.dmn")
    model.write_text(model.read_text().replace("n / 2", text))
    report = run(folder)
    assert report.count(Verdict.FAILED) == 1


def test_an_expected_error_is_not_met_by_another_value(folder: Path) -> None:
    report = replaced(folder, tests=a_test(value="7", error="true"))
    assert report.count(Verdict.FAILED) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<testCases", "not well-formed"),
        (b"<!DOCTYPE t [<!ENTITY x 'y'>]><testCases>&x;</testCases>", "DOCTYPE"),
        (b"<testCases>" + b" " * 1_000_000 + b"</testCases>", "bytes"),
    ],
)
def test_a_test_file_that_cannot_be_read_is_a_failed_entry(
    folder: Path, content: bytes, reason: str
) -> None:
    (folder / "bad.xml").write_bytes(content)
    report = run(folder)
    (failed,) = report.entries(Verdict.FAILED)
    assert (failed.case, failed.test) == ("bad", "")
    assert reason in failed.reason
    assert report.count(Verdict.PASSED) == 1


def test_what_is_no_file_is_a_failed_entry(folder: Path) -> None:
    os.mkfifo(folder / "pipe.xml")
    (failed,) = run(folder).entries(Verdict.FAILED)
    assert failed.reason == "pipe.xml is no file"


def test_other_xml_is_noted_and_not_run(folder: Path) -> None:
    (folder / "pom.xml").write_text("<project/>")
    report = run(folder)
    assert len(report.files) == 1
    assert report.notes == (f"{folder / 'pom.xml'}: holds no test cases",)


@pytest.mark.parametrize(
    "model", ["", "0002.dmn", "../0001-half/0001-half.dmn", "/etc/hostname", ".."]
)
def test_a_model_that_is_not_beside_its_tests_fails_all_of_them(folder: Path, model: str) -> None:
    report = replaced(folder, model=model, tests=a_test() + a_test(error="true"))
    assert report.count(Verdict.FAILED) == 2
    assert all("model" in reason for reason in reasons(report, Verdict.FAILED))


@pytest.mark.parametrize("content", ["", "<definitions/>", "\0", "<!DOCTYPE d><definitions/>"])
def test_a_model_that_is_no_dmn_fails_its_tests(folder: Path, content: str) -> None:
    (model,) = folder.rglob("*.dmn")
    model.write_text(content)
    (reason,) = reasons(run(folder), Verdict.FAILED)
    assert reason.startswith("refused at upload: ")


def test_a_model_finds_its_imports_beside_it(folder: Path) -> None:
    (model,) = folder.rglob("*.dmn")
    (model.parent / "library.dmn").write_text(MODEL.replace("urn:m", "urn:library"))
    model.write_text(
        """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="top" namespace="urn:top">
          <import name="lib" namespace="urn:library" importType="https://www.omg.org/spec/DMN/20230324/MODEL/"/>
          <decision name="half" id="h"><variable name="half"/>
            <informationRequirement><requiredDecision href="urn:library#half"/></informationRequirement>
            <literalExpression><text>lib.half + 1</text></literalExpression></decision></definitions>"""
    )
    tests = a_test(value="2.5").replace('name="n"', 'name="n" namespace="urn:library"')
    report = replaced(folder, tests=tests)
    assert list(reasons(report, Verdict.FAILED)) == []
    assert report.count(Verdict.PASSED) == 1


# the command


def test_the_command_prints_three_lists_for_programs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    entry = {
        "case": "compliance-level-9/0001-half/0001-half-test-01",
        **dict(zip(("test", "result", "reason"), ("001", "half", "as expected"), strict=True)),
    }
    assert printed == {"passed": [entry], "failed": [], "refused": []}


def test_the_command_prints_counts_and_reasons_for_people(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (test_file,) = folder.rglob("*.xml")
    test_file.write_text(TESTS.format(model="0001-half.dmn", tests=a_test(value="7")))
    assert main([str(folder)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "    0 passed      1 failed      0 refused  compliance-level-9/0001-half/0001-half-test-01",
        "    failed 001 half: expected 7, got 1.5",
        "",
        "    0 passed      1 failed      0 refused  compliance-level-9",
        "    0 passed      1 failed      0 refused  in all",
    ]


def test_half_of_a_pair_does_not_stop_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (model,) = folder.rglob("*.dmn")
    model.write_text(model.read_text().replace("n / 2", '"\\uD83D"'))
    assert main([str(folder)]) == 1
    assert "\\ud83d" in capsys.readouterr().out


def test_a_folder_without_tests_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no test file" in capsys.readouterr().err


def test_the_kit_runs_as_a_program(folder: Path) -> None:
    command = [sys.executable, "-m", "pilothouse.dmn.tck", str(folder), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(json.loads(ran.stdout)["passed"]) == 1
