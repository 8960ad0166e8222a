"""Groups apart: who belongs to one group sees and changes nothing of another."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.application.evaluations import Judgement
from pilothouse.domain.access import ActionDeniedError, Principal, Role
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.errors import DeniedError, NotFoundError
from pilothouse.domain.evaluations import Verdict
from pilothouse.domain.jobs import JobKind, TableFormat
from pilothouse.domain.locations import LocationAccess, Place
from pilothouse.domain.runtimes import Mode
from pilothouse.wire.requests import (
    DefineService,
    OrderDeployment,
    OrderJob,
    RegisterDataset,
    RegisterModel,
    RegisterRuntime,
    RouteShare,
    SetPolicy,
    SetRoute,
    TakeSnapshot,
)
from tests.unit.application.company import open_company

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.application.company import Company

EVERY_ROLE = tuple(r for r in Role if r is not Role.CONSUMER)


@dataclass
class World:
    """The group `risk` with one of everything, and somebody with every role in another group."""

    company: Company
    stranger: Principal
    snapshot: str
    deployment: str
    job: str
    token: str
    grant: str


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all tests that are refused, and so change nothing."""
    folder = tmp_path_factory.mktemp("world")
    shutil.copy(sqlite_template, folder / "pilothouse.db")
    company = open_company(f"sqlite:///{folder / 'pilothouse.db'}", folder)
    yield furnished(company)
    company.database.dispose()


@pytest.fixture
def own_world(company: Company) -> World:
    """A world for one test that changes it."""
    return furnished(company)


def furnished(company: Company) -> World:
    company.location("inbox")
    (company.folder / "places" / "inbox" / "in.csv").write_text("amount\n1\n")
    company.service("cc-batch", mode=Mode.BATCH)
    company.datasets.register(company.admin, register_dataset())
    snapshot = company.snapshot(services=("cc-fraud", "cc-batch"))
    company.reach(snapshot.name, "DEV", service="cc-batch")
    deployment = company.reach(snapshot.name, "DEV")
    company.deployments.promote(
        company.admin, snapshot=snapshot.name, service="cc-fraud", stage="DEV"
    )
    company.evaluations.record(company.admin, judgement(snapshot.name))
    job = company.jobs.order(company.admin, order_job(snapshot.name))
    company.hire("ada", Role.MODEL_OWNER)
    grant = company.people.grants(company.admin, person="ada")[0]
    token = company.tokens.issue_scoring(company.admin, name="t", group="risk", services=())
    company.group("cards")
    return World(
        company=company,
        stranger=company.hire("mallory", *EVERY_ROLE, group="cards"),
        snapshot=snapshot.name,
        deployment=deployment.id,
        job=job.id,
        token=token.token.id,
        grant=grant.id,
    )


def register_dataset() -> RegisterDataset:
    return RegisterDataset(
        name="truth@1",
        group="risk",
        place=Place(location="inbox", path="in.csv"),
        format=TableFormat.CSV,
        role=DatasetRole.TEST,
    )


def judgement(snapshot: str) -> Judgement:
    return Judgement(
        kind="metrics",
        snapshot=snapshot,
        service="cc-fraud",
        stage="DEV",
        verdict=Verdict.PASS,
        reason="good",
    )


def order_job(snapshot: str) -> OrderJob:
    return OrderJob(
        kind=JobKind.METRICS, snapshot=snapshot, service="cc-batch", stage="DEV", dataset="truth@1"
    )


GETS: dict[str, Callable[[World, Principal], object]] = {
    "group": lambda w, p: w.company.groups.get(p, name="risk"),
    "model": lambda w, p: w.company.models.get(p, name="fraud-gbm"),
    "model where": lambda w, p: w.company.services.where_model(p, model="fraud-gbm"),
    "snapshot": lambda w, p: w.company.snapshots.get(p, name=w.snapshot),
    "snapshot services": lambda w, p: w.company.snapshots.services(p, name=w.snapshot),
    "file": lambda w, p: w.company.artifacts.download(p, snapshot=w.snapshot, path="model.bin"),
    "service": lambda w, p: w.company.services.get(p, tag="cc-fraud"),
    "where": lambda w, p: w.company.services.where(p, tag="cc-fraud"),
    "route": lambda w, p: w.company.routes.get(p, service="cc-fraud", stage="DEV"),
    "endpoints": lambda w, p: w.company.runtimes.endpoints(p, service="cc-fraud", stage="DEV"),
    "dataset": lambda w, p: w.company.datasets.get(p, name="truth@1"),
    "runtime": lambda w, p: w.company.runtimes.get(p, name="risk-dev"),
    "capabilities": lambda w, p: w.company.runtimes.capabilities(p, name="risk-dev"),
    "logs": lambda w, p: w.company.runtimes.logs(p, name="risk-dev"),
    "deployment": lambda w, p: w.company.deployments.get(p, deployment_id=w.deployment),
    "job": lambda w, p: w.company.jobs.get(p, job_id=w.job),
}
LISTS: dict[str, Callable[[World, Principal], Any]] = {
    "models": lambda w, p: w.company.models.page(p).items,
    "snapshots": lambda w, p: w.company.snapshots.page(p).items,
    "services": lambda w, p: w.company.services.page(p).items,
    "locations": lambda w, p: w.company.locations.page(p).items,
    "datasets": lambda w, p: w.company.datasets.page(p).items,
    "runtimes": lambda w, p: w.company.runtimes.page(p).items,
    "deployments": lambda w, p: w.company.deployments.page(p).items,
    "jobs": lambda w, p: w.company.jobs.page(p).items,
    "evaluations": lambda w, p: w.company.evaluations.page(p).items,
    "audit": lambda w, p: [e for e in w.company.audit.page(p).items if e.group != "cards"],
    "history": lambda w, p: w.company.audit.history(p, noun="deployment", subject=w.deployment),
    "roles": lambda w, p: w.company.people.grants(p, person="ada"),
    "groups": lambda w, p: [g for g in w.company.groups.page(p).items if g.name != "cards"],
    "tokens": lambda w, p: [t for t in w.company.tokens.page(p).items if t.group != "cards"],
}
WRITES: dict[str, Callable[[World, Principal], object]] = {
    "create a group": lambda w, p: w.company.groups.create(p, name="mine"),
    "set the policy": lambda w, p: w.company.groups.set_policy(
        p, name="risk", wanted=SetPolicy(python_source=True)
    ),
    "enter a person": lambda w, p: w.company.people.create(p, name="eve"),
    "give a role": lambda w, p: w.company.people.grant(
        p, person="mallory", group="risk", role=Role.ADMINISTRATOR
    ),
    "give a role everywhere": lambda w, p: w.company.people.grant(
        p, person="mallory", group="*", role=Role.ADMINISTRATOR
    ),
    "end a role": lambda w, p: w.company.people.end_grant(p, grant_id=w.grant),
    "issue a token": lambda w, p: w.company.tokens.issue(p, name="x", group="risk"),
    "issue another's token": lambda w, p: w.company.tokens.issue(
        p, name="x", group="cards", person="ada"
    ),
    "issue a scoring token": lambda w, p: w.company.tokens.issue_scoring(
        p, name="x", group="risk", services=()
    ),
    "open a service": lambda w, p: w.company.tokens.issue_scoring(
        p, name="x", group="cards", services=("cc-fraud",)
    ),
    "revoke a token": lambda w, p: w.company.tokens.revoke(p, token_id=w.token),
    "register a model": lambda w, p: w.company.models.register(
        p, RegisterModel(name="mine", group="risk")
    ),
    "upload": lambda w, p: w.company.artifacts.upload(p, group="risk", sha256="a" * 64, chunks=[]),  # type: ignore[arg-type]
    "ask for an artefact": lambda w, p: w.company.artifacts.present(p, group="risk", sha256="a" * 64),  # type: ignore[arg-type]
    "take a snapshot": lambda w, p: w.company.snapshots.order(
        p, TakeSnapshot(model="fraud-gbm", files=w.company.upload(name="fraud-gbm"))
    ),
    "tag": lambda w, p: w.company.snapshots.tag(p, snapshot=w.snapshot, service="cc-fraud"),
    "untag": lambda w, p: w.company.snapshots.untag(p, snapshot=w.snapshot, service="cc-fraud"),
    "define a stage": lambda w, p: w.company.stages.define(
        p, name="LAB", position=1, production=False
    ),
    "define a service": lambda w, p: w.company.services.define(
        p, DefineService(tag="mine", group="risk", mode=Mode.BATCH)
    ),
    "register a location": lambda w, p: w.company.locations.register(
        p, name="mine", group="risk", uri="file:///tmp", access=LocationAccess.READ
    ),
    "register a dataset": lambda w, p: w.company.datasets.register(p, register_dataset()),
    "register a runtime": lambda w, p: w.company.runtimes.register(
        p, RegisterRuntime(name="mine", group="risk", stage="DEV", connector="fake", address="a:1")
    ),
    "retire a runtime": lambda w, p: w.company.runtimes.retire(p, name="risk-dev"),
    "deploy": lambda w, p: w.company.deployments.order(
        p, OrderDeployment(snapshot=w.snapshot, service="cc-fraud", stage="DEV")
    ),
    "promote": lambda w, p: w.company.deployments.promote(
        p, snapshot=w.snapshot, service="cc-fraud", stage="DEV"
    ),
    "withdraw": lambda w, p: w.company.deployments.withdraw(p, deployment_id=w.deployment),
    "withdraw the snapshot": lambda w, p: w.company.deployments.withdraw_snapshot(
        p, snapshot=w.snapshot, service="cc-fraud", stage="DEV"
    ),
    "set the route": lambda w, p: w.company.routes.set(
        p, service="cc-fraud", stage="DEV",
        wanted=SetRoute(
            expected_generation=1, variants=(RouteShare(snapshot=w.snapshot, weight=1),)
        ),
    ),
    "order a job": lambda w, p: w.company.jobs.order(p, order_job(w.snapshot)),
    "cancel a job": lambda w, p: w.company.jobs.cancel(p, job_id=w.job),
    "judge": lambda w, p: w.company.evaluations.record(p, judgement(w.snapshot)),
}  # fmt: skip
HIDDEN = {  # what is asked for by its own name is not even admitted to exist
    *("end a role", "issue a token", "open a service", "revoke a token", "take a snapshot"),
    *("tag", "untag", "retire a runtime", "deploy", "promote", "withdraw", "cancel a job", "judge"),
    *("withdraw the snapshot", "set the route", "order a job"),
}


@pytest.mark.parametrize("what", GETS)
def test_what_another_group_has_is_not_found(world: World, what: str) -> None:
    with pytest.raises(NotFoundError) as missing:
        GETS[what](world, world.stranger)

    assert "that you can see" in missing.value.message


@pytest.mark.parametrize("what", GETS)
def test_the_administrator_finds_it(world: World, what: str) -> None:
    assert GETS[what](world, world.company.admin) is not None


@pytest.mark.parametrize("what", LISTS)
def test_lists_hold_nothing_of_another_group(world: World, what: str) -> None:
    assert list(LISTS[what](world, world.stranger)) == []


@pytest.mark.parametrize("what", [n for n in LISTS if n not in {"groups", "tokens"}])
def test_the_administrator_s_lists_hold_it(world: World, what: str) -> None:
    assert list(LISTS[what](world, world.company.admin))


@pytest.mark.parametrize("what", WRITES)
def test_nothing_of_another_group_can_be_changed(world: World, what: str) -> None:
    kind = NotFoundError if what in HIDDEN else DeniedError
    before = world.company.audit.page(world.company.admin, limit=500).items

    with pytest.raises(kind):
        WRITES[what](world, world.stranger)

    assert world.company.audit.page(world.company.admin, limit=500).items == before


def test_a_person_without_roles_sees_nothing_at_all(own_world: World) -> None:
    nobody = own_world.company.hire("nobody", group="cards")

    seen = {
        w: list(ask(own_world, nobody)) for w, ask in LISTS.items() if w not in {"audit", "history"}
    }

    assert not any(seen.values())


def test_a_consumer_sees_nothing_of_its_own_group(own_world: World) -> None:
    app = own_world.company.hire("app", Role.CONSUMER)

    with pytest.raises(NotFoundError):
        own_world.company.services.get(app, tag="cc-fraud")


def test_an_auditor_reads_everything_of_the_group_and_changes_nothing(own_world: World) -> None:
    auditor = own_world.company.hire("audrey", Role.AUDITOR)

    assert own_world.company.audit.page(auditor).items
    assert own_world.company.audit.history(auditor, noun="deployment", subject=own_world.deployment)
    with pytest.raises(ActionDeniedError):
        own_world.company.jobs.cancel(auditor, job_id=own_world.job)


def test_a_model_owner_does_not_read_the_audit(own_world: World) -> None:
    owner = own_world.company.hire("otto", Role.MODEL_OWNER)

    with pytest.raises(DeniedError):
        own_world.company.audit.page(owner)


def test_an_ended_role_counts_no_more(own_world: World) -> None:
    company = own_world.company
    company.people.end_grant(company.admin, grant_id=own_world.grant)
    text = company.tokens.issue(company.admin, name="x", group="risk", person="ada").text

    with pytest.raises(NotFoundError):
        company.models.get(company.tokens.sign_in(text), name="fraud-gbm")


def test_an_administrator_of_one_stage_administers_nothing(own_world: World) -> None:
    deputy = own_world.company.hire("deputy", Role.ADMINISTRATOR, group="*", stage="DEV")

    with pytest.raises(ActionDeniedError) as denied:
        own_world.company.people.grant(deputy, person="deputy", group="*", role=Role.ADMINISTRATOR)

    assert "as a whole" in denied.value.message
