"""The examples that the guides show run: clients against a real entry, plug-ins against the contracts that they keep."""

from __future__ import annotations

import importlib.util
import json
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bootstrap import build
from pilothouse.bpmn.state import Job, JobKind, JobStatus
from pilothouse.domain.ids import DefinitionId, GroupName
from pilothouse.domain.lifecycles import RunHeading
from pilothouse.domain.plain import from_plain
from pilothouse.domain.policies import ModelPolicy
from pilothouse.domain.runtimes import Ability
from pilothouse.domain.secrets import SecretMissingError
from pilothouse.domain.snapshots import Manifest
from pilothouse.lifecycle.tasks.contract import Done, Facilities, TaskContext
from pilothouse.sdk.client import Client
from pilothouse.settings import Settings
from pilothouse.wire.requests import StartRun
from tests.entries.documents import TOKEN, one
from tests.entries.running import threaded_entry
from tests.entries.scorers import Workshop
from tests.integration.api.serving import serving
from tests.integration.lifecycle.drawings import drawing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

EXAMPLES = Path(__file__).parents[2] / "docs" / "how-to" / "examples"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def example(path: str) -> ModuleType:
    """Import a file of the examples."""
    file = EXAMPLES / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with threaded_entry(tmp_path_factory.mktemp("entry"), Workshop()) as (entry, _):
        entry.take(one(7))
        yield f"{entry.host}:{entry.port}"


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    return example("plugin/pilothouse_house.py")


def test_the_python_client_scores_as_its_page_shows(address: str) -> None:
    answer = example("score_by_sdk.py").score(f"http://{address}/v2/models/cc-fraud", TOKEN)

    assert (answer.columns["score"], answer.snapshot) == ((43.0, 1980.0), "gbm@7")


def test_the_stock_client_scores_as_its_page_shows(address: str) -> None:
    scores = example("score_by_triton.py").score(address, "cc-fraud", TOKEN)

    assert scores == [43.0, 1980.0]


def test_the_stock_client_scores_by_grpc_as_its_page_shows(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop(), grpc_port=0) as (entry, running):
        entry.take(one(7))
        address = f"{entry.host}:{running.grpc_port}"
        assert example("score_by_grpc.py").score(address, "cc-fraud", TOKEN) == [43.0, 1980.0]


def test_the_example_package_s_entry_points_lead_to_it(plugin: ModuleType) -> None:
    project = tomllib.loads((EXAMPLES / "plugin" / "pyproject.toml").read_text("utf-8"))
    targets = [t for group in project["project"]["entry-points"].values() for t in group.values()]

    assert {t.partition(":")[0] for t in targets} == {plugin.__name__}
    assert all(callable(getattr(plugin, t.partition(":")[2])) for t in targets)


def test_the_example_format_scores(plugin: ModuleType, tmp_path: Path) -> None:
    card = {"base": 600, "points": {"open_lines": -3.5}}
    (tmp_path / "card.json").write_text(json.dumps(card), "utf-8")
    (document := described())["files"] = {"model": "card.json"}
    manifest = from_plain(Manifest, document)

    plugin.ScorecardFormat().inspect(tmp_path, manifest)
    loaded = plugin.ScorecardFormat().load(tmp_path, manifest, ModelPolicy())

    assert loaded.score({"open_lines": [2, None]}, 2) == {"points": [593.0, 600.0]}


def described() -> dict[str, Any]:
    return {
        "pilothouse": 1,
        "name": "heloc-card",
        "format": "scorecard",
        "inputs": {"columns": [{"name": "open_lines", "type": "integer", "nullable": True}]},
        "outputs": {"columns": [{"name": "points", "type": "number", "role": "score"}]},
        "golden": "golden.jsonl",
    }


def test_the_example_connector_says_why_it_can_nothing(plugin: ModuleType) -> None:
    capabilities = plugin.PaperConnector().capabilities(None)

    assert dict(capabilities.inabilities) == dict.fromkeys(Ability, "people do this by hand")


def test_the_example_source_of_secrets_says_what_is_missing(plugin: ModuleType) -> None:
    with pytest.raises(SecretMissingError) as caught:
        plugin.KeyringSecrets().resolve("keyring:smtp")

    assert caught.value.reference == "keyring:smtp"


def test_the_example_task_type_opens_one_ticket_though_it_is_called_twice(
    plugin: ModuleType, tmp_path: Path
) -> None:
    plane = build(Settings(home=tmp_path / "home"))
    plane.found()
    facilities = plane.new_executor("test")._facilities
    task_type = plugin.build_open_ticket(facilities)
    outcomes = [task_type.handle(delivery(facilities)) for _ in range(2)]
    rows = [r for r in plane.audit.page(SYSTEM).items if r.action == "open-ticket"]
    plane.close()

    assert outcomes == [Done(variables={"ticket": "run_1: look at it"})] * 2
    assert len(rows) == 1


def delivery(facilities: Facilities) -> TaskContext:
    return TaskContext(
        job=Job(
            id="prc_1",
            run_id="run_1",
            token_id="tkn_1",
            element="ticket",
            kind=JobKind.SERVICE,
            topic="open-ticket",
            state=JobStatus.READY,
            due_at=NOON,
            created_at=NOON,
            inputs={"title": "look at it"},
        ),
        heading=RunHeading(
            run_id="run_1",
            group=GroupName("default"),
            definition_id=DefinitionId("def_1"),
            definition="with-tickets@1",
            definition_key="with-tickets",
            snapshot_id=None,
            snapshot=None,
            digest=None,
            service=None,
            author=None,
            started_at=NOON,
        ),
        who=SYSTEM,
        at=NOON,
        calls=facilities.calls,
        confirm=lambda: None,
    )


def test_runs_are_carried_over_as_their_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sign = '<manualTask id="{0}"/>'.format
    wait = '<userTask id="ask"><extensionElements><zeebe:userTask/></extensionElements></userTask>'
    body = f'<startEvent id="start"/>{wait}{{0}}<endEvent id="end"/>'
    versions = [
        drawing(body.format(sign(name)), f"start>ask ask>{name} {name}>end") for name in ("a", "b")
    ]
    with serving(tmp_path / "home") as served, Client(url=served.url, token=served.token) as client:
        for xml in versions:
            client.lifecycles.upload(xml, group="default")
        run = client.runs.start(StartRun(definition="small@1"))

        stuck = example("carry_over.py").carry_over(
            client, "small@1", "small@2", reason="a newer version"
        )

        assert stuck == ()
        assert client.runs.get(run.heading.run_id).heading.definition == "small@2"
    assert capsys.readouterr().out == f"{run.heading.run_id} follows\n"
