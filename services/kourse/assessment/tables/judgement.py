"""Tables of what people and the judge decide: programs judged, reviews, corrected keys, accommodations."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from kourse.assessment.tables.attempts import Exact, attempt_item, exam, metadata
from kourse.kit.tables import moment_column, tenant_column

review = Table(
    "review",
    metadata,
    Column("attempt_id", UUID, nullable=False),
    Column("slot", SmallInteger, nullable=False),
    tenant_column(),
    Column("exam_id", UUID, nullable=False),
    Column("cohort", Text),
    moment_column("requested_at", stamped=False),
    Column("claimed_by", UUID),
    moment_column("claimed_until", nullable=True),
    moment_column("decided_at", nullable=True),
    PrimaryKeyConstraint("attempt_id", "slot"),
    ForeignKeyConstraint(
        ["attempt_id", "slot"],
        [attempt_item.c.attempt_id, attempt_item.c.slot],
        ondelete="CASCADE",
    ),
)
Index("ix_review_exam_id", review.c.exam_id, review.c.attempt_id, review.c.slot)

decision = Table(
    "decision",
    metadata,
    Column("attempt_id", UUID, nullable=False),
    Column("slot", SmallInteger, nullable=False),
    Column("number", Integer, nullable=False),
    tenant_column(),
    Column("kind", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("question_version_id", UUID, nullable=False),
    Column("marks", JSONB(none_as_null=True)),
    Column("share", Exact, nullable=False),
    Column("comment", Text),
    Column("reason", Text),
    Column("grader_id", UUID, nullable=False),
    moment_column("decided_at", stamped=False),
    PrimaryKeyConstraint("attempt_id", "slot", "number"),
    ForeignKeyConstraint(
        ["attempt_id", "slot"],
        [attempt_item.c.attempt_id, attempt_item.c.slot],
        ondelete="CASCADE",
    ),
    CheckConstraint("kind IN ('rubric', 'override')", name="kind"),
    CheckConstraint("(kind = 'rubric') = (marks IS NOT NULL)", name="marks"),
    CheckConstraint("(kind = 'override') = (reason IS NOT NULL)", name="reason"),
)
"""Decisions: the application may add and read them, and nobody may change them."""

judging = Table(
    "judging",
    metadata,
    Column("attempt_id", UUID, nullable=False),
    Column("slot", SmallInteger, nullable=False),
    Column("question_version_id", UUID, nullable=False),
    Column("seq", BigInteger, nullable=False),
    tenant_column(),
    moment_column("queued_at"),
    moment_column("due_at"),
    Column("failures", SmallInteger, nullable=False, server_default=text("0")),
    moment_column("judged_at", nullable=True),
    Column("results", JSONB(none_as_null=True)),
    Column("problem", Text),
    PrimaryKeyConstraint("attempt_id", "slot", "question_version_id", "seq"),
    ForeignKeyConstraint(
        ["attempt_id", "slot"],
        [attempt_item.c.attempt_id, attempt_item.c.slot],
        ondelete="CASCADE",
    ),
)
"""An answer with a program, by the version whose tests count: it waits until ``due_at``, then anybody may
take it, who moves ``due_at`` on; what it came to stands there once ``judged_at`` does."""
Index("ix_judging_due", judging.c.due_at, postgresql_where=judging.c.judged_at.is_(None))

correction = Table(
    "correction",
    metadata,
    Column("exam_id", UUID, ForeignKey(exam.c.id, ondelete="CASCADE"), nullable=False),
    Column("question_id", UUID, nullable=False),
    tenant_column(),
    Column("question_version_id", UUID),
    moment_column("corrected_at"),
    PrimaryKeyConstraint("exam_id", "question_id"),
)
"""The version of a question whose key counts in an exam from now on; none where it is voided."""

regrade = Table(
    "regrade",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("exam_id", UUID, ForeignKey(exam.c.id, ondelete="CASCADE"), nullable=False),
    Column("corrections", JSONB, nullable=False),
    Column("mode", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor_id", UUID, nullable=False),
    Column("state", Text, nullable=False),
    Column("after", UUID),
    Column("examined", Integer, nullable=False, server_default=text("0")),
    Column("changed", Integer, nullable=False, server_default=text("0")),
    moment_column("planned_at"),
    moment_column("applied_at", nullable=True),
    CheckConstraint("mode IN ('HigherOnly', 'Replace')", name="mode"),
    CheckConstraint("state IN ('PLANNED', 'APPLYING', 'APPLIED')", name="state"),
)
Index("ix_regrade_applying", regrade.c.id, postgresql_where=regrade.c.state == text("'APPLYING'"))
Index("ix_regrade_exam_id", regrade.c.exam_id, regrade.c.id)

accommodation = Table(
    "accommodation",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("exam_id", UUID, ForeignKey(exam.c.id, ondelete="CASCADE")),
    Column("time_factor", Exact),
    Column("extra_attempts", Integer),
    Column("extra_hours", Integer),
    moment_column("opens_at", nullable=True),
    moment_column("due_at", nullable=True),
    moment_column("closes_at", nullable=True),
    Column("reason", Text, nullable=False),
    Column("actor_id", UUID, nullable=False),
    moment_column("updated_at"),
    UniqueConstraint(
        "tenant", "course", "learner_id", "exam_id", postgresql_nulls_not_distinct=True
    ),
)
"""What one learner is granted in all exams of a course, or in one; the narrower wins field by field."""
