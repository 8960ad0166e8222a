"""`pilothouse decisions`: decision files on the laptop, without a server."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pilothouse.cli.output import Json, out, print_json, print_rows
from pilothouse.dmn import DEFAULT_STEPS
from pilothouse.dmn.cases import Verdict, read_cases, run_cases
from pilothouse.dmn.cases.comparing import shown
from pilothouse.dmn.cases.values import CaseValueError, json_value
from pilothouse.domain.errors import InvalidError
from pilothouse.feel import Budget
from pilothouse.lifecycle.offline import decisions_of, lint_decisions
from pilothouse.observability.clock import SystemClock
from pilothouse.wire.runs import FindingSeverity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn import Decisions, Outcome
    from pilothouse.feel import Value

app = typer.Typer(
    no_args_is_help=True, help="Decision files (DMN), checked and run on this machine."
)
With = Annotated[
    list[Path] | None,
    typer.Option(
        "--with", help="A decision file that FILE imports, or that an import of it imports."
    ),
]
FAILING = (FindingSeverity.REFUSED, FindingSeverity.ERROR)
INPUT_STEPS = 200_000


class InputsInvalidError(InvalidError):
    """The inputs given for a decision are no JSON object of FEEL's values."""

    code = "inputs-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The inputs cannot be used: {problem}. Give a JSON object such as '{{\"amount\": 12.5}}', or @FILE; "
            'write what JSON has no word for as {"feel": "date(\\"2026-01-31\\")"}.'
        )


@app.command()
def lint(file: Path, with_: With = None, as_json: Json = False) -> None:
    """Say what an upload would refuse, and what overlaps, is left open or can never fire; exits with 1 on errors."""
    found = lint_decisions(file.read_bytes(), others=_read(with_))
    columns = ("severity", "element", "line", "rules", "problem", "example", "cure")
    print_rows(
        found,
        columns,
        as_json=as_json,
        empty="Nothing to say: it can run, and leaves nothing open.",
    )
    if any(finding.severity in FAILING for finding in found):
        raise typer.Exit(code=1)


@app.command("test")
def run(
    file: Path,
    cases: Annotated[
        Path, typer.Argument(help="Test cases: .json, .csv, or .xml as the DMN TCK has them.")
    ],
    with_: With = None,
    as_json: Json = False,
) -> None:
    """Run test cases against a decision file; exits with 1 unless all of them pass."""
    decisions = decisions_of(file.read_bytes(), others=_read(with_))
    wanted = read_cases(cases.read_bytes(), file=cases.name)
    results = run_cases(decisions, wanted, now=SystemClock().now())
    columns = ("verdict", "case", "expected", "got", "reason")
    rows = [{**result.plain(), "case": result.case.name} for result in results]
    print_rows(
        [result.plain() for result in results] if as_json else rows, columns, as_json=as_json
    )
    passed = sum(result.verdict is Verdict.PASSED for result in results)
    if not as_json:
        out.print(f"{passed} of {len(results)} cases passed.")
    if passed < len(results):
        raise typer.Exit(code=1)


@app.command()
def evaluate(
    file: Path,
    decision: Annotated[
        str, typer.Argument(help="The id or name of a decision or decision service.")
    ],
    inputs: Annotated[
        str, typer.Option(help="The inputs, a JSON object, or @FILE with one.")
    ] = "{}",
    with_: With = None,
    as_json: Json = False,
) -> None:
    """Take a decision: its value, the rules that fired, and why values on the way became null."""
    decisions = decisions_of(file.read_bytes(), others=_read(with_))
    budget = Budget(steps=DEFAULT_STEPS, now=SystemClock().now())
    budget.where = decision
    outcome = _taken(decisions, decision, _inputs(inputs), budget)
    if as_json:
        nulls = {"nulls": outcome.nulls, "nulls_beyond": outcome.nulls_beyond}
        print_json({**outcome.plain(), **nulls})
        return
    out.print(shown(outcome.value), markup=False)
    fired = [rule.plain() for rule in (*outcome.earlier, *outcome.fired)]
    print_rows(
        fired,
        ("decision", "rule", "inputs", "outputs", "annotation"),
        as_json=False,
        empty="No rule fired.",
    )
    if outcome.nulls:
        print_rows(
            outcome.nulls, ("fault", "where", "problem", "text", "line", "column"), as_json=False
        )
    if outcome.nulls_beyond:
        out.print(f"{outcome.nulls_beyond} more values became null.")


def _taken(decisions: Decisions, name: str, inputs: Mapping[str, Value], budget: Budget) -> Outcome:
    if any(name in (service.id, service.name) for service in decisions.services.values()):
        return decisions.evaluate_service(name, inputs, budget=budget)
    return decisions.evaluate(name, inputs, budget=budget)


def _inputs(text: str) -> Mapping[str, Value]:
    if text.startswith("@"):
        text = Path(text[1:]).read_text("utf-8")
    try:
        given: Any = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        value = json_value(given, budget=Budget(steps=INPUT_STEPS))
    except CaseValueError as error:
        raise InputsInvalidError(problem=error.problem) from None
    except (ValueError, RecursionError) as error:
        raise InputsInvalidError(problem=str(error)) from None
    if not isinstance(value, dict):
        raise InputsInvalidError(problem="they are no object")
    return value


def _read(files: list[Path] | None) -> list[bytes]:
    return [file.read_bytes() for file in files or ()]
