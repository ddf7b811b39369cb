"""Tables of course: declared content with its versions, replicas of siblings' facts, learners' progress.

Content is written by ``authoring`` alone, also under the operator's role. From ``enrolment`` on the rows
belong to learners and stay when a resource is deleted, unless its deletion policy says otherwise.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR, UUID

from kourse.kit.tables import moment_column, service_metadata, tenant_column

SCHEMA = "course"
metadata = service_metadata(SCHEMA)

course = Table(
    "course",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("name", Text, nullable=False),
    Column("lifecycle", Text, nullable=False),
    Column("current_version", Integer, nullable=False),
    Column("live_version", Integer),
    Column("visibility", Text, nullable=False),
    Column("enrolment_mode", Text, nullable=False),
    Column("policy", JSONB, nullable=False),
    moment_column("created_at"),
    moment_column("updated_at"),
    moment_column("retired_at", nullable=True),
    moment_column("purge_at", nullable=True),
    UniqueConstraint("tenant", "name"),
)
Index("ix_course_purge_at", course.c.purge_at, postgresql_where=course.c.purge_at.is_not(None))

prerequisite = Table(
    "prerequisite",
    metadata,
    tenant_column(),
    Column("course", Text, nullable=False),
    Column("requires", Text, nullable=False),
    Column("min_completion", SmallInteger, nullable=False),
    PrimaryKeyConstraint("tenant", "course", "requires"),
)

course_version = Table(
    "course_version",
    metadata,
    Column("course_id", UUID, ForeignKey(course.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    tenant_column(),
    Column("title", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("lifecycle", Text, nullable=False),
    Column("eligible", Boolean, nullable=False),
    Column("content", JSONB, nullable=False),
    moment_column("created_at"),
    moment_column("live_at", nullable=True),
    Column("search", TSVECTOR, Computed("course.search_vector(content)", persisted=True)),
    PrimaryKeyConstraint("course_id", "number"),
)


def _part_of_version() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["course_id", "version"],
        [course_version.c.course_id, course_version.c.number],
        ondelete="CASCADE",
    )


chapter = Table(
    "chapter",
    metadata,
    Column("course_id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("id", UUID, nullable=False),
    tenant_column(),
    Column("position", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text),
    PrimaryKeyConstraint("course_id", "version", "key"),
    _part_of_version(),
)

lesson = Table(
    "lesson",
    metadata,
    Column("course_id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("id", UUID, nullable=False),
    tenant_column(),
    Column("chapter", Text, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("minutes", SmallInteger, nullable=False),
    Column("skills", ARRAY(Text), nullable=False),
    Column("path", Text, nullable=False, server_default=text("'Main'")),
    Column("text", Text),
    Column("text_sha256", Text),
    Column("assets", JSONB, nullable=False),
    Column("practice", JSONB, nullable=False),
    PrimaryKeyConstraint("course_id", "version", "key"),
    _part_of_version(),
    CheckConstraint("(text IS NULL) <> (text_sha256 IS NULL)", name="one_text"),
)

skill = Table(
    "skill",
    metadata,
    Column("course_id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", Text, nullable=False),
    tenant_column(),
    Column("position", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("prerequisites", ARRAY(Text), nullable=False),
    Column("prior", SmallInteger, nullable=False),
    Column("learn", SmallInteger, nullable=False),
    Column("guess", SmallInteger, nullable=False),
    Column("slip", SmallInteger, nullable=False),
    Column("remediation_below", SmallInteger),
    Column("challenge_from", SmallInteger),
    PrimaryKeyConstraint("course_id", "version", "key"),
    _part_of_version(),
)

assignment = Table(
    "assignment",
    metadata,
    Column("course_id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("id", UUID, nullable=False),
    tenant_column(),
    Column("position", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("instructions", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("points", Integer, nullable=False),
    Column("skills", ARRAY(Text), nullable=False),
    Column("rubric", JSONB, nullable=False),
    PrimaryKeyConstraint("course_id", "version", "key"),
    _part_of_version(),
)

gate = Table(
    "gate",
    metadata,
    Column("course_id", UUID, ForeignKey(course.c.id, ondelete="CASCADE"), nullable=False),
    Column("chapter", Text, nullable=False),
    tenant_column(),
    Column("position", SmallInteger, nullable=False),
    Column("requires", JSONB, nullable=False),
    PrimaryKeyConstraint("course_id", "chapter"),
)

asset = Table(
    "asset",
    metadata,
    Column("course_id", UUID, ForeignKey(course.c.id, ondelete="CASCADE"), nullable=False),
    Column("sha256", Text, nullable=False),
    tenant_column(),
    Column("path", Text, nullable=False),
    Column("size_bytes", BigInteger),
    moment_column("declared_at"),
    moment_column("stored_at", nullable=True),
    PrimaryKeyConstraint("course_id", "sha256"),
)

cohort_replica = Table(
    "cohort_replica",
    metadata,
    Column("cohort_id", UUID, primary_key=True),
    tenant_column(),
    Column("cohort", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("courses", ARRAY(Text), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("dates", JSONB, nullable=False),
    Column("submissions_mib", Integer),
    moment_column("updated_at"),
    UniqueConstraint("tenant", "cohort"),
)

exam_replica = Table(
    "exam_replica",
    metadata,
    Column("exam_id", UUID, primary_key=True),
    tenant_column(),
    Column("exam", Text, nullable=False),
    Column("course", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    moment_column("opens_at", nullable=True),
    moment_column("closes_at", nullable=True),
    moment_column("updated_at"),
    UniqueConstraint("tenant", "exam"),
)
Index("ix_exam_replica_course", exam_replica.c.tenant, exam_replica.c.course)

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
    moment_column("updated_at"),
    PrimaryKeyConstraint("tenant", "learner_id", "course", "skill"),
)

score = Table(
    "score",
    metadata,
    Column("attempt_id", UUID, primary_key=True),
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("exam", Text, nullable=False),
    Column("run", Integer, nullable=False),
    Column("percent", Double, nullable=False),
    Column("passed", Boolean, nullable=False),
    moment_column("released_at"),
)
Index("ix_score_learner", score.c.tenant, score.c.learner_id, score.c.course)

enrolment = Table(
    "enrolment",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("course_id", UUID, ForeignKey(course.c.id), nullable=False),
    Column("run", Text, nullable=False),
    Column("cohort", Text),
    Column("cohort_id", UUID),
    Column("status", Text, nullable=False, server_default=text("'active'")),
    Column("labels", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    moment_column("created_at"),
    moment_column("active_at", nullable=True),
    moment_column("completed_at", nullable=True),
    Column("look_at", DateTime(timezone=True), server_default=text("'2000-01-01 00:00:00+00'")),
    UniqueConstraint("course_id", "learner_id", "run"),
    CheckConstraint("status IN ('active', 'suspended')", name="status"),
)
Index(
    "ix_enrolment_look_at", enrolment.c.look_at, postgresql_where=enrolment.c.look_at.is_not(None)
)
Index("ix_enrolment_learner", enrolment.c.tenant, enrolment.c.learner_id)
Index("ix_enrolment_course", enrolment.c.course_id, enrolment.c.status)
Index("ix_enrolment_cohort", enrolment.c.cohort_id)

lesson_visit = Table(
    "lesson_visit",
    metadata,
    Column("enrolment_id", UUID, ForeignKey(enrolment.c.id, ondelete="CASCADE"), nullable=False),
    Column("lesson_id", UUID, nullable=False),
    tenant_column(),
    Column("chapter", Text, nullable=False),
    moment_column("first_at"),
    PrimaryKeyConstraint("enrolment_id", "lesson_id"),
)

lesson_completion = Table(
    "lesson_completion",
    metadata,
    Column("enrolment_id", UUID, ForeignKey(enrolment.c.id, ondelete="CASCADE"), nullable=False),
    Column("lesson_id", UUID, nullable=False),
    tenant_column(),
    Column("version", Integer, nullable=False),
    moment_column("completed_at"),
    PrimaryKeyConstraint("enrolment_id", "lesson_id"),
)
