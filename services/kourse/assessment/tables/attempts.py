"""Tables of assessment: declared content, replicas of siblings' facts, and what learners did.

Declared content and its versions are written by ``authoring`` alone, also under the operator's role.
Everything below ``attempt`` belongs to learners and goes when its exam is deleted for good. Points and
shares are exact rationals (``Exact``), as a third of a point has no finite decimal.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from kourse.kit.tables import moment_column, service_metadata, tenant_column

SCHEMA = "assessment"
metadata = service_metadata(SCHEMA)


class Exact(TypeDecorator[Fraction]):
    """An exact rational, stored as ``numerator/denominator``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Fraction | None, dialect: Any) -> str | None:  # noqa: ARG002
        """The fraction as text."""
        return None if value is None else f"{value.numerator}/{value.denominator}"

    def process_result_value(self, value: str | None, dialect: Any) -> Fraction | None:  # noqa: ARG002
        """The text as a fraction."""
        return None if value is None else Fraction(value)


pool = Table(
    "pool",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("course", Text),
    Column("labels", ARRAY(Text), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    moment_column("updated_at"),
    moment_column("retired_at", nullable=True),
    UniqueConstraint("tenant", "name"),
)

question = Table(
    "question",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("pool_id", UUID, ForeignKey(pool.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("version_id", UUID, nullable=False),
    Column("type", Text, nullable=False),
    Column("difficulty", SmallInteger, nullable=False),
    Column("skills", ARRAY(Text), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    moment_column("removed_at", nullable=True),
    UniqueConstraint("pool_id", "key"),
)

question_version = Table(
    "question_version",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("question_id", UUID, ForeignKey(question.c.id, ondelete="CASCADE"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    moment_column("created_at"),
    UniqueConstraint("question_id", "digest"),
)

exam = Table(
    "exam",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("name", Text, nullable=False),
    Column("course", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("version_id", UUID, nullable=False),
    Column("digest", Text, nullable=False),
    Column("policy", JSONB, nullable=False),
    Column("reach_pending", Boolean, nullable=False, server_default=text("false")),
    moment_column("updated_at"),
    moment_column("retired_at", nullable=True),
    UniqueConstraint("tenant", "name"),
)
Index("ix_exam_tenant_course", exam.c.tenant, exam.c.course)
Index("ix_exam_reach_pending", exam.c.id, postgresql_where=exam.c.reach_pending)

exam_version = Table(
    "exam_version",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("exam_id", UUID, ForeignKey(exam.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    moment_column("created_at"),
    UniqueConstraint("exam_id", "number"),
)

course_replica = Table(
    "course_replica",
    metadata,
    tenant_column(),
    Column("course", Text, nullable=False),
    Column("course_id", UUID, nullable=False),
    Column("title", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("skills", JSONB, nullable=False),
    Column("categories", JSONB, nullable=False),
    Column("lessons", JSONB, nullable=False),
    Column("adaptivity", JSONB, nullable=False),
    Column("refold_after", UUID),
    moment_column("updated_at"),
    PrimaryKeyConstraint("tenant", "course"),
)
Index(
    "ix_course_replica_refolding",
    course_replica.c.course_id,
    postgresql_where=course_replica.c.refold_after.is_not(None),
)

cohort_replica = Table(
    "cohort_replica",
    metadata,
    tenant_column(),
    Column("cohort", Text, nullable=False),
    Column("cohort_id", UUID, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("dates", JSONB, nullable=False),
    moment_column("updated_at"),
    PrimaryKeyConstraint("tenant", "cohort"),
)

enrolment_replica = Table(
    "enrolment_replica",
    metadata,
    Column("enrolment_id", UUID, primary_key=True),
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("cohort", Text),
    Column("labels", ARRAY(Text), nullable=False),
)
Index(
    "ix_enrolment_replica_tenant_learner_id_course",
    enrolment_replica.c.tenant,
    enrolment_replica.c.learner_id,
    enrolment_replica.c.course,
)
Index(
    "ix_enrolment_replica_tenant_course_learner_id",
    enrolment_replica.c.tenant,
    enrolment_replica.c.course,
    enrolment_replica.c.learner_id,
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("exam_id", UUID, ForeignKey(exam.c.id, ondelete="CASCADE"), nullable=False),
    Column("exam_version_id", UUID, ForeignKey(exam_version.c.id), nullable=False),
    Column("learner_id", UUID, nullable=False),
    Column("enrolment_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("cohort", Text),
    Column("number", Integer, nullable=False),
    Column("seed", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    moment_column("started_at", stamped=False),
    moment_column("deadline_at", nullable=True),
    moment_column("submitted_at", nullable=True),
    Column("cause", Text),
    Column("answers_digest", Text),
    Column("run", Integer, nullable=False, server_default=text("0")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("exam_id", "learner_id", "number"),
    CheckConstraint(
        "state IN ('IN_PROGRESS', 'SUBMITTED', 'UNDER_REVIEW', 'GRADED', 'VOIDED')", name="state"
    ),
    CheckConstraint("state = 'IN_PROGRESS' OR submitted_at IS NOT NULL", name="submitted"),
)
_RUNNING = attempt.c.state == text("'IN_PROGRESS'")
Index(
    "uq_attempt_running",
    attempt.c.exam_id,
    attempt.c.learner_id,
    unique=True,
    postgresql_where=_RUNNING,
)
Index("ix_attempt_overdue", attempt.c.deadline_at, postgresql_where=_RUNNING)
Index(
    "ix_attempt_ungraded",
    attempt.c.submitted_at,
    postgresql_where=attempt.c.state == text("'SUBMITTED'"),
)
Index("ix_attempt_exam_version_id", attempt.c.exam_version_id)


def _of_attempt(*, primary_key: bool = False) -> Column[Any]:
    return Column(
        "attempt_id",
        UUID,
        ForeignKey(attempt.c.id, ondelete="CASCADE"),
        nullable=False,
        primary_key=primary_key,
    )


attempt_item = Table(
    "attempt_item",
    metadata,
    _of_attempt(),
    Column("slot", SmallInteger, nullable=False),
    tenant_column(),
    Column("zone", Text, nullable=False),
    Column("question_id", UUID, nullable=False),
    Column("question_version_id", UUID, ForeignKey(question_version.c.id), nullable=False),
    Column("points", Integer, nullable=False),
    Column("layout", JSONB, nullable=False),
    PrimaryKeyConstraint("attempt_id", "slot"),
)
Index("ix_attempt_item_question_version_id", attempt_item.c.question_version_id)

answer = Table(
    "answer",
    metadata,
    _of_attempt(),
    Column("slot", SmallInteger, nullable=False),
    tenant_column(),
    Column("seq", BigInteger, nullable=False),
    Column("body", JSONB(none_as_null=True)),
    moment_column("saved_at", stamped=False),
    PrimaryKeyConstraint("attempt_id", "slot"),
)

answer_revision = Table(
    "answer_revision",
    metadata,
    _of_attempt(),
    Column("slot", SmallInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    tenant_column(),
    Column("body", JSONB(none_as_null=True)),
    moment_column("saved_at", stamped=False),
    PrimaryKeyConstraint("attempt_id", "slot", "seq"),
)

grading_run = Table(
    "grading_run",
    metadata,
    _of_attempt(),
    Column("run", Integer, nullable=False),
    tenant_column(),
    Column("grader", Text, nullable=False),
    Column("points", Exact, nullable=False),
    Column("max_points", Integer, nullable=False),
    moment_column("graded_at", stamped=False),
    PrimaryKeyConstraint("attempt_id", "run"),
)

grading_item = Table(
    "grading_item",
    metadata,
    Column("attempt_id", UUID, nullable=False),
    Column("run", Integer, nullable=False),
    Column("slot", SmallInteger, nullable=False),
    tenant_column(),
    Column("question_version_id", UUID, nullable=False),
    Column("share", Exact, nullable=False),
    Column("points", Integer, nullable=False),
    Column("basis", Text, nullable=False, server_default=text("'key'")),
    Column("decision", Integer),
    PrimaryKeyConstraint("attempt_id", "run", "slot"),
    ForeignKeyConstraint(
        ["attempt_id", "run"],
        [grading_run.c.attempt_id, grading_run.c.run],
        ondelete="CASCADE",
    ),
)

score = Table(
    "score",
    metadata,
    _of_attempt(primary_key=True),
    tenant_column(),
    Column("exam_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("run", Integer, nullable=False),
    Column("points", Exact, nullable=False),
    Column("max_points", Integer, nullable=False),
    Column("passed", Boolean, nullable=False),
    moment_column("graded_at", stamped=False),
    moment_column("release_due_at", nullable=True),
    moment_column("released_at", nullable=True),
    moment_column("answers_released_at", nullable=True),
)
Index("ix_score_release", score.c.release_due_at, postgresql_where=score.c.released_at.is_(None))
Index("ix_score_tenant_course_learner_id", score.c.tenant, score.c.course, score.c.learner_id)
Index("ix_score_tenant_learner_id", score.c.tenant, score.c.learner_id)
Index("ix_score_exam_id", score.c.exam_id)

answer_log = Table(
    "answer_log",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("question_id", UUID, nullable=False),
    Column("question_version_id", UUID, nullable=False),
    Column("skills", ARRAY(Text), nullable=False),
    Column("source", Text, nullable=False),
    Column("source_id", UUID, nullable=False),
    Column("slot", SmallInteger, nullable=False),
    Column("answer", JSONB(none_as_null=True)),
    Column("share", Exact, nullable=False),
    Column("correct", Boolean, nullable=False),
    moment_column("at", stamped=False),
    UniqueConstraint("source_id", "slot"),
    CheckConstraint("source IN ('practice', 'exam')", name="source"),
)
Index(
    "ix_answer_log_fold",
    answer_log.c.tenant,
    answer_log.c.learner_id,
    answer_log.c.course,
    answer_log.c.at,
    answer_log.c.source_id,
    answer_log.c.slot,
)

mastery = Table(
    "mastery",
    metadata,
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("skill", Text, nullable=False),
    Column("probability", Double, nullable=False),
    Column("answers", Integer, nullable=False),
    Column("band", Text, nullable=False),
    Column("below", Integer, nullable=False),
    Column("basis", Text, nullable=False, server_default=text("''")),
    moment_column("updated_at"),
    PrimaryKeyConstraint("tenant", "learner_id", "course", "skill"),
)
Index("ix_mastery_course", mastery.c.tenant, mastery.c.course, mastery.c.learner_id)
