"""A company on a real SQLite file, with every use case, over fakes that keep the contracts of the ports."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from pilothouse.application.artifacts import Artifacts
from pilothouse.application.audit import Audit
from pilothouse.application.calls import Calls
from pilothouse.application.datasets import Datasets
from pilothouse.application.deployments import Deployments
from pilothouse.application.evaluations import Evaluations
from pilothouse.application.founding import SYSTEM, Founding
from pilothouse.application.groups import Groups
from pilothouse.application.job_runs import JobRuns
from pilothouse.application.jobs import Jobs
from pilothouse.application.locations import Locations
from pilothouse.application.models import Models
from pilothouse.application.people import People
from pilothouse.application.reconciliation import PlatformToken, Reconciliation
from pilothouse.application.routes import Routes
from pilothouse.application.runtimes import Runtimes
from pilothouse.application.services import Services
from pilothouse.application.snapshots import Snapshots
from pilothouse.application.stages import Stages
from pilothouse.application.tokens import Tokens
from pilothouse.artifacts import open_store
from pilothouse.connectors.places import LocalPlaces
from pilothouse.domain.events import EventType
from pilothouse.domain.locations import LocationAccess, Place
from pilothouse.domain.runtimes import Mode
from pilothouse.domain.schemas import Column, DataType, Schema
from pilothouse.domain.snapshots import MANIFEST_NAME, FileEntry, Manifest, SnapshotContent
from pilothouse.persistence.addresses import DatabaseOptions, Durability
from pilothouse.persistence.engine import Database
from pilothouse.ports.checker import CheckedFolder
from pilothouse.security.tokens import Mint
from pilothouse.testing.clock import CountingIds, SetClock
from pilothouse.wire.requests import (
    DefineService,
    OrderDeployment,
    RegisterModel,
    RegisterRuntime,
    TakeSnapshot,
)
from tests.unit.application.fakes import FakeConnector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pilothouse.domain.access import Principal, Role
    from pilothouse.domain.deployments import Deployment
    from pilothouse.domain.groups import Group
    from pilothouse.domain.jobs import Job
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.domain.services import Service
    from pilothouse.domain.snapshots import Snapshot

SCHEMA = Schema(columns=(Column(name="amount", type=DataType.NUMBER),))
PORTS = count(9000)


@dataclass
class FolderChecker:
    """
    Takes any folder whose manifest is a JSON object with a name, or raises what the test put into `problems`.

    `meanwhile` is called while a folder is under check.
    """

    problems: list[Exception] = field(default_factory=list)
    checks: int = 0
    meanwhile: Callable[[], None] = lambda: None

    def check(self, folder: Path, *, group: Group, references: Mapping[str, str]) -> CheckedFolder:
        self.checks += 1
        self.meanwhile()
        if self.problems:
            raise self.problems.pop(0)
        told = json.loads((folder / MANIFEST_NAME).read_text())
        lock, golden = b"", json.dumps(told).encode()
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        content = SnapshotContent(
            schema=1,
            manifest=Manifest(
                pilothouse=1,
                name=told["name"],
                format=told.get("format", "sklearn"),
                entry_points=told.get("entry_points", {}),
                files={"model": "model.bin"},
                inputs=SCHEMA,
                outputs=SCHEMA,
                golden="golden.jsonl",
                parents=tuple(told.get("parents", ())),
            ),
            files=tuple(entry(p.relative_to(folder).as_posix(), p.read_bytes()) for p in files),
            lock=sha256(lock),
            golden=sha256(golden),
            reference=None,
            python="3.11",
        )
        return CheckedFolder(content=content, lock=lock, golden=golden, isolation="process")


def sha256(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def entry(path: str, blob: bytes) -> FileEntry:
    return FileEntry(path=path, sha256=sha256(blob), size=len(blob))


class Company:
    """Everything that a control plane has, and short ways to bring it into the state that a test begins with."""

    def __init__(self, url: str, folder: Path) -> None:
        self.clock, self.ids, self.folder = SetClock(), CountingIds(), folder
        self.database = Database.connect(
            url,
            subscribers={EventType.SNAPSHOT_CREATED: ("lifecycles",)},
            clock=self.clock,
            ids=self.ids,
            options=DatabaseOptions(durability=Durability.NORMAL),
        )
        self.work = work = self.database.open_work
        self.connector, self.checker = FakeConnector(), FolderChecker()
        self.store = open_store((folder / "artifacts").as_uri())
        mint = Mint(ids=self.ids)
        self.founding = Founding(open_work=work, mint=mint)
        self.groups, self.people = (
            Groups(open_work=work, own_topics=("deploy",)),
            People(open_work=work),
        )
        self.tokens, self.models = Tokens(open_work=work, mint=mint), Models(open_work=work)
        self.stages, self.services = Stages(open_work=work), Services(open_work=work)
        places, self.home = LocalPlaces(), folder / "home"
        self.locations = Locations(open_work=work, places=places, home=self.home)
        self.datasets = Datasets(open_work=work, places=places)
        self.runtimes = Runtimes(open_work=work, connectors=self.connector)
        self.deployments = Deployments(open_work=work, connectors=self.connector)
        self.routes, self.jobs = Routes(open_work=work), Jobs(open_work=work)
        self.evaluations, self.audit = Evaluations(open_work=work), Audit(open_work=work)
        self.calls = Calls(open_work=work)
        self.artifacts = Artifacts(open_work=work, store=self.store, limit_bytes=1 << 20)
        self.snapshots = Snapshots(
            open_work=work, store=self.store, checker=self.checker, scratch=folder / "scratch"
        )
        self.job_runs = JobRuns(open_work=work, connectors=self.connector, store=self.store)
        self.reconciliation = Reconciliation(
            open_work=work,
            connectors=self.connector,
            platform_token=PlatformToken(sha256="0" * 64),
        )
        kept: list[str] = []
        self.founding.found(keep_token=kept.append)
        self.admin_token = kept[0]
        self.admin = self.tokens.sign_in(self.admin_token)

    def pass_time(self, **by: float) -> None:
        self.clock.advance(timedelta(**by) if by else timedelta(seconds=1))

    def group(self, name: str) -> Group:
        return self.groups.create(self.admin, name=name)

    def hire(
        self, name: str, *roles: Role, group: str = "risk", stage: str | None = None
    ) -> Principal:
        """Enter somebody with roles, and give the principal that a sign-in would give."""
        self.people.create(self.admin, name=name)
        for role in roles:
            self.people.grant(self.admin, person=name, group=group, role=role, stage=stage)
        home = group if group != "*" else "default"
        issued = self.tokens.issue(self.admin, name="sign-in", group=home, person=name)
        return self.tokens.sign_in(issued.text)

    def service(
        self, tag: str = "cc-fraud", *, group: str = "risk", mode: Mode = Mode.ONLINE
    ) -> Service:
        return self.services.define(self.admin, DefineService(tag=tag, group=group, mode=mode))

    def runtime(
        self,
        name: str,
        stage: str,
        *,
        group: str = "risk",
        modes: tuple[Mode, ...] = (Mode.BATCH, Mode.ONLINE),
        services: tuple[str, ...] = (),
        options: Mapping[str, str | int | float | bool] | None = None,
    ) -> Runtime:
        wanted = RegisterRuntime(
            name=name,
            group=group,
            stage=stage,
            connector="fake",
            modes=modes,
            services=services,
            address=f"127.0.0.1:{next(PORTS)}",
            options=options or {},
        )
        return self.runtimes.register(self.admin, wanted)

    def model(self, name: str = "fraud-gbm", *, group: str = "risk") -> None:
        self.models.register(self.admin, RegisterModel(name=name, group=group))

    def upload(self, *, group: str = "risk", **manifest: object) -> tuple[FileEntry, ...]:
        """Upload a folder whose manifest is this; its weights follow from it."""
        told = json.dumps(manifest, sort_keys=True).encode()
        files = {MANIFEST_NAME: told, "model.bin": b"weights of " + told}
        for blob in files.values():
            self.artifacts.upload(
                self.admin, group=self.groups.get(self.admin, name=group).name,
                sha256=sha256(blob), chunks=[blob],
            )  # fmt: skip
        return tuple(entry(path, blob) for path, blob in files.items())

    def order_snapshot(
        self,
        who: Principal | None = None,
        *,
        model: str = "fraud-gbm",
        services: tuple[str, ...] = (),
        group: str = "risk",
        **manifest: object,
    ) -> Job:
        files = self.upload(group=group, name=model, **manifest)
        wanted = TakeSnapshot(model=model, files=files, services=services)
        return self.snapshots.order(who or self.admin, wanted)

    def snapshot(
        self, who: Principal | None = None, *, seed: int = 1, services: tuple[str, ...] = (),
        model: str = "fraud-gbm", group: str = "risk", **manifest: object,
    ) -> Snapshot:  # fmt: skip
        """Take a snapshot; another seed makes another digest."""
        job = self.order_snapshot(
            who, model=model, services=services, group=group, seed=seed, **manifest
        )
        done = self.snapshots.take(SYSTEM, job.id)
        return self.snapshots.get(self.admin, name=done.snapshot)

    def deploy(
        self,
        snapshot: str,
        stage: str,
        *,
        service: str = "cc-fraud",
        mode: Mode | None = None,
        runtime: str | None = None,
        who: Principal | None = None,
    ) -> tuple[Deployment, ...]:
        wanted = OrderDeployment(
            snapshot=snapshot, service=service, stage=stage, mode=mode, runtime=runtime
        )
        return self.deployments.order(who or self.admin, wanted)

    def reconcile(self, rounds: int = 2) -> None:
        """Let all runtimes converge; what was ordered in one round is seen in the next."""
        for _ in range(rounds):
            for runtime in self.reconciliation.runtimes(SYSTEM):
                self.reconciliation.reconcile(SYSTEM, runtime)

    def reach(
        self, snapshot: str, stage: str, *, service: str = "cc-fraud", mode: Mode | None = None
    ) -> Deployment:
        """Deploy a snapshot in every stage up to this one, and give its deployment there."""
        placed: tuple[Deployment, ...] = ()
        for each in self.stages.listed(self.admin):
            placed = self.deploy(snapshot, each.name, service=service, mode=mode)
            self.reconcile()
            if each.name == stage:
                break
        return self.deployments.get(self.admin, deployment_id=placed[0].id)

    def location(
        self,
        name: str = "inbox",
        access: LocationAccess = LocationAccess.READ_WRITE,
        *,
        group: str = "risk",
    ) -> Path:
        root = self.folder / "places" / name
        root.mkdir(parents=True, exist_ok=True)
        self.locations.register(
            self.admin, name=name, group=group, uri=root.as_uri(), access=access
        )
        return root


def open_company(url: str, folder: Path) -> Company:
    """Give a company with the group `risk`, its model and service, and a runtime in each stage."""
    company = Company(url, folder)
    company.group("risk")
    company.model()
    company.service()
    for stage in ("DEV", "SIT", "UAT", "PROD"):
        company.runtime(f"risk-{stage.lower()}", stage)
    return company


def place(path: str, location: str = "inbox") -> Place:
    return Place(location=location, path=path)
