"""Models that behave, and models that do not, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.contracts import ColumnsDifferError
from pilothouse.domain.desired import Limits
from pilothouse.domain.policies import ModelPolicy
from pilothouse.scoring.isolation import ModelProcess
from pilothouse.scoring.model_errors import (
    MetricsMissingError,
    ModelDiedError,
    ModelFailedError,
    ModelLoadError,
    ModelTimeoutError,
    OutputInvalidError,
    PythonSourceRefusedError,
)
from tests.models.build import PYTHON_SOURCE, python_model
from tests.models.packages import package_of

if TYPE_CHECKING:
    from pilothouse.domain.schemas import Scalar
    from pilothouse.scoring.environments import Environments

Start = Callable[..., ModelProcess]
ROWS: Mapping[str, Sequence[Scalar]] = {"age": [34, 71], "income": [21000.5, 0.1]}
GOOD = 'def score(rows, model):\n    return [{"score": 0.5, "eligible": 1} for row in rows]\n'
SHORT = Limits(memory_bytes=2**30, load_timeout_s=2.0, score_timeout_s=1.0)


def gone(pid: int) -> bool:
    """Say whether a process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something outside this process, at most ten seconds."""
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def body(lines: str) -> str:
    """Give a model whose score runs these lines first."""
    return f"import os, sys\ndef score(rows, model):\n{textwrap.indent(textwrap.dedent(lines), '    ')}\n    return [{{'score': 0.5, 'eligible': 1}} for row in rows]\n"


def test_a_model_answers_from_its_own_process(isolation: str, start_source: Start) -> None:
    model = start_source(PYTHON_SOURCE)

    answer = model.score({**ROWS, "id": ["a", "b"]}, 2)

    score = 34 * 0.005 + 21000.5 * 0.000008
    assert answer == {"score": [score, 71 * 0.005 + 0.1 * 0.000008], "eligible": [0, 0]}
    assert list(answer) == ["score", "eligible"]
    assert (model.isolation, model.alive) == (isolation, True)
    assert model.pid != os.getpid()


def test_a_row_alone_and_in_a_block_get_the_same_answer_to_the_last_bit(
    start_source: Start,
) -> None:
    model = start_source(PYTHON_SOURCE)
    rows: Mapping[str, Sequence[Scalar]] = {
        "age": list(range(16, 99)),
        "income": [n / 7 for n in range(83)],
    }

    block = model.score(rows, 83)

    singles = [model.score({n: v[r : r + 1] for n, v in rows.items()}, 1) for r in range(83)]
    assert block["score"] == [s["score"][0] for s in singles]


def test_a_whole_number_in_a_number_column_is_a_float_on_both_sides(start_source: Start) -> None:
    model = start_source(
        "def score(rows, model):\n"
        "    assert [type(v) for v in rows[0].values()] == [int, float]\n"
        "    return [{'score': 1, 'eligible': 1}]\n"
    )

    answer = model.score({"age": [30], "income": [2]}, 1)

    assert [(v, type(v)) for v in (answer["score"][0], answer["eligible"][0])] == [
        (1.0, float),
        (1, int),
    ]


def test_metrics_come_from_the_model_s_own_entry_point(start_source: Start) -> None:
    model = start_source(PYTHON_SOURCE)

    metrics = model.metrics(ROWS, model.score(ROWS, 2), [0, 1])

    assert metrics == {"accuracy": 0.5}


def test_a_model_without_metrics_says_so(start_source: Start) -> None:
    with pytest.raises(MetricsMissingError):
        start_source(GOOD).metrics(ROWS, {}, [0, 1])


def test_a_missing_predictor_is_named(start_source: Start) -> None:
    with pytest.raises(ColumnsDifferError) as caught:
        start_source(GOOD).score({"age": [1]}, 1)

    assert caught.value.missing == ("income",)


def test_a_model_that_raises_is_named_by_its_exception_and_lives_on(start_source: Start) -> None:
    model = start_source(body("if rows[0]['age'] == 1: raise KeyError('first\\nno such state')"))

    with pytest.raises(ModelFailedError) as caught:
        model.score({"age": [1], "income": [1.0]}, 1)

    assert caught.value.exception == "KeyError"
    assert "no such state" in caught.value.line
    assert model.score(ROWS, 2)["eligible"] == [1, 1]


def test_a_model_that_asks_to_exit_has_failed_and_lives_on(start_source: Start) -> None:
    model = start_source(body("if rows[0]['age'] == 1: sys.exit(3)"))

    with pytest.raises(ModelFailedError) as caught:
        model.score({"age": [1], "income": [1.0]}, 1)

    assert caught.value.exception == "SystemExit"
    assert model.alive


@pytest.mark.parametrize(
    ("end", "words"),
    [("os._exit(3)", "exit 3"), ("os.kill(os.getpid(), 9)", "SIGKILL"), ("os.abort()", "SIGABRT")],
)
def test_a_process_that_ends_says_how_and_shows_its_last_words(
    isolation: str, end: str, words: str, start_source: Start
) -> None:
    del isolation
    model = start_source(body(f"print('my last words', flush=True); {end}"))

    with pytest.raises(ModelDiedError) as caught:
        model.score(ROWS, 2)

    assert caught.value.exit == words
    assert "my last words" in caught.value.log
    assert not model.alive
    with pytest.raises(ModelDiedError):
        model.score(ROWS, 2)


@pytest.mark.parametrize("hang", ["while True: pass", "import time; time.sleep(100)"])
def test_a_model_that_hangs_is_ended_at_its_limit(
    isolation: str, hang: str, start_source: Start
) -> None:
    del isolation
    model = start_source(body(hang), limits=SHORT)

    with pytest.raises(ModelTimeoutError) as caught:
        model.score(ROWS, 2)

    assert (caught.value.doing, caught.value.timeout_s) == ("score", 1.0)
    wait_until(lambda: gone(model.pid))


def test_a_model_that_hangs_while_loading_is_ended_at_its_limit(start_source: Start) -> None:
    with pytest.raises(ModelTimeoutError) as caught:
        start_source("while True: pass\n" + GOOD, limits=SHORT)

    assert caught.value.doing == "load"


def test_a_model_that_raises_while_loading_gives_its_reason(start_source: Start) -> None:
    with pytest.raises(ModelLoadError) as caught:
        start_source("import no_such_library\n" + GOOD)

    assert caught.value.exception == "ModuleNotFoundError"
    assert "no_such_library" in caught.value.line


def test_a_process_that_ends_while_loading_is_a_death(start_source: Start) -> None:
    with pytest.raises(ModelDiedError) as caught:
        start_source("import os; os._exit(7)\n" + GOOD)

    assert caught.value.exit == "exit 7"


def test_memory_beyond_the_limit_is_refused_to_the_model_alone(
    isolation: str, start_source: Start
) -> None:
    del isolation
    model = start_source(body("if rows[0]['age'] == 1: held = bytearray(3 * 2**30)"))

    with pytest.raises(ModelFailedError) as caught:
        model.score({"age": [1], "income": [1.0]}, 1)

    assert caught.value.exception == "MemoryError"
    assert model.score(ROWS, 2)["eligible"] == [1, 1]


def test_what_a_model_prints_goes_to_a_bounded_log_and_never_into_an_answer(
    isolation: str, start_source: Start
) -> None:
    del isolation
    model = start_source(
        body("""
        sys.stdout.write("x" * 8_000_000)
        os.write(1, b"y" * 1000)
        print("the end", flush=True)
    """)
    )

    answer = model.score(ROWS, 2)

    assert answer["eligible"] == [1, 1]
    model.close()
    kept = [p for p in model.log.parent.iterdir() if p.name.startswith("model.log")]
    assert sum(p.stat().st_size for p in kept) < 3_000_000
    assert "bytes printed before" in model.log.read_text()
    assert "the end" in model.log.read_text()


def test_what_a_model_reads_from_its_input_is_empty(start_source: Start) -> None:
    model = start_source(body("assert sys.stdin is None or sys.stdin.read() == ''"))

    assert model.score(ROWS, 2)["eligible"] == [1, 1]


@pytest.mark.parametrize(
    "answer",
    [
        "[{'score': '0.5', 'eligible': 1}] * 2",
        "[{'score': 0.5, 'eligible': 1.0}] * 2",
        "[{'score': 0.5, 'eligible': True}] * 2",
        "[{'score': 0.5, 'eligible': 7}] * 2",
        "[{'score': 1.5, 'eligible': 1}] * 2",
        "[{'score': float('nan'), 'eligible': 1}] * 2",
        "[{'score': float('inf'), 'eligible': 1}] * 2",
        "[{'score': None, 'eligible': 1}] * 2",
        "[{'score': 0.5, 'eligible': 10**30}] * 2",
        "[{'score': 0.5, 'eligible': 10**6000}] * 2",
        "[{'score': [0.5], 'eligible': 1}] * 2",
        "[{'score': 0.5}] * 2",
        "[{'score': 0.5, 'eligible': 1, 'more': 2}] * 2",
        "[{'score': 0.5, 'eligible': 1}]",
        "'ab'",
        "None",
    ],
)
def test_an_answer_that_breaks_the_output_schema_is_no_answer(
    answer: str, start_source: Start
) -> None:
    model = start_source(f"def score(rows, model):\n    return {answer}\n")

    with pytest.raises(OutputInvalidError) as caught:
        model.score(ROWS, 2)

    assert caught.value.count >= 1
    assert caught.value.problems
    assert model.alive


@pytest.mark.parametrize(
    "speech",
    [
        "b'\\xff\\xff\\xff\\xff'",
        "b'\\x00\\x00\\x00\\x05hello'",
        "b'\\x00\\x00\\x00\\x02[]'",
        "b'\\x00\\x00\\x00\\x02{}'",
        "b'\\x00\\x00\\x00\\x0b{\"fault\":1}'",
        "b'\\x00\\x00\\x00\\x0d{\"columns\":7}'",
    ],
)
def test_a_model_that_forges_frames_gets_no_answer_through(
    speech: str, start_source: Start
) -> None:
    forge = f"""
        for fd in range(3, 20):
            try: os.write(fd, {speech})
            except OSError: pass
    """
    model = start_source(body(forge))

    with pytest.raises((ModelDiedError, OutputInvalidError, ModelFailedError)):
        model.score(ROWS, 2)


def test_calls_from_many_threads_get_each_their_own_answer(start_source: Start) -> None:
    source = "def score(rows, model):\n    return [{'score': r['age'] / 100, 'eligible': 1} for r in rows]\n"
    model = start_source(source)

    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda n: model.score({"age": [n], "income": [1.0]}, 1), range(100))
        )

    assert [a["score"][0] for a in answers] == [n / 100 for n in range(100)]


def test_closing_ends_a_call_that_is_under_way(start_source: Start) -> None:
    model = start_source(body("import time; time.sleep(100)"))
    ended: list[Exception] = []

    def call() -> None:
        try:
            model.score(ROWS, 2)
        except ModelDiedError as problem:
            ended.append(problem)

    thread = threading.Thread(target=call)
    thread.start()
    model.close()
    thread.join(10)
    model.close()

    assert [type(e) for e in ended] == [ModelDiedError]
    assert gone(model.pid)


def test_a_model_outlives_the_thread_that_started_it(isolation: str, start_source: Start) -> None:
    del isolation
    started: list[ModelProcess] = []
    thread = threading.Thread(target=lambda: started.append(start_source(GOOD)))
    thread.start()
    thread.join()

    assert started[0].score(ROWS, 2)["eligible"] == [1, 1]


def test_the_model_sees_no_secret_and_no_variable_of_its_parent(
    isolation: str, start_source: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    del isolation
    monkeypatch.setenv("PILOTHOUSE_SECRET", "s3cret")

    model = start_source(
        body("assert not [n for n in os.environ if 'PILOTHOUSE' in n], dict(os.environ)")
    )

    assert model.score(ROWS, 2)["eligible"] == [1, 1]


def test_a_sandboxed_model_sees_neither_the_host_s_files_nor_its_network(
    tmp_path: Path, start_source: Start
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cret")
    model = start_source(
        body(f"""
        import socket
        assert not os.path.exists({str(secret)!r})
        assert not os.path.exists("/root/.ssh") and not os.path.exists("/etc/passwd")
        assert len([p for p in os.listdir("/proc") if p.isdigit()]) < 5
        assert [n for _, n in socket.if_nameindex()] == ["lo"]
        try: open(os.path.join(os.path.dirname(__file__), "new"), "w")
        except OSError: pass
        else: raise AssertionError("the model's folder can be written")
    """)
    )
    if model.isolation == "process":
        pytest.skip("no sandbox on this machine")

    assert model.score(ROWS, 2)["eligible"] == [1, 1]


def test_python_source_runs_only_where_policy_grants_it(
    tmp_path: Path, environments: Environments
) -> None:
    folder = python_model(tmp_path / "model", source="import os; os._exit(9)\n" + GOOD)

    with pytest.raises(PythonSourceRefusedError) as caught:
        ModelProcess.start(
            package_of(folder, tmp_path / "package"),
            environments.ensure(""),
            scratch=tmp_path / "scratch",
            policy=ModelPolicy(),
        )

    assert caught.value.format == "python"


PARENT = """
import sys, time
from pathlib import Path
from pilothouse.scoring.environments import Environments
from pilothouse.scoring.isolation import ModelProcess
from tests.models.packages import GRANTED, package_of

home = Path(sys.argv[1])
model = ModelProcess.start(
    package_of(home / "model", home / "package"),
    Environments(home / "environments").ensure(""),
    scratch=home / "scratch",
    policy=GRANTED,
)
print(model.pid, flush=True)
{then}
"""


@pytest.mark.parametrize(
    "then", ["time.sleep(100)", "model.score({'age': [1], 'income': [1.0]}, 1)"]
)
def test_a_killed_parent_leaves_no_model_behind(isolation: str, then: str, tmp_path: Path) -> None:
    del isolation
    python_model(
        tmp_path / "model",
        source=body(
            f"open({str(tmp_path)!r} and '/dev/null'); print('busy', flush=True)\nwhile True: pass"
        ),
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(then=then), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        family = [child, *descendants(child)]

        parent.send_signal(signal.SIGKILL)

    wait_until(lambda: all(gone(pid) for pid in family))


def descendants(pid: int) -> list[int]:
    """Give the ids of a process's children, and theirs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [d for c in map(int, children) for d in (c, *descendants(c))]
