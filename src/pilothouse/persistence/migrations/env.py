"""Runs migrations on the connection that `pilothouse.persistence.schema` hands over."""

from __future__ import annotations

from alembic import context

from pilothouse.persistence.tables import EVERY_TABLE


def run() -> None:
    """Run what was asked for, inside the caller's transaction."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=EVERY_TABLE,
        render_as_batch=True,
    )
    context.run_migrations()


if hasattr(
    context, "config"
):  # Alembic is running; to everybody else this is a module like any other
    run()
