"""Nothing is undocumented: pages are up to date, all that the code has is on them, and what they show exists and runs."""

from __future__ import annotations

import functools
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from docs.generating.blocks import BLOCKS
from docs.generating.commands import commands
from docs.generating.errors import kinds
from docs.generating.pages import outdated
from docs.generating.runtimes import own
from docs.generating.scoring import families
from pilothouse.bpmn import advice, read
from pilothouse.domain.access import Action, Role
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.events import EventType
from pilothouse.domain.plain import from_plain
from pilothouse.domain.plugins import PluginKind
from pilothouse.domain.snapshots import Manifest
from pilothouse.lifecycle.offline import lint
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.persistence.nouns import NOUNS
from pilothouse.scoring.documents import read_document
from pilothouse.scoring.invocations.app import BARE, LOOKED_AT, is_ours
from pilothouse.scoring.rest.paths import Resource, target_of
from pilothouse.settings import Settings

CHECKOUT = Path(__file__).parents[2]
DOCS = CHECKOUT / "docs"
REFERENCE = DOCS / "reference"
EXAMPLES = DOCS / "how-to" / "examples"
PAGES = sorted({*DOCS.rglob("*.md"), *CHECKOUT.glob("*.md")})
SOURCES = sorted((CHECKOUT / "src").rglob("*.py"))
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", flags=re.DOTALL | re.MULTILINE)
SHOWN = re.compile(r"<!-- shown: (?P<path>\S+) -->\n```\w+\n(?P<text>.*?)^```$", re.DOTALL | re.M)
LINK = re.compile(r"\]\((?P<target>(?!https?://)[^)\s]*)\)")
MENTION = re.compile(r"`(pilothouse [a-z][^`\n]*)`")
NOT_A_LINE = ("pilothouse.sdk", "pilothouse.domain")


def page(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def test_the_reference_is_what_the_code_says() -> None:
    stale = [named(p) for p in outdated(REFERENCE, BLOCKS)]

    assert stale == [], "run `make docs`"


def test_every_setting_has_its_row() -> None:
    missing = [
        n for n in Settings.model_fields if f"`PILOTHOUSE_{n.upper()}`" not in page("settings.md")
    ]

    assert missing == []


def test_every_variable_that_the_code_reads_is_a_setting_or_on_its_page() -> None:
    read_in = "\n".join(s.read_text("utf-8") for s in SOURCES)
    variables = set(re.findall(r"""["'](PILOTHOUSE_[A-Z_]+)["']""", read_in))

    assert {v for v in variables if v not in page("settings.md")} - {"PILOTHOUSE_"} == set()


def test_every_error_code_has_its_entry() -> None:
    text = page("errors.md")

    assert [k.code for k in kinds() if f"\n### {k.code}\n" not in text] == []


def test_every_error_says_when_it_is_raised() -> None:
    assert [k.__qualname__ for k in kinds() if not (k.__doc__ or "").strip()] == []


def test_every_command_has_its_entry() -> None:
    text = page("cli.md")

    assert [
        c.name for c in commands() if f"\n### {c.name.removeprefix('pilothouse ')}\n" not in text
    ] == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [(PluginKind.FORMAT, "formats.md"), (PluginKind.CONNECTOR, "connectors.md")],
)
def test_every_plug_in_of_ours_has_its_entry(kind: PluginKind, name: str) -> None:
    assert [plugin for plugin in own(kind) if f"`{plugin}`" not in page("connectors.md")] == []
    assert [plugin for plugin in own(kind) if plugin not in page(name)] == []


def test_every_bpmn_element_that_is_read_or_refused_by_name_has_its_row() -> None:
    known = {*read.READERS, *read.DRAWN, "subProcess", *advice.ELEMENTS}
    text = page("bpmn.md")

    assert sorted(name for name in known if f"`{name}`" not in text) == []


def test_every_extension_that_is_read_has_its_row() -> None:
    text = page("bpmn.md")
    source = "\n".join(s.read_text("utf-8") for s in SOURCES if s.parent.name == "bpmn")
    asked = re.findall(r"\.extensions\(([^)]*)\)", source)
    names = {name for arguments in asked for name in re.findall(r'"(\w+)"', arguments)}

    assert names
    assert sorted(n for n in names if not re.search(rf"`(zeebe|pilothouse):{n}\b", text)) == []


def test_every_task_type_and_its_inputs_have_an_entry() -> None:
    text = page("task-types.md")

    assert [t.value for t in Topic if f"\n### {t.value}\n" not in text] == []
    assert [p for t in Topic for p in PARAMETERS[t] if f"`{p}`" not in text] == []


def test_every_role_action_and_event_has_its_row() -> None:
    text = page("roles.md") + page("events.md")

    assert [
        m.value for kind in (Role, Action, EventType) for m in kind if f"`{m.value}`" not in text
    ] == []


def test_every_metric_has_its_row() -> None:
    text = page("scoring.md")

    assert [m.name for m in families() if not re.search(rf"`{m.name}(_total)?`", text)] == []


def test_every_path_of_an_entry_has_its_row() -> None:
    shown = re.findall(r"^\| `(/\S*)` \|", page("scoring.md"), flags=re.MULTILINE)
    paths = [re.sub(r"\{\w+\}", "7", path) for path in shown]
    targets = [target_of(path) for path in paths if not is_ours(path)]

    assert {path for path in paths if is_ours(path)} == {
        "/services/7/invocations",
        BARE,
        *LOOKED_AT,
    }
    assert None not in targets
    assert {t.resource for t in targets if t is not None} == set(Resource)


def test_every_header_that_an_entry_reads_or_sends_is_named() -> None:
    names = ("rest/app.py", "http/calls.py", "invocations/app.py", "grpc/app.py")
    texts = [(CHECKOUT / "src/pilothouse/scoring" / name).read_text("utf-8") for name in names]
    headers = set(re.findall(r'b?"(x-[a-z-]+)"', "".join(texts)))

    assert headers
    assert {h for h in headers if h not in page("scoring.md")} == set()


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_and_their_anchors_lead_somewhere(path: Path) -> None:
    broken = [t for t in LINK.findall(path.read_text("utf-8")) if not leads_somewhere(path, t)]

    assert broken == []


def leads_somewhere(path: Path, target: str) -> bool:
    file, _, anchor = target.partition("#")
    found = (path.parent / file).resolve() if file else path
    if not found.exists() or not found.is_relative_to(CHECKOUT):
        return False
    return not anchor or found.suffix != ".md" or anchor in anchors(found)


@functools.cache
def anchors(path: Path) -> frozenset[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), flags=re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_python_on_a_page_compiles(path: Path) -> None:
    for block in FENCE.finditer(path.read_text("utf-8")):
        if block["language"] == "python":
            compile(block["text"], named(path), "exec")


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_commands_on_a_page_exist_with_their_options(path: Path) -> None:
    text = path.read_text("utf-8")
    shell = "\n".join(
        b["text"] for b in FENCE.finditer(text) if b["language"] in ("bash", "console")
    )
    lines = re.findall(
        r"(?:^|\$\(|\| |until |[A-Z]+=\S+ )(?:\$ )?(pilothouse [a-z][^\n|;)]*)", joined(shell), re.M
    )

    assert [line for line in (*lines, *MENTION.findall(text)) if not exists(line)] == []


def joined(shell: str) -> str:
    return re.sub(r"\\\n\s*", " ", shell)


@functools.cache
def known_commands() -> dict[str, frozenset[str]]:
    return {
        c.name: frozenset(o for i in c.inputs for o in re.findall(r"--[a-z-]+", i.usage))
        for c in commands()
    }


def exists(line: str) -> bool:
    words = [w for w in shlex.split(line.replace("'", " "), comments=True) if w not in (">", "&")]
    known = known_commands()
    name = next((" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in known), None)
    if name is None:
        return words[1:] == ["NOUN", "VERB"] or (len(words) == 2 and " ".join(words) in nouns())
    options = {w.partition("=")[0] for w in words if w.startswith("--")}
    return options <= known[name]


def nouns() -> set[str]:
    return {" ".join(name.split()[:2]) for name in known_commands()}


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_commands_that_messages_and_docstrings_name_exist(path: Path) -> None:
    wrong = [
        line
        for line in MENTION.findall(path.read_text("utf-8"))
        if "{" not in line.split()[1] and not exists(re.sub(r"\{[^}]*\}", "X", line))
    ]

    assert wrong == []


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_what_a_page_shows_of_a_file_is_the_file(path: Path) -> None:
    for shown in SHOWN.finditer(path.read_text("utf-8")):
        assert shown["text"] == (path.parent / shown["path"]).read_text("utf-8")


def test_every_finding_of_a_check_has_its_row() -> None:
    source = (CHECKOUT / "src/pilothouse/scoring/check.py").read_text("utf-8")
    codes = re.findall(r'Finding\([^)]*code="([a-z-]+)"', source)

    assert codes
    assert [c for c in codes if f"| `{c}` |" not in page("manifest.md")] == []


def test_the_manifest_on_its_page_is_one() -> None:
    text = (REFERENCE / "examples" / "pilothouse.yaml").read_text("utf-8")

    manifest = from_plain(Manifest, read_document(text.encode()))

    assert f"```yaml\n{text}```" in page("manifest.md")
    assert manifest.inputs.named("income") is not None


@pytest.mark.parametrize(
    "path", sorted([*EXAMPLES.glob("*.bpmn"), *EXAMPLES.glob("*.dmn")]), ids=named
)
def test_a_drawing_in_the_guides_would_be_taken(path: Path) -> None:
    assert lint(path.read_bytes(), external_topics=("credit-check",)) == ()


def test_every_how_to_example_is_used_by_a_page() -> None:
    guides = "\n".join(p.read_text("utf-8") for p in (DOCS / "how-to").glob("*.md"))
    files = [
        p
        for p in EXAMPLES.rglob("*")
        if p.is_file() and p.suffix in (".py", ".bpmn", ".dmn", ".toml")
    ]

    assert [named(p) for p in files if p.name not in guides] == []


def test_the_example_package_names_what_its_module_has() -> None:
    project = tomllib.loads((EXAMPLES / "plugin" / "pyproject.toml").read_text("utf-8"))
    groups = project["project"]["entry-points"]

    assert set(groups) == {kind.value for kind in PluginKind}


@pytest.mark.parametrize("noun", sorted(noun.name for noun in NOUNS))
def test_whatever_is_not_found_names_a_command_that_exists(noun: str) -> None:
    message = NotFoundError(noun=noun, name="x").message

    assert [line for line in MENTION.findall(message) if not exists(line)] == []
