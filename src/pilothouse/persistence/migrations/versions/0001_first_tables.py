"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
JSON = sa.Text().with_variant(sa.JSON(), "postgresql")
WHOLE = sa.BigInteger()
FLAG = sa.Boolean()
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

BUSY = (
    "runs",
    "scopes",
    "variables",
    "run_tokens",
    "run_jobs",
    "subscriptions",
    "run_tasks",
    "incidents",
    "outbox",
    "leases",
)
TABLES = (
    "groups",
    "people",
    "stages",
    "datasets",
    "grants",
    "locations",
    "models",
    "runtimes",
    "services",
    "tokens",
    "routes",
    "snapshots",
    "assignments",
    "deployments",
    "evaluations",
    "jobs",
    "definitions",
    "runs",
    "incidents",
    "run_headings",
    "run_history",
    "run_jobs",
    "run_tasks",
    "run_tokens",
    "scopes",
    "subscriptions",
    "tasks",
    "variables",
    "audit",
    "calls",
    "history",
    "leases",
    "outbox",
    "messages",
)


def upgrade() -> None:
    """Make all tables."""
    _nouns()
    _runs()
    _unit()
    if op.get_bind().dialect.name == "postgresql":
        for table in BUSY:
            op.execute(
                f"ALTER TABLE {table} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)"
            )


def downgrade() -> None:
    """Remove all tables."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _columns(
    kind: sa.types.TypeEngine[Any], *names: str, null: bool = False
) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=null) for name in names]


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    with_it = "CASCADE" if target == "runs.id" else None
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete=with_it)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f("_".join(("uq", table, *columns))))


def _index(name: str, *columns: str, unique: bool = False, where: str | None = None) -> sa.Index:
    rows = None if where is None else sa.text(where)
    return sa.Index(op.f(name), *columns, unique=unique, sqlite_where=rows, postgresql_where=rows)


def _nouns() -> None:
    op.create_table(
        "groups",
        *_columns(TEXT, "name", "title"),
        *_columns(FLAG, "python_source"),
        *_columns(JSON, "skops_types"),
        *_columns(TIME, "created_at"),
        *_columns(WHOLE, "version"),
        _key("groups", "name"),
    )
    op.create_table(
        "people",
        *_columns(TEXT, "id", "name", "title"),
        *_columns(FLAG, "machine"),
        *_columns(TIME, "created_at"),
        *_columns(TIME, "ended_at", null=True),
        *_columns(WHOLE, "version"),
        _key("people", "id"),
        _unique("people", "name"),
    )
    op.create_table(
        "stages",
        *_columns(TEXT, "name"),
        *_columns(WHOLE, "position"),
        *_columns(FLAG, "production"),
        *_columns(TIME, "created_at"),
        *_columns(WHOLE, "version"),
        _key("stages", "name"),
    )
    op.create_table(
        "datasets",
        *_columns(TEXT, "id", "group", "name", "dataset_version", "role"),
        *_columns(JSON, "place"),
        *_columns(TEXT, "format", "sha256"),
        *_columns(WHOLE, "size"),
        *_columns(TEXT, "label", null=True),
        *_columns(TEXT, "registered_by"),
        *_columns(TIME, "created_at"),
        *_columns(WHOLE, "version"),
        _key("datasets", "id"),
        _refers("datasets", "group", "groups.name"),
        _unique("datasets", "name", "dataset_version"),
        _index("ix_datasets_group", "group"),
    )
    op.create_table(
        "grants",
        *_columns(TEXT, "id", "person_id", "group", "role"),
        *_columns(TEXT, "stage", null=True),
        *_columns(TIME, "granted_at"),
        *_columns(TEXT, "granted_by"),
        *_columns(TIME, "ended_at", null=True),
        *_columns(WHOLE, "version"),
        _key("grants", "id"),
        _refers("grants", "person_id", "people.id"),
        _refers("grants", "stage", "stages.name"),
        _index("ix_grants_person_id", "person_id"),
        _index(
            "uq_grants_active_everywhere",
            "person_id",
            "group",
            "role",
            unique=True,
            where="ended_at IS NULL AND stage IS NULL",
        ),
        _index(
            "uq_grants_active_in_stage",
            "person_id",
            "group",
            "role",
            "stage",
            unique=True,
            where="ended_at IS NULL AND stage IS NOT NULL",
        ),
    )
    op.create_table(
        "locations",
        *_columns(TEXT, "id", "group", "name", "uri", "access"),
        *_columns(TIME, "created_at"),
        *_columns(WHOLE, "version"),
        _key("locations", "id"),
        _refers("locations", "group", "groups.name"),
        _unique("locations", "name"),
        _index("ix_locations_group", "group"),
    )
    op.create_table(
        "models",
        *_columns(TEXT, "id", "group", "name", "owner", "use_case", "methodology", "risk_tier"),
        *_columns(WHOLE, "last_number"),
        *_columns(TIME, "created_at"),
        *_columns(WHOLE, "version"),
        _key("models", "id"),
        _refers("models", "group", "groups.name"),
        _unique("models", "name"),
        _index("ix_models_group", "group"),
    )
    op.create_table(
        "runtimes",
        *_columns(TEXT, "id", "group", "name", "connector", "stage"),
        *_columns(JSON, "modes", "services"),
        *_columns(TEXT, "address", null=True),
        *_columns(JSON, "options"),
        *_columns(TEXT, "health", "health_reason"),
        *_columns(TIME, "created_at"),
        *_columns(TIME, "retired_at", null=True),
        *_columns(WHOLE, "desired_generation"),
        *_columns(TEXT, "desired_digest"),
        *_columns(WHOLE, "version"),
        _key("runtimes", "id"),
        _refers("runtimes", "group", "groups.name"),
        _refers("runtimes", "stage", "stages.name"),
        _unique("runtimes", "name"),
        _index("ix_runtimes_group", "group"),
    )
    op.create_table(
        "services",
        *_columns(TEXT, "tag", "group", "title", "mode"),
        *_columns(TEXT, "lifecycle", "test_dataset", null=True),
        *_columns(TEXT, "owner"),
        *_columns(TIME, "created_at"),
        *_columns(WHOLE, "version"),
        _key("services", "tag"),
        _refers("services", "group", "groups.name"),
        _index("ix_services_group", "group"),
    )
    op.create_table(
        "tokens",
        *_columns(TEXT, "id", "group", "kind", "name", "person_id", "sha256"),
        *_columns(JSON, "services"),
        *_columns(TIME, "issued_at"),
        *_columns(TEXT, "issued_by"),
        *_columns(TIME, "expires_at", "revoked_at", null=True),
        *_columns(WHOLE, "version"),
        _key("tokens", "id"),
        _refers("tokens", "person_id", "people.id"),
        _unique("tokens", "sha256"),
        _index("ix_tokens_group", "group"),
    )
    op.create_table(
        "routes",
        *_columns(TEXT, "id", "group", "service", "stage"),
        *_columns(WHOLE, "generation"),
        *_columns(JSON, "variants", "shadows"),
        *_columns(TIME, "changed_at"),
        *_columns(WHOLE, "version"),
        _key("routes", "id"),
        _refers("routes", "group", "groups.name"),
        _refers("routes", "service", "services.tag"),
        _refers("routes", "stage", "stages.name"),
        _unique("routes", "service", "stage"),
    )
    op.create_table(
        "snapshots",
        *_columns(TEXT, "id", "group", "model_id", "model"),
        *_columns(WHOLE, "number"),
        *_columns(TEXT, "digest"),
        *_columns(JSON, "content", "parents"),
        *_columns(TIME, "taken_at"),
        *_columns(TEXT, "taken_by"),
        _key("snapshots", "id"),
        _refers("snapshots", "group", "groups.name"),
        _refers("snapshots", "model_id", "models.id"),
        _unique("snapshots", "model_id", "digest"),
        _unique("snapshots", "model_id", "number"),
        _index("ix_snapshots_digest", "digest"),
        _index("ix_snapshots_group", "group"),
    )
    op.create_table(
        "assignments",
        *_columns(TEXT, "id", "group", "snapshot_id", "service"),
        *_columns(TIME, "assigned_at"),
        *_columns(TEXT, "assigned_by"),
        *_columns(TIME, "ended_at", null=True),
        *_columns(WHOLE, "version"),
        _key("assignments", "id"),
        _refers("assignments", "group", "groups.name"),
        _refers("assignments", "service", "services.tag"),
        _refers("assignments", "snapshot_id", "snapshots.id"),
        _index("ix_assignments_service", "service"),
        _index(
            "uq_assignments_active", "snapshot_id", "service", unique=True, where="ended_at IS NULL"
        ),
    )
    op.create_table(
        "deployments",
        *_columns(TEXT, "id", "group", "snapshot_id", "snapshot"),
        *_columns(WHOLE, "number"),
        *_columns(
            TEXT,
            "digest",
            "service",
            "stage",
            "mode",
            "runtime_id",
            "state",
            "reason",
            "isolation",
            "ordered_by",
        ),
        *_columns(TIME, "ordered_at"),
        *_columns(TIME, "running_at", "ended_at", null=True),
        *_columns(WHOLE, "version"),
        _key("deployments", "id"),
        _refers("deployments", "group", "groups.name"),
        _refers("deployments", "runtime_id", "runtimes.id"),
        _refers("deployments", "service", "services.tag"),
        _refers("deployments", "snapshot_id", "snapshots.id"),
        _refers("deployments", "stage", "stages.name"),
        _index("ix_deployments_runtime_id_state", "runtime_id", "state"),
        _index("ix_deployments_service_stage", "service", "stage"),
        _index("ix_deployments_snapshot_id", "snapshot_id"),
        _index(
            "uq_deployments_wanted",
            "snapshot_id",
            "service",
            "stage",
            "mode",
            "runtime_id",
            unique=True,
            where="state NOT IN ('draining', 'withdrawn')",
        ),
    )
    op.create_table(
        "evaluations",
        *_columns(
            TEXT,
            "id",
            "group",
            "kind",
            "snapshot_id",
            "snapshot",
            "digest",
            "service",
            "stage",
            "verdict",
            "reason",
        ),
        *_columns(TEXT, "decision", "rule", null=True),
        *_columns(JSON, "evidence"),
        *_columns(TEXT, "run_id", null=True),
        *_columns(TEXT, "judged_by"),
        *_columns(TIME, "judged_at"),
        _key("evaluations", "id"),
        _refers("evaluations", "group", "groups.name"),
        _refers("evaluations", "snapshot_id", "snapshots.id"),
        _index("ix_evaluations_service_stage", "service", "stage"),
        _index("ix_evaluations_snapshot_id", "snapshot_id"),
    )
    op.create_table(
        "jobs",
        *_columns(TEXT, "id", "group", "kind", "service", "stage"),
        *_columns(TEXT, "snapshot_id", null=True),
        *_columns(TEXT, "snapshot"),
        *_columns(TEXT, "runtime_id", null=True),
        *_columns(JSON, "source", null=True),
        *_columns(TEXT, "source_format", "dataset", null=True),
        *_columns(JSON, "target", null=True),
        *_columns(TEXT, "target_format", "label", null=True),
        *_columns(JSON, "columns", "parameters"),
        *_columns(TEXT, "state", "result"),
        *_columns(JSON, "progress", "metrics"),
        *_columns(TEXT, "error_code", "error"),
        *_columns(TEXT, "output", "manifest_sha256", null=True),
        *_columns(TEXT, "ordered_by"),
        *_columns(TIME, "ordered_at"),
        *_columns(TIME, "started_at", "ended_at", null=True),
        *_columns(FLAG, "cancel_requested", "cleared"),
        *_columns(WHOLE, "version"),
        _key("jobs", "id"),
        _refers("jobs", "group", "groups.name"),
        _refers("jobs", "runtime_id", "runtimes.id"),
        _refers("jobs", "snapshot_id", "snapshots.id"),
        _index("ix_jobs_cleared_kind", "cleared", "kind"),
        _index("ix_jobs_group", "group"),
        _index("ix_jobs_runtime_id_state", "runtime_id", "state"),
        _index("ix_jobs_service", "service"),
    )


def _runs() -> None:
    op.create_table(
        "definitions",
        *_columns(TEXT, "id", "group", "kind", "key"),
        *_columns(WHOLE, "definition_version"),
        *_columns(TEXT, "name", "xml", "sha256"),
        *_columns(JSON, "start_signals"),
        *_columns(TEXT, "state", "uploaded_by"),
        *_columns(TIME, "uploaded_at"),
        *_columns(WHOLE, "version"),
        _key("definitions", "id"),
        _unique("definitions", "group", "key", "sha256"),
        _unique("definitions", "key", "definition_version"),
    )
    op.create_table(
        "runs",
        *_columns(TEXT, "id", "definition_id"),
        *_columns(TEXT, "business_key", null=True),
        *_columns(TEXT, "state"),
        *_columns(WHOLE, "revision", "history_length"),
        *_columns(TIME, "started_at"),
        *_columns(TEXT, "started_by"),
        *_columns(TIME, "ended_at", null=True),
        *_columns(TEXT, "outcome", null=True),
        *_columns(TEXT, "group", "definition_key"),
        _key("runs", "id"),
        _refers("runs", "definition_id", "definitions.id"),
        _refers("runs", "group", "groups.name"),
        _index(
            "uq_runs_active",
            "definition_key",
            "business_key",
            unique=True,
            where="state = 'active'",
        ),
    )
    op.create_table(
        "incidents",
        *_columns(TEXT, "id", "run_id", "token_id"),
        *_columns(TEXT, "job_id", null=True),
        *_columns(TEXT, "element", "code", "message"),
        *_columns(TIME, "created_at"),
        _key("incidents", "id"),
        _refers("incidents", "run_id", "runs.id"),
        _index("ix_incidents_run_id", "run_id"),
    )
    op.create_table(
        "run_headings",
        *_columns(TEXT, "run_id", "group", "definition_id", "definition", "definition_key"),
        *_columns(TEXT, "snapshot_id", "snapshot", "digest", "service", "author", null=True),
        *_columns(TIME, "started_at"),
        _key("run_headings", "run_id"),
        _refers("run_headings", "group", "groups.name"),
        _refers("run_headings", "run_id", "runs.id"),
        _index("ix_run_headings_group", "group"),
        _index("ix_run_headings_service", "service"),
        _index("ix_run_headings_snapshot_id", "snapshot_id"),
    )
    op.create_table(
        "run_history",
        *_columns(TEXT, "run_id"),
        *_columns(WHOLE, "sequence"),
        *_columns(TIME, "at"),
        *_columns(TEXT, "event"),
        *_columns(TEXT, "element", "token_id", "actor", null=True),
        *_columns(JSON, "data"),
        _key("run_history", "run_id", "sequence"),
        _refers("run_history", "run_id", "runs.id"),
    )
    op.create_table(
        "run_jobs",
        *_columns(TEXT, "id", "run_id", "token_id", "element", "kind"),
        *_columns(TEXT, "topic", null=True),
        *_columns(TEXT, "state"),
        *_columns(TIME, "due_at", "created_at"),
        *_columns(WHOLE, "attempt", "failures", "retries_left"),
        *_columns(TEXT, "lease_owner", null=True),
        *_columns(TIME, "lease_until", null=True),
        *_columns(JSON, "inputs", "headers"),
        *_columns(TEXT, "last_error", "period", null=True),
        *_columns(WHOLE, "repeats_left", null=True),
        _key("run_jobs", "id"),
        _refers("run_jobs", "run_id", "runs.id"),
        _index(
            "ix_run_jobs_leased", "lease_until", where="state = 'ready' AND lease_until IS NOT NULL"
        ),
        _index("ix_run_jobs_ready", "due_at", where="state = 'ready'"),
        _index("ix_run_jobs_run_id", "run_id"),
    )
    op.create_table(
        "run_tasks",
        *_columns(TEXT, "id", "run_id", "token_id", "element", "name", "state"),
        *_columns(TIME, "created_at"),
        *_columns(JSON, "candidate_roles", "candidate_people", "separate_from"),
        *_columns(TEXT, "assignee", null=True),
        *_columns(JSON, "form", null=True),
        *_columns(JSON, "inputs"),
        *_columns(TIME, "due_at", null=True),
        *_columns(WHOLE, "priority"),
        _key("run_tasks", "id"),
        _refers("run_tasks", "run_id", "runs.id"),
        _index("ix_run_tasks_run_id", "run_id"),
    )
    op.create_table(
        "run_tokens",
        *_columns(TEXT, "id", "run_id", "scope_id", "element", "state"),
        *_columns(TEXT, "incoming_flow", null=True),
        _key("run_tokens", "id"),
        _refers("run_tokens", "run_id", "runs.id"),
        _index("ix_run_tokens_run_id", "run_id"),
    )
    op.create_table(
        "scopes",
        *_columns(TEXT, "id", "run_id"),
        *_columns(TEXT, "parent_id", "token_id", null=True),
        *_columns(TEXT, "element", "kind"),
        _key("scopes", "id"),
        _refers("scopes", "run_id", "runs.id"),
        _index("ix_scopes_run_id", "run_id"),
    )
    op.create_table(
        "subscriptions",
        *_columns(TEXT, "id", "run_id", "token_id", "element", "kind", "name"),
        *_columns(TEXT, "correlation_key", null=True),
        *_columns(TIME, "created_at"),
        _key("subscriptions", "id"),
        _refers("subscriptions", "run_id", "runs.id"),
        _index("ix_subscriptions_kind_name_correlation_key", "kind", "name", "correlation_key"),
        _index("ix_subscriptions_run_id", "run_id"),
    )
    op.create_table(
        "tasks",
        *_columns(TEXT, "id", "group", "run_id", "element", "name", "state"),
        *_columns(JSON, "candidate_roles", "candidate_people", "separate_from"),
        *_columns(TEXT, "assignee", null=True),
        *_columns(JSON, "form", null=True),
        *_columns(JSON, "inputs"),
        *_columns(TEXT, "snapshot", "digest", null=True),
        *_columns(TIME, "due_at", null=True),
        *_columns(TIME, "created_at"),
        *_columns(JSON, "answers", null=True),
        *_columns(TEXT, "ended_by", null=True),
        *_columns(TIME, "ended_at", null=True),
        *_columns(WHOLE, "version"),
        _key("tasks", "id"),
        _refers("tasks", "group", "groups.name"),
        _refers("tasks", "run_id", "runs.id"),
        _index("ix_tasks_group_state", "group", "state"),
        _index("ix_tasks_run_id", "run_id"),
    )
    op.create_table(
        "variables",
        *_columns(TEXT, "run_id", "scope_id", "name"),
        *_columns(JSON, "value", null=True),
        _key("variables", "scope_id", "name"),
        _refers("variables", "run_id", "runs.id"),
        _index("ix_variables_run_id", "run_id"),
    )


def _unit() -> None:
    op.create_table(
        "audit",
        *_columns(TEXT, "id"),
        *_columns(TIME, "at"),
        *_columns(TEXT, "group", "actor", "actor_name"),
        *_columns(TEXT, "token_id", null=True),
        *_columns(TEXT, "action", "noun", "subject", "cause"),
        *_columns(JSON, "detail"),
        _key("audit", "id"),
        _index("ix_audit_group", "group"),
        _index("ix_audit_noun_subject", "noun", "subject"),
    )
    op.create_table(
        "calls",
        *_columns(TEXT, "person_id", "key", "request"),
        *_columns(JSON, "result", null=True),
        *_columns(TIME, "at"),
        _key("calls", "person_id", "key"),
    )
    op.create_table(
        "history",
        *_columns(SERIAL, "id"),
        *_columns(TEXT, "noun", "subject"),
        *_columns(JSON, "value"),
        *_columns(TIME, "since"),
        *_columns(TIME, "until", null=True),
        *_columns(TEXT, "actor", "cause"),
        *_columns(TEXT, "key", null=True),
        _key("history", "id"),
        _index("ix_history_noun_key_since", "noun", "key", "since"),
        _index("ix_history_noun_subject_id", "noun", "subject", "id"),
        _index("uq_history_open", "noun", "subject", unique=True, where="until IS NULL"),
    )
    op.create_table(
        "leases", *_columns(TEXT, "name", "owner"), *_columns(TIME, "until"), _key("leases", "name")
    )
    op.create_table(
        "outbox",
        *_columns(TEXT, "subscriber", "id", "type", "group", "subject"),
        *_columns(JSON, "payload"),
        *_columns(TIME, "at"),
        *_columns(TEXT, "lease_owner", null=True),
        *_columns(TIME, "lease_until", null=True),
        _key("outbox", "subscriber", "id"),
        _index("ix_outbox_subscriber_at", "subscriber", "at"),
    )
    op.create_table(
        "messages",
        *_columns(TEXT, "id", "group", "name", "correlation_key"),
        *_columns(JSON, "payload"),
        *_columns(TIME, "received_at", "expires_at"),
        *_columns(TIME, "taken_at", null=True),
        _key("messages", "id", "group"),
        _refers("messages", "group", "groups.name"),
        _index("ix_messages_expires_at", "expires_at"),
        _index(
            "ix_messages_waiting",
            "group",
            "name",
            "correlation_key",
            "received_at",
            where="taken_at IS NULL",
        ),
    )
