"""Tables of what siblings have told: courses, cohorts and who is in them, and what dates depend on."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from kourse.kit.tables import moment_column, tenant_column
from kourse.notification.tables.schema import metadata

course = Table(
    "course",
    metadata,
    tenant_column(),
    Column("course_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("time_zone", Text, nullable=False),
    PrimaryKeyConstraint("tenant", "course_id"),
)

cohort = Table(
    "cohort",
    metadata,
    tenant_column(),
    Column("cohort_id", UUID, nullable=False),
    Column("cohort", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("courses", ARRAY(Text)),
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("time_zone", Text),
    Column("dates", JSONB),
    PrimaryKeyConstraint("tenant", "cohort_id"),
)
Index("ix_cohort_cohort", cohort.c.tenant, cohort.c.cohort)

cohort_member = Table(
    "cohort_member",
    metadata,
    tenant_column(),
    Column("cohort_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    PrimaryKeyConstraint("tenant", "cohort_id", "learner_id"),
)
Index("ix_cohort_member_learner_id", cohort_member.c.tenant, cohort_member.c.learner_id)

enrolment = Table(
    "enrolment",
    metadata,
    tenant_column(),
    Column("enrolment_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    Column("course_id", UUID, nullable=False),
    Column("cohort", Text),
    Column("cohort_id", UUID),
    Column("labels", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    moment_column("began_at"),
    moment_column("look_at", nullable=True),
    PrimaryKeyConstraint("tenant", "enrolment_id"),
)
Index("ix_enrolment_look_at", enrolment.c.look_at)
Index("ix_enrolment_learner_id", enrolment.c.tenant, enrolment.c.learner_id)
Index("ix_enrolment_cohort_id", enrolment.c.tenant, enrolment.c.cohort_id)
Index("ix_enrolment_course_id", enrolment.c.tenant, enrolment.c.course_id, enrolment.c.learner_id)

task = Table(
    "task",
    metadata,
    tenant_column(),
    Column("task_id", UUID, nullable=False),
    Column("type", Text, nullable=False),
    Column("course_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("dates", JSONB, nullable=False),
    Column("overrides", JSONB, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("tenant", "task_id"),
)
Index("ix_task_course_id", task.c.tenant, task.c.course_id)

extension = Table(
    "extension",
    metadata,
    tenant_column(),
    Column("enrolment_id", UUID, nullable=False),
    Column("task_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    moment_column("due_at", stamped=False),
    PrimaryKeyConstraint("tenant", "enrolment_id", "task_id"),
)

accommodation = Table(
    "accommodation",
    metadata,
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("course_id", UUID, nullable=False),
    Column("extra_hours", Integer, nullable=False),
    PrimaryKeyConstraint("tenant", "learner_id", "course_id"),
)

hand_in = Table(
    "hand_in",
    metadata,
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    Column("task_id", UUID, nullable=False),
    Column("work_id", UUID, nullable=False),
    Column("cohort", Text),
    PrimaryKeyConstraint("tenant", "learner_id", "task_id", "work_id"),
)
