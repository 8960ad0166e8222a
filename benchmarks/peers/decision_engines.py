"""
The peers for decisions: the same condition and the same table in other engines.

Reads one JSON document from a file, then answers each name that it is given on a line of standard input with one
line of JSON: ``{"us": microseconds for one evaluation, "answers": [...]}``, answers once and then samples.
"""

from __future__ import annotations

import argparse
import json
import sys
import timeit
from pathlib import Path
from typing import TYPE_CHECKING, Any

import celpy
import zen
from bkflow_feel.api import parse_expression
from celpy.adapter import json_to_cel

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE_S = 0.3


def main() -> None:
    """Answer until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    work = json.loads(parser.parse_args().work.read_text("utf-8"))
    engines = _engines(work)
    for line in sys.stdin:
        name = line.strip()
        run, inputs = engines[name]
        answers = [run(given) for given in inputs]
        print(json.dumps({"us": _timed(run, inputs), "answers": answers}), flush=True)


def _timed(run: Callable[[Any], object], inputs: list[Any]) -> float:
    def turn() -> None:
        for given in inputs:
            run(given)

    once = timeit.timeit(turn, number=1)
    turns = max(1, int(SAMPLE_S / once))
    return timeit.timeit(turn, number=turns) / turns / len(inputs) * 1e6


def _engines(work: dict[str, Any]) -> dict[str, tuple[Callable[[Any], object], list[Any]]]:
    condition, inputs = work["condition"], work["condition_inputs"]
    code = compile(condition["python"], "condition", "eval")
    program = celpy.Environment()
    cel = program.program(program.compile(condition["cel"]))
    compiled = zen.compile_expression(condition["zen"])
    table = zen.ZenEngine().create_decision(json.dumps(work["table"]))
    return {
        "python-eval-text": (lambda given: eval(condition["python"], {}, given), inputs),  # noqa: S307 - the peer
        "python-eval-compiled": (lambda given: eval(code, {}, given), inputs),  # noqa: S307 - the peer
        "cel-python": (
            lambda given: bool(cel.evaluate({k: json_to_cel(v) for k, v in given.items()})),
            inputs,
        ),
        "bkflow-feel": (lambda given: parse_expression(condition["feel"], given), inputs),
        "zen": (compiled.evaluate, inputs),
        "zen-table": (lambda given: table.evaluate(given)["result"], work["table_inputs"]),
    }


if __name__ == "__main__":
    main()
