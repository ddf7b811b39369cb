"""Tables of what learners hand in: groups, files, receipts, extensions and what was told of closed work."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from kourse.course.tables.content import course, enrolment, metadata
from kourse.kit.tables import moment_column, tenant_column

calendar_mark = Table(
    "calendar_mark",
    metadata,
    Column("course_id", UUID, ForeignKey(course.c.id, ondelete="CASCADE"), primary_key=True),
    tenant_column(),
    moment_column("seen_at", stamped=False),
)

work_group = Table(
    "work_group",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("course_id", UUID, ForeignKey(course.c.id, ondelete="CASCADE"), nullable=False),
    Column("assignment_id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("assignment_id", "name"),
)

work_group_member = Table(
    "work_group_member",
    metadata,
    Column("group_id", UUID, ForeignKey(work_group.c.id, ondelete="CASCADE"), nullable=False),
    Column("learner_id", UUID, nullable=False),
    tenant_column(),
    Column("assignment_id", UUID, nullable=False),
    PrimaryKeyConstraint("group_id", "learner_id"),
    UniqueConstraint("assignment_id", "learner_id"),
)

submission = Table(
    "submission",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("course_id", UUID, nullable=False),
    Column("assignment_id", UUID, nullable=False),
    Column("assignment", Text, nullable=False),
    Column("owner", UUID, nullable=False),
    Column("enrolment_id", UUID, ForeignKey(enrolment.c.id, ondelete="CASCADE"), nullable=False),
    Column("learner_id", UUID, nullable=False),
    Column("cohort", Text),
    Column("hand_ins", Integer, nullable=False, server_default=text("0")),
    moment_column("created_at"),
    UniqueConstraint("assignment_id", "owner"),
)
Index(
    "ix_submission_course_id_assignment",
    *(submission.c[n] for n in ("course_id", "assignment", "id")),
)
Index("ix_submission_cohort", submission.c.tenant, submission.c.cohort)
Index("ix_submission_enrolment_id", submission.c.enrolment_id)


def _of_submission() -> Column[Any]:
    key = ForeignKey(submission.c.id, ondelete="CASCADE")
    return Column("submission_id", UUID, key, nullable=False)


submission_member = Table(
    "submission_member",
    metadata,
    _of_submission(),
    Column("learner_id", UUID, nullable=False),
    tenant_column(),
    Column("assignment_id", UUID, nullable=False),
    Column("enrolment_id", UUID, nullable=False),
    PrimaryKeyConstraint("submission_id", "learner_id"),
    UniqueConstraint("assignment_id", "enrolment_id"),
)
Index("ix_submission_member_enrolment_id", submission_member.c.enrolment_id)

draft_file = Table(
    "draft_file",
    metadata,
    Column("id", UUID, primary_key=True),
    _of_submission(),
    tenant_column(),
    Column("name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("key", Text),
    Column("version_id", Text),
    moment_column("offered_at"),
    moment_column("stored_at", nullable=True),
    CheckConstraint("(stored_at IS NULL) = (key IS NULL)", name="stored"),
)
Index("ix_draft_file_submission_id", draft_file.c.submission_id)

hand_in = Table(
    "hand_in",
    metadata,
    _of_submission(),
    Column("number", Integer, nullable=False),
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("members", ARRAY(UUID), nullable=False),
    Column("files", JSONB, nullable=False),
    Column("statement", Text),
    Column("link", Text),
    Column("version", Integer, nullable=False),
    moment_column("handed_in_at", stamped=False),
    Column("late", Boolean, nullable=False),
    moment_column("due_at", nullable=True),
    moment_column("closes_at", nullable=True),
    PrimaryKeyConstraint("submission_id", "number"),
)
"""Receipts: the application may add and read them, and nobody may change them."""

extension = Table(
    "extension",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("course_id", UUID, ForeignKey(course.c.id, ondelete="CASCADE"), nullable=False),
    Column("assignment_id", UUID, nullable=False),
    Column("learner_id", UUID),
    Column("cohort", Text),
    moment_column("due_at", nullable=True),
    moment_column("closes_at", nullable=True),
    Column("reason", Text, nullable=False),
    Column("actor_id", UUID, nullable=False),
    moment_column("given_at"),
    CheckConstraint("(learner_id IS NULL) <> (cohort IS NULL)", name="target"),
    CheckConstraint("due_at IS NOT NULL OR closes_at IS NOT NULL", name="dates"),
)
Index("ix_extension_assignment_id", extension.c.assignment_id, extension.c.id)

accommodation = Table(
    "accommodation",
    metadata,
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("extra_hours", Integer, nullable=False),
    PrimaryKeyConstraint("tenant", "learner_id", "course"),
)
"""How much later all assignments of a course are due and closed for a learner; assessment grants it."""

expiry = Table(
    "expiry",
    metadata,
    Column("enrolment_id", UUID, ForeignKey(enrolment.c.id, ondelete="CASCADE"), nullable=False),
    Column("assignment_id", UUID, nullable=False),
    tenant_column(),
    moment_column("closes_at", stamped=False),
    PrimaryKeyConstraint("enrolment_id", "assignment_id"),
)
