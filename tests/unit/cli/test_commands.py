"""The command line: JSON everywhere, exit codes, errors in their own words, and a quick start."""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
from typer.testing import CliRunner

import pilothouse
from pilothouse.cli.main import COMMANDS, NOUNS, command_line
from pilothouse.domain.errors import NotFoundError
from pilothouse.persistence.nouns import NOUNS as STORED
from pilothouse.wire.requests import DefineService, RegisterModel
from tests.integration.api.serving import Served, serving
from tests.integration.lifecycle.tables import DecisionFile, unique_table
from tests.models.build import python_model

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHOUT_JSON = {
    "version": "it prints one word",
    "lifecycles export": "it writes a file, whatever it holds",
    "lifecycles templates": "what it prints is JSON already",
    "up": "it runs until it is stopped and answers nobody",
}


def commands() -> dict[str, Any]:
    """Give every command by its words."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
        inner = getattr(command, "commands", None)
        if inner is None:
            yield " ".join(words), command
            return
        for name, narrower in inner.items():
            yield from walk(narrower, (*words, name))

    return dict(walk(typer.main.get_command(command_line()), ()))


ALL = commands()


@pytest.mark.parametrize("words", [w for w in ALL if w not in WITHOUT_JSON])
def test_every_command_prints_json_for_programs(words: str) -> None:
    options = {option for parameter in ALL[words].params for option in parameter.opts}

    assert "--json" in options


@pytest.mark.parametrize("words", ALL)
def test_every_command_says_what_it_does(words: str) -> None:
    assert (ALL[words].help or "").strip().endswith((".", "`."))


def test_what_has_no_json_is_a_command() -> None:
    assert set(WITHOUT_JSON) <= set(ALL)


@pytest.mark.parametrize("only", ["version", *COMMANDS, *NOUNS])
def test_a_command_that_is_loaded_alone_is_the_same(only: str) -> None:
    alone = typer.main.get_command(command_line(only))
    whole = typer.main.get_command(command_line())

    assert set(alone.commands) == {"version", only}  # type: ignore[attr-defined]
    assert alone.commands[only].help == whole.commands[only].help  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("cli") / "home") as s:
        admin = s.plane.tokens.sign_in(s.token)
        s.plane.models.register(admin, RegisterModel(name="tiny", group="default"))
        service = DefineService(tag="cc-fraud", group="default", mode="online")  # type: ignore[arg-type]
        s.plane.services.define(admin, service)
        yield s


@pytest.fixture
def environment(served: Served, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who uses the served API."""
    return {
        "PILOTHOUSE_URL": served.url,
        "PILOTHOUSE_TOKEN": served.token,
        "PILOTHOUSE_HOME": str(tmp_path / "home"),
    }


def asked(environment: dict[str, str], *words: str) -> str:
    """Run a command within this process, and give what it printed."""
    done = CliRunner(env=environment).invoke(command_line(words[0]), words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "pilothouse", *words],
        env={"PATH": os.environ["PATH"], "HOME": environment["PILOTHOUSE_HOME"], **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


LISTS = [w for w in ALL if w.endswith(" list")]


@pytest.mark.parametrize("words", LISTS)
def test_every_list_is_a_json_list(environment: dict[str, str], words: str) -> None:
    printed = asked(environment, *words.split(), "--json")

    assert isinstance(json.loads(printed), list)


@pytest.mark.parametrize("words", LISTS)
def test_every_list_is_a_table_for_people(environment: dict[str, str], words: str) -> None:
    assert asked(environment, *words.split()).strip()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("models show tiny", "name"),
        ("services show cc-fraud", "tag"),
        ("people me", "person_id"),
        ("groups policy default --python-source", "python_source"),
        (
            "groups policy default --host 'https://desk.example env:DESK' --notify env:TEAM",
            "outgoing_hosts",
        ),
        ("models register other", "name"),
        ("stages define LAB --position 5", "position"),
        ("services define cc-other --mode batch", "tag"),
        ("people create ada", "id"),
    ],
)
def test_one_thing_is_a_json_object(environment: dict[str, str], words: str, name: str) -> None:
    printed = asked(environment, *shlex.split(words), "--json")

    assert name in json.loads(printed)


def test_a_token_s_text_is_printed_alone_so_that_it_can_be_kept(
    environment: dict[str, str],
) -> None:
    printed = asked(environment, "tokens", "issue", "laptop")

    assert printed.startswith("ph_")
    assert printed.count("\n") == 1


def test_where_names_nothing_before_there_is_anything(environment: dict[str, str]) -> None:
    assert asked(environment, "services", "where", "cc-fraud").strip() == "No snapshot served it."
    assert json.loads(asked(environment, "services", "where", "cc-fraud", "--json")) == []


def test_an_error_is_told_in_its_own_words_and_exits_with_1(environment: dict[str, str]) -> None:
    done = run(environment, "models", "show", "nobody")

    assert (done.returncode, done.stdout) == (1, "")
    assert "error (not-found): There is no model 'nobody'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words", ["nosuch", "models nosuch", "models show", "models list --nosuch", "jobs list x"]
)
def test_wrong_usage_exits_with_2(environment: dict[str, str], words: str) -> None:
    done = run(environment, *words.split())

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_setting_that_cannot_be_used_is_named(environment: dict[str, str]) -> None:
    done = run({**environment, "PILOTHOUSE_PORT": "many"}, "models", "list")

    assert done.returncode == 2
    assert "PILOTHOUSE_PORT cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_token_is_told(environment: dict[str, str]) -> None:
    done = run({k: v for k, v in environment.items() if k != "PILOTHOUSE_TOKEN"}, "models", "list")

    assert done.returncode == 1
    assert "error (api-token-missing)" in done.stderr


def test_a_home_s_token_is_not_sent_to_another_server(environment: dict[str, str]) -> None:
    home = Path(environment["PILOTHOUSE_HOME"])
    home.mkdir()
    (home / "admin.token").write_text("ph_secret")

    done = run({k: v for k, v in environment.items() if k != "PILOTHOUSE_TOKEN"}, "models", "list")

    assert "error (api-token-missing)" in done.stderr


def test_a_file_that_is_not_there_is_told(environment: dict[str, str]) -> None:
    done = run(environment, "lifecycles", "upload", "/nowhere.bpmn")

    assert done.returncode == 1
    assert "/nowhere.bpmn" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_not_there_is_told(environment: dict[str, str]) -> None:
    done = run({**environment, "PILOTHOUSE_URL": "http://127.0.0.1:9"}, "models", "list")

    assert done.returncode == 1
    assert "pilothouse up" in done.stderr


def test_a_table_that_contradicts_itself_is_uploaded_and_told(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "size.dmn"
    file.write_bytes(unique_table("size", ("&lt;= 5", '"small"'), ("&gt;= 5", '"big"')))

    done = run(environment, "lifecycles", "upload", str(file), "--json")

    assert (done.returncode, json.loads(done.stdout)[0]["decisions"]) == (0, ["size"])
    assert "Mind rule r2" in done.stderr


def test_a_stored_file_is_shown_byte_by_byte(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "word.dmn"
    decisions = {"word": '"Müller"'}
    file.write_bytes(DecisionFile(namespace="w", decisions=decisions, encoding="ISO-8859-1").xml)
    run(environment, "lifecycles", "upload", str(file))

    shown = CliRunner(env=environment).invoke(
        command_line("lifecycles"), ["lifecycles", "show", "word"]
    )

    assert shown.stdout_bytes == file.read_bytes()


def test_a_life_cycle_that_cannot_run_exits_with_1(
    environment: dict[str, str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.bpmn"
    broken.write_text("<definitions/>")

    done = run(environment, "lifecycles", "lint", str(broken), "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["cure"]


def test_the_doctor_says_what_works_and_what_lacks(environment: dict[str, str]) -> None:
    parts = {p["part"]: p for p in json.loads(asked(environment, "doctor", "--json"))}

    assert parts["server"]["health"] == "ok"
    assert parts["sqlite"]["says"]
    assert "compiled models" in parts["evaluator"]["says"]
    assert "local" in parts["pilothouse.connectors"]["says"]


def test_the_doctor_exits_with_1_where_something_is_broken(environment: dict[str, str]) -> None:
    home = Path(environment["PILOTHOUSE_HOME"])
    home.write_text("a file")

    done = run(environment, "doctor", "--json")

    assert done.returncode == 1
    assert {p["part"]: p["health"] for p in json.loads(done.stdout)}["home"] == "broken"


def test_a_good_folder_passes_its_check(environment: dict[str, str], tmp_path: Path) -> None:
    folder = python_model(tmp_path / "good")

    done = run(environment, "check", str(folder), "--python-source", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["content"]["manifest"]["name"] == "tiny-python"


def test_a_broken_folder_fails_its_check_in_words(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = python_model(tmp_path / "broken")
    (folder / "weights.json").unlink()

    done = run(environment, "check", str(folder), "--python-source", "--json")

    assert (done.returncode, done.stdout) == (1, "")
    assert "weights.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_python_source_without_the_grant_fails_its_check(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = run(environment, "check", str(python_model(tmp_path / "source")))

    assert done.returncode == 1
    assert "error (" in done.stderr


HEAVY = ("pyarrow", "sqlalchemy", "fastapi", "numpy", "uvicorn", "lxml", "httpx")


@pytest.mark.parametrize(
    ("words", "light"),
    [
        ("version", HEAVY),
        ("models --help", ("pyarrow", "sqlalchemy", "fastapi", "numpy", "uvicorn")),
    ],
)
def test_a_command_loads_only_what_it_needs(words: str, light: tuple[str, ...]) -> None:
    program = (
        "import sys; sys.argv = ['pilothouse', *sys.argv[1:]]\n"
        "import pilothouse.cli.main as main\n"
        "try: main.run()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', [m for m in {light!r} if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, *words.split()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert done.stdout.splitlines()[-1] == "loaded: []"


def nouns_without_a_cure() -> set[str]:
    """Give the nouns that `NotFoundError` is raised for with its own cure, which names a command."""
    found = {noun.name for noun in STORED}
    for source in Path(pilothouse.__path__[0]).rglob("*.py"):
        for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or ast.unparse(call.func) != "NotFoundError":
                continue
            told = {k.arg: k.value for k in call.keywords}
            noun = told.get("noun")
            if "cure" not in told and isinstance(noun, ast.Constant):
                found.add(str(noun.value))
    return found


@pytest.mark.parametrize("noun", sorted(nouns_without_a_cure()))
def test_the_cure_for_what_is_not_found_is_a_command(noun: str) -> None:
    words = NotFoundError(noun=noun, name="x").message.split("`")[1]

    assert words.split()[0] == "pilothouse"
    assert " ".join(words.split()[1:3]) in ALL
