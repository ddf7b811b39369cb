"""Alembic's entry for the dashboard schema."""

from kourse.dashboard.tables import metadata
from kourse.kit.migrations import run

run("dashboard", metadata)
