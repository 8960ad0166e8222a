"""Values to put into a database: one small company, and one step of one of its life cycles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilothouse.bpmn import state as bpmn
from pilothouse.bpmn.history import HistoryEntry, HistoryEvent
from pilothouse.domain.access import Grant, KeyedCall, Principal, Role, Token, TokenKind
from pilothouse.domain.datasets import Dataset, DatasetRole
from pilothouse.domain.deployments import Deployment, DeploymentState
from pilothouse.domain.evaluations import Evaluation, Verdict
from pilothouse.domain.groups import Group
from pilothouse.domain.ids import (
    DatasetId,
    DefinitionId,
    DeploymentId,
    EvaluationId,
    GroupName,
    JobId,
    LocationId,
    ModelId,
    PersonId,
    RuntimeId,
    ServiceTag,
    SnapshotId,
    StageName,
    TaskId,
    TokenId,
)
from pilothouse.domain.jobs import Job, JobKind, JobProgress, JobResult, JobState, TableFormat
from pilothouse.domain.lifecycles import (
    Definition,
    DefinitionKind,
    DefinitionState,
    GivenDecision,
    RunHeading,
)
from pilothouse.domain.locations import Location, LocationAccess, Place
from pilothouse.domain.models import Model, RiskTier
from pilothouse.domain.outgoing import parse_grant
from pilothouse.domain.people import Person
from pilothouse.domain.routes import Route, Variant
from pilothouse.domain.runtimes import Mode, Runtime, RuntimeHealth
from pilothouse.domain.schemas import Column, DataType, Schema
from pilothouse.domain.services import Service
from pilothouse.domain.snapshots import (
    FileEntry,
    Manifest,
    ServiceAssignment,
    Snapshot,
    SnapshotContent,
)
from pilothouse.domain.stages import Stage
from pilothouse.domain.tasks import Task, TaskState

if TYPE_CHECKING:
    from pilothouse.ports.unit_of_work import UnitOfWork

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
RISK = GroupName("risk")
ADA = PersonId("per_ada")
FRAUD = ServiceTag("cc-fraud")
PROD = StageName("PROD")
MODEL, SNAPSHOT, RUNTIME = ModelId("mod_1"), SnapshotId("snp_1"), RuntimeId("rtm_1")
DEFINITION = DefinitionId("def_1")


def principal(name: str = "ada", *, cause: str = "", call: KeyedCall | None = None) -> Principal:
    return Principal(
        person_id=PersonId(f"per_{name}"), name=name, grants=(), cause=cause, call=call
    )


def group(name: str = RISK) -> Group:
    return Group(
        name=GroupName(name),
        title="Risk — Größe",
        python_source=True,
        skops_types=("a.B", "c.D"),
        created_at=NOON,
        outgoing_hosts=(parse_grant("https://desk.example private env:DESK"),),
        notification_targets=("file:/run/secrets/team",),
    )


def person(name: str = "ada") -> Person:
    return Person(
        id=PersonId(f"per_{name}"), name=name, title=name.title(), machine=False, created_at=NOON
    )


def stage(name: str = PROD, position: int = 4) -> Stage:
    return Stage(name=StageName(name), position=position, production=True, created_at=NOON)


def grant(key: str = "grt_1", *, at_stage: StageName | None = PROD) -> Grant:
    return Grant(
        id=key,
        person_id=ADA,
        group=RISK,
        role=Role.OPERATOR,
        stage=at_stage,
        granted_at=NOON,
        granted_by=ADA,
    )


def token() -> Token:
    return Token(
        id=TokenId("tok_1"),
        group=RISK,
        kind=TokenKind.SCORING,
        name="app",
        person_id=ADA,
        sha256="a" * 64,
        services=(FRAUD,),
        issued_at=NOON,
        issued_by=ADA,
        expires_at=None,
    )


def model(key: str = MODEL, name: str = "fraud-gbm", *, of: GroupName = RISK) -> Model:
    return Model(
        id=ModelId(key),
        group=of,
        name=name,
        owner=ADA,
        use_case="cards",
        methodology="gbm",
        risk_tier=RiskTier.HIGH,
        last_number=0,
        created_at=NOON,
    )


def snapshot(key: str = SNAPSHOT, number: int = 1) -> Snapshot:
    schema = Schema(columns=(Column(name="amount", type=DataType.NUMBER),))
    content = SnapshotContent(
        schema=1,
        manifest=Manifest(
            pilothouse=1,
            name="fraud-gbm",
            format="sklearn",
            files={"model": "model.skops"},
            inputs=schema,
            outputs=schema,
            golden="golden.jsonl",
            options={"threshold": 1.0, "rows": 10**20, "tiny": 1e-300, "note": "ü\u2028"},
        ),
        files=(FileEntry(path="model.skops", sha256="b" * 64, size=7),),
        lock="c" * 64,
        golden="d" * 64,
        reference=None,
        python="3.11",
    )
    return Snapshot(
        id=SnapshotId(key),
        group=RISK,
        model_id=MODEL,
        model="fraud-gbm",
        number=number,
        digest=f"{number:064x}",
        content=content,
        parents=(),
        taken_at=NOON,
        taken_by=ADA,
    )


def service(tag: str = FRAUD) -> Service:
    return Service(
        tag=ServiceTag(tag),
        group=RISK,
        title="Card fraud",
        mode=Mode.ONLINE,
        lifecycle="promote-online",
        test_dataset=None,
        owner=ADA,
        created_at=NOON,
    )


def assignment(key: str = "asg_1", *, of: SnapshotId = SNAPSHOT) -> ServiceAssignment:
    return ServiceAssignment(
        id=key, group=RISK, snapshot_id=of, service=FRAUD, assigned_at=NOON, assigned_by=ADA
    )


def dataset() -> Dataset:
    return Dataset(
        id=DatasetId("dat_1"),
        group=RISK,
        name="cards",
        dataset_version="2015",
        role=DatasetRole.TEST,
        place=Place(location="lake", path="cards.parquet"),
        format=TableFormat.PARQUET,
        sha256="e" * 64,
        size=12,
        label="fraud",
        registered_by=ADA,
        created_at=NOON,
    )


def location() -> Location:
    return Location(
        id=LocationId("loc_1"),
        group=RISK,
        name="lake",
        uri="file:///lake",
        access=LocationAccess.READ,
        created_at=NOON,
    )


def runtime(key: str = RUNTIME, name: str = "prod-local") -> Runtime:
    return Runtime(
        id=RuntimeId(key),
        group=RISK,
        name=name,
        connector="local",
        stage=PROD,
        modes=(Mode.ONLINE, Mode.BATCH),
        services=(FRAUD,),
        address="127.0.0.1:8104",
        options={"workers": 2, "share": 1.0, "quick": True, "name": "1"},
        health=RuntimeHealth.UNKNOWN,
        health_reason="",
        created_at=NOON,
    )


def route() -> Route:
    return Route(
        id="rou_1",
        group=RISK,
        service=FRAUD,
        stage=PROD,
        generation=1,
        variants=(Variant(snapshot_id=SNAPSHOT, snapshot="fraud-gbm@1", weight=1.0),),
        shadows=(),
        changed_at=NOON,
    )


def deployment(key: str = "dep_1") -> Deployment:
    return Deployment(
        id=DeploymentId(key),
        group=RISK,
        snapshot_id=SNAPSHOT,
        snapshot="fraud-gbm@1",
        number=1,
        digest=f"{1:064x}",
        service=FRAUD,
        stage=PROD,
        mode=Mode.ONLINE,
        runtime_id=RUNTIME,
        state=DeploymentState.ORDERED,
        reason="",
        isolation="",
        ordered_by=ADA,
        ordered_at=NOON,
    )


def job(key: str = "job_1") -> Job:
    return Job(
        id=JobId(key),
        group=RISK,
        kind=JobKind.SCORE,
        service=FRAUD,
        stage=PROD,
        snapshot_id=SNAPSHOT,
        snapshot="fraud-gbm@1",
        runtime_id=RUNTIME,
        source=Place(location="lake", path="in.csv"),
        source_format=TableFormat.CSV,
        dataset=None,
        target=None,
        target_format=None,
        label=None,
        columns=("amount",),
        parameters={"deep": {"list": [1, 1.5, None, "x"]}},
        state=JobState.WAITING,
        result=JobResult.UNKNOWN,
        progress=JobProgress(rows_read=3, rows_total=None),
        metrics={"auc": 1.0, "f1": None},
        error_code="",
        error="",
        output=None,
        manifest_sha256=None,
        ordered_by=ADA,
        ordered_at=NOON,
    )


def evaluation() -> Evaluation:
    return Evaluation(
        id=EvaluationId("evl_1"),
        group=RISK,
        kind="metrics",
        snapshot_id=SNAPSHOT,
        snapshot="fraud-gbm@1",
        digest=f"{1:064x}",
        service=FRAUD,
        stage=PROD,
        verdict=Verdict.PASS,
        reason="good",
        decision="thresholds@1",
        rule="r1",
        evidence={"auc": 0.9},
        run_id=None,
        judged_by=ADA,
        judged_at=NOON,
    )


def definition(key: str = DEFINITION, version: int = 1) -> Definition:
    return Definition(
        id=DefinitionId(key),
        group=RISK,
        kind=DefinitionKind.BPMN,
        key="promote-online",
        definition_version=version,
        name="Promote",
        xml="<definitions/>",
        sha256=f"{version:064x}",
        start_signals=("snapshot-created",),
        state=DefinitionState.ACTIVE,
        uploaded_by=ADA,
        uploaded_at=NOON,
        namespace="house",
        decisions=("thresholds",),
        imports={"house/types": "types@3"},
    )


def given_decision() -> GivenDecision:
    return GivenDecision(id="gvn_1", definition_id=DEFINITION, group=RISK, decision="thresholds")


def task(run_id: str = "run_1") -> Task:
    return Task(
        id=TaskId("tsk_1"),
        group=RISK,
        run_id=run_id,
        element="approve",
        name="Approve",
        state=TaskState.OPEN,
        candidate_roles=("validator",),
        candidate_people=(),
        separate_from=(ADA,),
        assignee=None,
        form=None,
        inputs={"auc": 0.9},
        snapshot=None,
        digest=None,
        due_at=None,
        created_at=NOON,
    )


def seed(work: UnitOfWork) -> None:
    """Write what everything else refers to."""
    work.groups.add(group())
    work.people.add(person())
    work.stages.add(stage())
    work.models.add(model())
    work.snapshots.add(snapshot())
    work.services.add(service())
    work.runtimes.add(runtime())
    work.definitions.add(definition())


def heading(run_id: str = "run_1") -> RunHeading:
    return RunHeading(
        run_id=run_id,
        group=RISK,
        definition_id=DEFINITION,
        definition="promote-online@1",
        definition_key="promote-online",
        snapshot_id=SNAPSHOT,
        snapshot="fraud-gbm@1",
        digest=None,
        service=FRAUD,
        author=ADA,
        started_at=NOON,
    )


def run_job(run_id: str = "run_1", part: str = "1", *, due_at: datetime = NOON) -> bpmn.Job:
    return bpmn.Job(
        id=f"lcj_{run_id}_{part}",
        run_id=run_id,
        token_id=f"tkn_{run_id}",
        element="deploy",
        kind=bpmn.JobKind.SERVICE,
        topic="deploy",
        state=bpmn.JobStatus.READY,
        due_at=due_at,
        created_at=NOON,
        retries_left=3,
        inputs={"stage": "DEV", "share": 1.0, "none": None},
        headers={"a": "b"},
    )


def started(
    run_id: str = "run_1", *, business_key: str | None = None, jobs: tuple[bpmn.Job, ...] = ()
) -> bpmn.Changes:
    """The first step of a run: a row in every table."""
    scope, at = f"sco_{run_id}", f"tkn_{run_id}"
    rows = bpmn.Rows(
        scopes=(
            bpmn.Scope(
                id=scope,
                run_id=run_id,
                parent_id=None,
                token_id=None,
                element="process",
                kind=bpmn.ScopeKind.PROCESS,
            ),
            bpmn.Scope(
                id=f"{scope}_each",
                run_id=run_id,
                parent_id=scope,
                token_id=at,
                element="deploy",
                kind=bpmn.ScopeKind.MULTI_INSTANCE,
                size=3,
                started=2,
                ended=1,
                number=None,
                items=({"stage": "DEV", "share": 1.0}, "SIT", None),
                outputs=(0.5, None, None),
            ),
        ),
        variables=tuple(
            bpmn.Variable(run_id=run_id, scope_id=scope, name=name, value=value)
            for name, value in {"auc": 1.0, "rows": 10**20, "none": None, "text": "5"}.items()
        ),
        tokens=(
            bpmn.Token(
                id=at,
                run_id=run_id,
                scope_id=scope,
                element="deploy",
                state=bpmn.TokenStatus.WAITING,
            ),
        ),
        jobs=jobs or (run_job(run_id),),
        subscriptions=(
            bpmn.Subscription(
                id=f"sub_{run_id}_m",
                element="wait",
                kind=bpmn.SubscriptionKind.MESSAGE,
                name="finished",
                correlation_key="job_1",
                created_at=NOON,
                run_id=run_id,
                token_id=at,
            ),
            bpmn.Subscription(
                id=f"sub_{run_id}_s",
                element="hear",
                kind=bpmn.SubscriptionKind.SIGNAL,
                name="stop",
                correlation_key=None,
                created_at=NOON,
                run_id=run_id,
                token_id=at,
            ),
        ),
        tasks=(
            bpmn.UserTask(
                id=f"tsk_{run_id}",
                element="approve",
                name="Approve",
                state=bpmn.TaskStatus.OPEN,
                created_at=NOON,
                form={"fields": []},
                run_id=run_id,
                token_id=at,
            ),
        ),
        incidents=(
            bpmn.Incident(
                id=f"inc_{run_id}",
                job_id=None,
                element="deploy",
                code="no-runtime",
                message="none",
                created_at=NOON,
                run_id=run_id,
                token_id=at,
            ),
        ),
        compensations=(
            bpmn.Compensation(
                id=f"cmp_{run_id}",
                run_id=run_id,
                scope_id=scope,
                sequence=1,
                element="deploy",
                handler="withdraw",
                variables={"stage": "DEV", "share": 1.0},
            ),
        ),
    )
    run = bpmn.Run(
        id=run_id,
        definition_id=DEFINITION,
        business_key=business_key,
        state=bpmn.RunStatus.ACTIVE,
        revision=1,
        history_length=1,
        started_at=NOON,
        started_by=ADA,
    )
    line = HistoryEntry(
        run_id=run_id, sequence=1, at=NOON, event=HistoryEvent.RUN_STARTED, data={"a": 1}
    )
    return bpmn.Changes(
        run=run, added=rows, changed=bpmn.Rows(), removed=bpmn.Rows(), history=(line,)
    )


def stepped(
    run: bpmn.Run,
    *,
    added: bpmn.Rows = bpmn.Rows(),  # noqa: B008 a frozen value
    changed: bpmn.Rows = bpmn.Rows(),  # noqa: B008 a frozen value
    removed: bpmn.Rows = bpmn.Rows(),  # noqa: B008 a frozen value
) -> bpmn.Changes:
    """The next step of a run."""
    sequence = run.history_length + 1
    line = HistoryEntry(run_id=run.id, sequence=sequence, at=NOON, event=HistoryEvent.PASSED)
    return bpmn.Changes(
        run=replace(run, revision=run.revision + 1, history_length=sequence),
        added=added,
        changed=changed,
        removed=removed,
        history=(line,),
    )
