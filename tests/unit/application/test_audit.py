"""The audit: every order leaves a row, and the past of things can be asked for."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilothouse import application
from pilothouse.application.audit import HISTORIC, NounUnknownError
from pilothouse.persistence import nouns
from pilothouse.wire.requests import RegisterModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.application.company import Company

QUIET = {
    # What was observed, and what the platform keeps for itself, is no order.
    *("reconciliation:_wanted", "reconciliation:_record", "reconciliation:_unhealthy"),
    *("reconciliation:_retired", "job_runs:_clear", "job_runs:_record"),
    *("leadership:leads", "leadership:resign"),
    # The order to take a snapshot has its row, and so has the snapshot.
    *("snapshots:_begun", "snapshots:_failed"),
    # These leave it to a function of their module that writes the row; tests beside this one see the rows.
    *("deployments:_order", "deployments:promote", "deployments:withdraw", "snapshots:tag"),
    *("deployments:withdraw_snapshot", "deployments:withdraw_others", "routes:set", "routes:shift"),
    *("tokens:issue", "tokens:issue_scoring", "load_tests:order"),
}
OUTSIDE = ("self._store.", "self._connectors.", "self._checker.", "self._places.", "connector.")


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for source in sorted(Path(application.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{source.stem}:{node.name}", node


def test_every_use_case_that_changes_something_writes_an_audit_row() -> None:
    silent = {
        name
        for name, node in functions()
        if "work.commit(" in ast.unparse(node) and "audit.record(" not in ast.unparse(node)
    }

    assert silent == QUIET


def units(node: ast.FunctionDef) -> Iterator[ast.With]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.With) and "open_work" in ast.unparse(inner.items[0]):
            yield inner


def test_nothing_outside_the_database_is_called_inside_a_unit_of_work() -> None:
    calls = {
        f"{name}: {ast.unparse(call.func)}"
        for name, node in functions()
        for unit in units(node)
        for call in ast.walk(unit)
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith(OUTSIDE)
    }

    assert calls == set()


def test_the_nouns_with_a_past_are_those_that_are_kept() -> None:
    assert set(HISTORIC) == nouns.HISTORIC


def test_a_noun_without_a_past_is_refused(company: Company) -> None:
    with pytest.raises(NounUnknownError) as refused:
        company.audit.history(company.admin, noun="model", subject="x")

    assert refused.value.noun == "model"


def test_a_row_says_who_did_what_to_what_by_which_token_and_why(company: Company) -> None:
    who = company.admin.because("run run_1")

    model = company.models.register(who, RegisterModel(name="new", group="risk"))

    row = company.audit.page(company.admin, noun="model").items[0]
    assert (row.actor, row.actor_name, row.token_id) == (who.person_id, "admin", who.token_id)
    assert (row.action, row.noun, row.subject) == ("register", "model", model.id)
    assert (row.group, row.cause, row.at) == ("risk", "run run_1", company.clock.now())


def test_the_past_of_a_thing_has_every_value_with_who_and_why(company: Company) -> None:
    runtime = company.runtime("short-lived", "DEV")
    company.pass_time(hours=1)
    company.runtimes.retire(company.admin.because("moved"), name="short-lived")

    values = company.audit.history(company.admin, noun="runtime", subject=runtime.id)

    assert [v.value["retired_at"] is None for v in values] == [True, False]
    assert values[0].until == values[1].since
    assert (values[1].actor, values[1].cause) == (company.admin.person_id, "moved")
