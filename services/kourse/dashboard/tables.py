"""Tables of the dashboard: what events told of courses and of those who study them. It owns no facts."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from kourse.kit.erasure import Remove, Rules
from kourse.kit.tables import moment_column, service_metadata, tenant_column

metadata = service_metadata("dashboard")

course = Table(
    "course",
    metadata,
    tenant_column(),
    Column("course_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("lessons", Integer, nullable=False),
    Column("skills", JSONB, nullable=False),
    PrimaryKeyConstraint("tenant", "course_id"),
    UniqueConstraint("tenant", "course"),
)
"""A published course: how many lessons its main path has, and its skills as pairs of key and title."""

study = Table(
    "study",
    metadata,
    tenant_column(),
    Column("enrolment_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    Column("course_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    Column("cohort", Text),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("completed", Integer, nullable=False, server_default=text("0")),
    moment_column("began_at", stamped=False),
    moment_column("completed_at", nullable=True),
    Column("risks", JSONB, nullable=False, server_default=text("'[]'")),
    moment_column("at_risk_at", nullable=True),
    moment_column("look_at", nullable=True),
    PrimaryKeyConstraint("tenant", "enrolment_id"),
)
"""One learner in one run of a course. ``risks`` holds pairs of rule and reason; at ``look_at`` the rules are
applied again."""
Index("ix_study_course", study.c.tenant, study.c.course, study.c.learner_id)
Index(
    "ix_study_cohort",
    study.c.tenant,
    study.c.cohort,
    study.c.course,
    study.c.learner_id,
    postgresql_where=text("cohort IS NOT NULL"),
)
Index("ix_study_learner", study.c.tenant, study.c.learner_id)
Index(
    "ix_study_at_risk",
    study.c.tenant,
    study.c.course,
    study.c.learner_id,
    postgresql_where=text("at_risk_at IS NOT NULL"),
)
Index("ix_study_look_at", study.c.look_at, postgresql_where=text("look_at IS NOT NULL"))

standing = Table(
    "standing",
    metadata,
    tenant_column(),
    Column("course", Text, nullable=False),
    Column("learner_id", UUID, nullable=False),
    moment_column("active_at", nullable=True),
    Column("skills", JSONB, nullable=False, server_default=text("'{}'")),
    Column("mastery", Double),
    PrimaryKeyConstraint("tenant", "course", "learner_id"),
)
"""What a learner did and knows in a course, whichever run of it: mastery stays when it is repeated."""
Index("ix_standing_learner", standing.c.tenant, standing.c.learner_id)

work = Table(
    "work",
    metadata,
    tenant_column(),
    Column("work_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    Column("course", Text, nullable=False),
    moment_column("submitted_at", nullable=True),
    moment_column("released_at", nullable=True),
    Column("percent", Double),
    PrimaryKeyConstraint("tenant", "work_id", "learner_id"),
)
"""An attempt or a submission: when it was handed in, and the score that its learner may know."""
Index(
    "ix_work_learner",
    work.c.tenant,
    work.c.learner_id,
    work.c.course,
    work.c.released_at,
)
Index(
    "ix_work_released_at",
    work.c.tenant,
    work.c.course,
    work.c.released_at,
    postgresql_where=text("released_at IS NOT NULL"),
)

missed = Table(
    "missed",
    metadata,
    tenant_column(),
    Column("enrolment_id", UUID, nullable=False),
    Column("assignment_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    PrimaryKeyConstraint("tenant", "enrolment_id", "assignment_id"),
)
"""An assignment that closed without a hand-in."""
Index("ix_missed_learner", missed.c.tenant, missed.c.learner_id)

ERASURE: Rules = {name: Remove("learner_id") for name in ("study", "standing", "work", "missed")}
"""What becomes of the rows about a person whose account is deleted."""
