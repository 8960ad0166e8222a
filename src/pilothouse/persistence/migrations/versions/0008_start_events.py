"""Start events that are armed, conditions that runs wait for, and what made a machine order a job."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
TIMED = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Make the table of start events, and arm the signals of the versions that groups use now."""
    op.add_column(
        "subscriptions", sa.Column("held", sa.Boolean(), nullable=True, server_default=sa.false())
    )
    op.add_column("jobs", sa.Column("cause", TEXT, nullable=False, server_default=sa.text("''")))
    op.create_table(
        "start_events",
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in ("id", "definition_id", "group", "key", "kind", "element", "name")
        ),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("period", TEXT, nullable=True),
        sa.Column("repeats_left", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", TEXT, nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_start_events")),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["definitions.id"], name=op.f("fk_start_events_definition_id")
        ),
    )
    op.create_index(op.f("ix_start_events_group_key"), "start_events", ["group", "key"])
    op.create_index(op.f("ix_start_events_kind_name"), "start_events", ["kind", "name"])
    op.create_index(
        "ix_start_events_due",
        "start_events",
        ["due_at"],
        sqlite_where=TIMED,
        postgresql_where=TIMED,
    )
    rows = _armed()
    if rows:
        op.bulk_insert(sa.table("start_events", *(sa.column(name) for name in rows[0])), rows)


def _armed() -> list[dict[str, Any]]:
    query = sa.text(
        'SELECT id, "group", key, start_signals FROM definitions '
        "WHERE kind = 'bpmn' AND state = 'active' ORDER BY definition_version"
    )
    latest = {(row.group, row.key): row for row in op.get_bind().execute(query)}
    return [
        {
            "id": f"sta_{row.id}_{number}",
            "definition_id": row.id,
            "group": row.group,
            "key": row.key,
            "kind": "signal",
            "element": "",
            "name": name,
            "attempt": 0,
        }
        for row in latest.values()
        for number, name in enumerate(_names(row.start_signals))
    ]


def _names(signals: Any) -> list[str]:  # noqa: ANN401 text on SQLite, a list on PostgreSQL
    return list(json.loads(signals) if isinstance(signals, str) else signals)


def downgrade() -> None:
    """
    Remove the table and the columns.

    Raises
    ------
    ValueError
        When a run waits for a condition, or a version starts by what revision 0007 does not start by.
    """
    waiting = "SELECT DISTINCT run_id AS name FROM subscriptions WHERE kind = 'condition'"
    _refuse("The runs {0} wait for conditions. Let them end, or cancel them.", waiting)
    armed = "SELECT DISTINCT key AS name FROM start_events WHERE kind <> 'signal'"
    cure = "The life cycles {0} start by timers, messages or conditions. Retire them."
    _refuse(cure, armed)
    op.drop_table("start_events")
    op.drop_column("jobs", "cause")
    op.drop_column("subscriptions", "held")


def _refuse(problem: str, query: str) -> None:
    names = sorted(row.name for row in op.get_bind().execute(sa.text(query)))
    if names:
        raise ValueError(f"{problem.format(', '.join(names[:10]))} Then go down again.")
