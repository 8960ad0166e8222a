"""
Every table of the control plane.

A noun's columns are its fields. Grants, tokens, definitions and audit rows may stand in every group
(``*``), so their group is no foreign key; what a person did is kept when the person is gone, so people
are referred to only by what acts for them. Two values are called Job and two are called Token: those of
life-cycle runs have the tables ``run_jobs`` and ``run_tokens``.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from pilothouse.bpmn import state as bpmn
from pilothouse.bpmn.history import HistoryEntry
from pilothouse.domain.access import Grant, Token
from pilothouse.domain.datasets import Dataset
from pilothouse.domain.deployments import Deployment
from pilothouse.domain.evaluations import Evaluation
from pilothouse.domain.events import AuditEntry, Change, Event, Message
from pilothouse.domain.groups import Group
from pilothouse.domain.jobs import Job
from pilothouse.domain.lifecycles import Definition, GivenDecision, RunHeading, StartEvent
from pilothouse.domain.locations import Location
from pilothouse.domain.models import Model
from pilothouse.domain.people import Person
from pilothouse.domain.routes import Route
from pilothouse.domain.runtimes import Runtime
from pilothouse.domain.services import Service
from pilothouse.domain.snapshots import ServiceAssignment, Snapshot
from pilothouse.domain.stages import Stage
from pilothouse.domain.tasks import Task
from pilothouse.persistence.columns import JsonText, PlainText, UtcDateTime
from pilothouse.persistence.making import (
    METADATA,
    columns_of,
    index,
    index_where,
    reference,
    table_of,
    unique,
    unique_where,
)

GROUP = {"group": "groups.name"}
RUN = {"run_id": "runs.id"}

groups = table_of(Group, "groups", key=("name",))
people = table_of(Person, "people", unique("name"))
stages = table_of(Stage, "stages", key=("name",))
grants = table_of(
    Grant,
    "grants",
    index("person_id"),
    unique_where(
        "uq_grants_active_in_stage",
        "ended_at IS NULL AND stage IS NOT NULL",
        "person_id",
        "group",
        "role",
        "stage",
    ),
    unique_where(
        "uq_grants_active_everywhere",
        "ended_at IS NULL AND stage IS NULL",
        "person_id",
        "group",
        "role",
    ),
    refers={"person_id": "people.id", "stage": "stages.name"},
)
tokens = table_of(
    Token, "tokens", unique("sha256"), index("group"), refers={"person_id": "people.id"}
)
models = table_of(Model, "models", unique("name"), index("group"), refers=GROUP)
snapshots = table_of(
    Snapshot,
    "snapshots",
    unique("model_id", "number"),
    unique("model_id", "digest"),
    index("digest"),
    index("group"),
    refers={**GROUP, "model_id": "models.id"},
)
services = table_of(Service, "services", index("group"), key=("tag",), refers=GROUP)
assignments = table_of(
    ServiceAssignment,
    "assignments",
    unique_where("uq_assignments_active", "ended_at IS NULL", "snapshot_id", "service"),
    index("service"),
    refers={**GROUP, "snapshot_id": "snapshots.id", "service": "services.tag"},
)
datasets = table_of(
    Dataset, "datasets", unique("name", "dataset_version"), index("group"), refers=GROUP
)
locations = table_of(Location, "locations", unique("name"), index("group"), refers=GROUP)
runtimes = table_of(
    Runtime,
    "runtimes",
    unique("name"),
    index("group"),
    refers={**GROUP, "stage": "stages.name"},
)
routes = table_of(
    Route,
    "routes",
    unique("service", "stage"),
    refers={**GROUP, "service": "services.tag", "stage": "stages.name"},
)
deployments = table_of(
    Deployment,
    "deployments",
    index("service", "stage"),
    index("runtime_id", "state"),
    index("snapshot_id"),
    unique_where(
        "uq_deployments_wanted",
        "state NOT IN ('draining', 'withdrawn')",
        "snapshot_id",
        "service",
        "stage",
        "mode",
        "runtime_id",
    ),
    refers={
        **GROUP,
        "snapshot_id": "snapshots.id",
        "service": "services.tag",
        "stage": "stages.name",
        "runtime_id": "runtimes.id",
    },
)
jobs = table_of(
    Job,
    "jobs",
    index("group"),
    index("service"),
    index("runtime_id", "state"),
    index("cleared", "kind"),
    refers={**GROUP, "snapshot_id": "snapshots.id", "runtime_id": "runtimes.id"},
)
evaluations = table_of(
    Evaluation,
    "evaluations",
    index("snapshot_id"),
    index("service", "stage"),
    refers={**GROUP, "snapshot_id": "snapshots.id"},
)
definitions = table_of(
    Definition,
    "definitions",
    unique("key", "definition_version"),
    unique("group", "key", "sha256"),
    index("namespace"),
)
given_decisions = table_of(
    GivenDecision,
    "given_decisions",
    unique("definition_id", "decision"),
    index("decision"),
    refers={"definition_id": "definitions.id"},
)
start_events = table_of(
    StartEvent,
    "start_events",
    index("group", "key"),
    index("kind", "name"),
    index_where("ix_start_events_due", "due_at IS NOT NULL", "due_at"),
    refers={"definition_id": "definitions.id"},
)

UNDER_WAY = "state IN ('active', 'suspended')"

# The rows of life-cycle runs. `group` and `definition_key` come from the heading.
runs = table_of(
    bpmn.Run,
    "runs",
    Column("group", PlainText(), reference("groups.name"), nullable=False),
    Column("definition_key", PlainText(), nullable=False),
    unique_where("uq_runs_active", UNDER_WAY, "definition_key", "business_key"),
    index_where("ix_runs_under_way", UNDER_WAY, "definition_id"),
    refers={"definition_id": "definitions.id"},
)
run_headings = table_of(
    RunHeading,
    "run_headings",
    index("group"),
    index("snapshot_id"),
    index("service"),
    key=("run_id",),
    refers={**GROUP, **RUN},
)
scopes = table_of(bpmn.Scope, "scopes", index("run_id"), refers=RUN)
variables = table_of(
    bpmn.Variable, "variables", index("run_id"), key=("scope_id", "name"), refers=RUN
)
run_tokens = table_of(bpmn.Token, "run_tokens", index("run_id"), refers=RUN)
run_jobs = table_of(
    bpmn.Job,
    "run_jobs",
    index("run_id"),
    index_where("ix_run_jobs_ready", "state = 'ready'", "due_at"),
    index_where("ix_run_jobs_leased", "state = 'ready' AND lease_until IS NOT NULL", "lease_until"),
    index_where("ix_run_jobs_offered", "state = 'offered'", "topic", "due_at"),
    refers=RUN,
)
subscriptions = table_of(
    bpmn.Subscription,
    "subscriptions",
    index("run_id"),
    index("kind", "name", "correlation_key"),
    refers=RUN,
)
run_tasks = table_of(bpmn.UserTask, "run_tasks", index("run_id"), refers=RUN)
incidents = table_of(bpmn.Incident, "incidents", index("run_id"), refers=RUN)
compensations = table_of(bpmn.Compensation, "compensations", index("run_id"), refers=RUN)
run_history = table_of(HistoryEntry, "run_history", key=("run_id", "sequence"), refers=RUN)
tasks = table_of(Task, "tasks", index("run_id"), index("group", "state"), refers={**GROUP, **RUN})

EVERY_TABLE = METADATA
BUSY_TABLES = (
    "runs",
    "scopes",
    "variables",
    "run_tokens",
    "run_jobs",
    "subscriptions",
    "run_tasks",
    "incidents",
    "compensations",
    "outbox",
    "leases",
)
"""Small tables whose rows change all the time: PostgreSQL leaves room in their pages and vacuums them early."""

# What the unit of work keeps beside the nouns.
history = Table(
    "history",
    METADATA,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True),
    *columns_of(Change, key=(), refers={}),
    Column("key", PlainText(), nullable=True),
    unique_where("uq_history_open", "until IS NULL", "noun", "subject"),
    Index("ix_history_noun_subject_id", "noun", "subject", "id"),
    Index("ix_history_noun_key_since", "noun", "key", "since"),
)
audit = table_of(AuditEntry, "audit", index("group"), index("noun", "subject"))
outbox = Table(
    "outbox",
    METADATA,
    Column("subscriber", PlainText(), primary_key=True),
    *columns_of(Event, key=("id",), refers={}),
    Column("lease_owner", PlainText(), nullable=True),
    Column("lease_until", UtcDateTime(), nullable=True),
    index("subscriber", "at"),
)
messages = table_of(
    Message,
    "messages",
    Column("taken_at", UtcDateTime(), nullable=True),
    index_where(
        "ix_messages_waiting",
        "taken_at IS NULL",
        "group",
        "name",
        "correlation_key",
        "received_at",
    ),
    index("expires_at"),
    key=("group", "id"),
    refers=GROUP,
)
calls = Table(
    "calls",
    METADATA,
    Column("person_id", PlainText(), primary_key=True),
    Column("key", PlainText(), primary_key=True),
    Column("request", PlainText(), nullable=False),
    Column("result", JsonText(), nullable=True),
    Column("at", UtcDateTime(), nullable=False),
)
leases = Table(
    "leases",
    METADATA,
    Column("name", PlainText(), primary_key=True),
    Column("owner", PlainText(), nullable=False),
    Column("until", UtcDateTime(), nullable=False),
)
