"""The unit of work on SQLAlchemy Core: SQLite and PostgreSQL from one set of tables."""

from __future__ import annotations
