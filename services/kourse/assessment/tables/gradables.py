"""Tables of hand-ins that are graded: assignments as courses publish them, gradables and their grading runs."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from kourse.assessment.tables.attempts import Exact, metadata
from kourse.kit.tables import moment_column, tenant_column

assignment_replica = Table(
    "assignment_replica",
    metadata,
    Column("assignment_id", UUID, primary_key=True),
    tenant_column(),
    Column("course", Text, nullable=False),
    Column("assignment", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("points", Integer, nullable=False),
    Column("rubric", JSONB, nullable=False),
    Column("late_policy", JSONB, nullable=False),
    Column("release", Text, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    UniqueConstraint("tenant", "course", "assignment"),
)

gradable = Table(
    "gradable",
    metadata,
    Column("submission_id", UUID, primary_key=True),
    tenant_column(),
    Column("course", Text, nullable=False),
    Column("course_id", UUID, nullable=False),
    Column("assignment", Text, nullable=False),
    Column("assignment_id", UUID, nullable=False),
    Column("cohort", Text),
    Column("number", Integer, nullable=False),
    moment_column("submitted_at", stamped=False),
    moment_column("due_at", nullable=True),
    Column("run", Integer, nullable=False, server_default=text("0")),
    Column("graded_number", Integer, nullable=False, server_default=text("0")),
    Column("released_run", Integer, nullable=False, server_default=text("0")),
)
Index(
    "ix_gradable_tenant_course_assignment",
    *(gradable.c[name] for name in ("tenant", "course", "assignment", "submission_id")),
)

gradable_member = Table(
    "gradable_member",
    metadata,
    Column(
        "submission_id",
        UUID,
        ForeignKey(gradable.c.submission_id, ondelete="CASCADE"),
        nullable=False,
    ),
    Column("learner_id", UUID, nullable=False),
    tenant_column(),
    Column("enrolment_id", UUID, nullable=False),
    PrimaryKeyConstraint("submission_id", "learner_id"),
)
Index("ix_gradable_member_enrolment_id", gradable_member.c.enrolment_id)

gradable_run = Table(
    "gradable_run",
    metadata,
    Column(
        "submission_id",
        UUID,
        ForeignKey(gradable.c.submission_id, ondelete="CASCADE"),
        nullable=False,
    ),
    Column("run", Integer, nullable=False),
    tenant_column(),
    Column("number", Integer, nullable=False),
    Column("grader_id", UUID, nullable=False),
    Column("marks", JSONB, nullable=False),
    Column("comment", Text),
    Column("rubric", JSONB, nullable=False),
    Column("late_policy", JSONB, nullable=False),
    Column("earned", Exact, nullable=False),
    Column("deduction", Exact, nullable=False),
    Column("override", Exact),
    Column("reason", Text),
    Column("points", Exact, nullable=False),
    Column("max_points", Integer, nullable=False),
    moment_column("graded_at", stamped=False),
    PrimaryKeyConstraint("submission_id", "run"),
    CheckConstraint("(override IS NULL) = (reason IS NULL)", name="override"),
)
"""Grading runs: the application may add and read them, and nobody may change them."""
