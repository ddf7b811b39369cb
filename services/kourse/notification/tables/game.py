"""Tables of the game: the points ledger, and what was won by it."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from kourse.kit.tables import moment_column, tenant_column
from kourse.notification.tables.schema import metadata

board_place = Table(
    "board_place",
    metadata,
    tenant_column(),
    Column("cohort_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    moment_column("chosen_at"),
    PrimaryKeyConstraint("tenant", "cohort_id", "learner_id"),
)

points_entry = Table(
    "points_entry",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("reason", Text, nullable=False),
    Column("subject", UUID, nullable=False),
    Column("points", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("course", Text, nullable=False),
    Column("source_event", UUID, nullable=False),
    moment_column("earned_at"),
    UniqueConstraint("tenant", "source_event", "reason"),
)
Index(
    "ix_points_entry_deed",
    points_entry.c.tenant,
    points_entry.c.learner_id,
    points_entry.c.reason,
    points_entry.c.subject,
    points_entry.c.earned_at,
    points_entry.c.source_event,
)
Index(
    "ix_points_entry_course",
    points_entry.c.tenant,
    points_entry.c.course,
    points_entry.c.learner_id,
)

badge_sheet = Table(
    "badge_sheet",
    metadata,
    tenant_column(),
    Column("course_id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("course", Text, nullable=False),
    Column("badges", JSONB, nullable=False),
    moment_column("since_at", stamped=False),
    PrimaryKeyConstraint("tenant", "course_id", "version"),
)
Index("ix_badge_sheet_course", badge_sheet.c.tenant, badge_sheet.c.course)

won_badge = Table(
    "won_badge",
    metadata,
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("badge_id", UUID, nullable=False),
    Column("badge", Text, nullable=False),
    Column("course_id", UUID),
    Column("course", Text),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    moment_column("won_at", stamped=False),
    PrimaryKeyConstraint("tenant", "learner_id", "badge_id"),
)

reached_level = Table(
    "reached_level",
    metadata,
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("level", Integer, nullable=False),
    moment_column("reached_at", stamped=False),
    PrimaryKeyConstraint("tenant", "learner_id", "level"),
)

review = Table(
    "review",
    metadata,
    Column("id", UUID, primary_key=True, server_default=text("gen_random_uuid()")),
    tenant_column(),
    Column("learner_id", UUID),
    Column("course", Text),
    moment_column("asked_at"),
    CheckConstraint("num_nonnulls(learner_id, course) = 1", name="subject"),
)
Index("ix_review_asked_at", review.c.tenant, review.c.asked_at)
