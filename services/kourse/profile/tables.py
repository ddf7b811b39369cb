"""Tables of profile: declared cohorts, a replica of courses, and what belongs to people.

Cohorts with their dates and meetings are written by ``authoring`` alone, also under the operator's
role. Profiles, goals, codes and memberships are run-time facts that no manifest holds.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from kourse.kit.erasure import Keep, Remove, Rules
from kourse.kit.tables import moment_column, service_metadata, tenant_column

SCHEMA = "profile"
metadata = service_metadata(SCHEMA)

cohort = Table(
    "cohort",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("courses", ARRAY(Text), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("seats", Integer, nullable=False),
    Column("join_policy", Text, nullable=False),
    Column("code_valid_days", Integer, nullable=False),
    Column("rules", JSONB, nullable=False),
    moment_column("created_at"),
    moment_column("updated_at"),
    moment_column("retired_at", nullable=True),
    moment_column("purge_at", nullable=True),
    UniqueConstraint("tenant", "name"),
)
Index("ix_cohort_purge_at", cohort.c.purge_at, postgresql_where=cohort.c.purge_at.is_not(None))

cohort_date = Table(
    "cohort_date",
    metadata,
    Column("cohort_id", UUID, ForeignKey(cohort.c.id, ondelete="CASCADE"), nullable=False),
    Column("course", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    tenant_column(),
    moment_column("opens_at", nullable=True),
    moment_column("due_at", nullable=True),
    moment_column("closes_at", nullable=True),
    PrimaryKeyConstraint("cohort_id", "course", "kind", "key"),
    CheckConstraint("kind IN ('assignment', 'exam')", name="kind"),
)

meeting = Table(
    "meeting",
    metadata,
    Column("cohort_id", UUID, ForeignKey(cohort.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    tenant_column(),
    Column("position", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("starts", Text, nullable=False),
    Column("minutes", SmallInteger, nullable=False),
    Column("rrule", Text),
    Column("exceptions", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("cohort_id", "key"),
)

course_replica = Table(
    "course_replica",
    metadata,
    tenant_column(),
    Column("course", Text, nullable=False),
    Column("course_id", UUID, nullable=False),
    Column("title", Text, nullable=False),
    Column("version", Integer, nullable=False),
    moment_column("updated_at"),
    PrimaryKeyConstraint("tenant", "course"),
)

profile = Table(
    "profile",
    metadata,
    tenant_column(),
    Column("user_id", UUID, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("level", Text, nullable=False, server_default=text("'Beginner'")),
    Column("pace", Text, nullable=False, server_default=text("'Steady'")),
    Column("time_zone", Text, nullable=False, server_default=text("'UTC'")),
    Column("locale", Text, nullable=False),
    Column("preferences", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    moment_column("created_at"),
    moment_column("updated_at"),
    PrimaryKeyConstraint("tenant", "user_id"),
)

goal = Table(
    "goal",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("user_id", UUID, nullable=False),
    Column("title", Text, nullable=False),
    Column("course", Text),
    Column("target_on", Date),
    moment_column("achieved_at", nullable=True),
    moment_column("created_at"),
)
Index("ix_goal_user", goal.c.tenant, goal.c.user_id)

plan = Table(
    "plan",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("user_id", UUID, nullable=False),
    Column("title", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("starts", Text, nullable=False),
    Column("minutes", SmallInteger, nullable=False),
    Column("rrule", Text),
    Column("exceptions", ARRAY(Text), nullable=False),
    Column("additions", ARRAY(Text), nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    moment_column("created_at"),
    moment_column("updated_at"),
)
Index("ix_plan_user", plan.c.tenant, plan.c.user_id)

calendar_link = Table(
    "calendar_link",
    metadata,
    tenant_column(),
    Column("user_id", UUID, nullable=False),
    Column("digest", Text, nullable=False),
    moment_column("made_at"),
    PrimaryKeyConstraint("tenant", "user_id"),
    UniqueConstraint("tenant", "digest"),
)

join_code = Table(
    "join_code",
    metadata,
    Column("cohort_id", UUID, ForeignKey(cohort.c.id, ondelete="CASCADE"), primary_key=True),
    tenant_column(),
    Column("code", Text, nullable=False),
    Column("digest", Text, nullable=False),
    moment_column("made_at"),
    moment_column("expires_at", stamped=False),
    UniqueConstraint("tenant", "digest"),
)

seat_count = Table(
    "seat_count",
    metadata,
    Column("cohort_id", UUID, ForeignKey(cohort.c.id, ondelete="CASCADE"), primary_key=True),
    tenant_column(),
    Column("taken", Integer, nullable=False),
)

membership = Table(
    "membership",
    metadata,
    Column("cohort_id", UUID, ForeignKey(cohort.c.id), nullable=False),
    Column("user_id", UUID, nullable=False),
    tenant_column(),
    Column("role", Text, nullable=False, server_default=text("'learner'")),
    moment_column("joined_at"),
    PrimaryKeyConstraint("cohort_id", "user_id"),
    CheckConstraint("role IN ('learner', 'leader')", name="role"),
)
Index("ix_membership_user", membership.c.tenant, membership.c.user_id)
Index(
    "uq_membership_leader",
    membership.c.cohort_id,
    unique=True,
    postgresql_where=membership.c.role == "leader",
)

announcement = Table(
    "announcement",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("cohort_id", UUID, ForeignKey(cohort.c.id, ondelete="CASCADE"), nullable=False),
    Column("author_id", UUID, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    moment_column("posted_at"),
)
Index("ix_announcement_cohort", announcement.c.cohort_id, announcement.c.id)

message = Table(
    "message",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("cohort_id", UUID, ForeignKey(cohort.c.id, ondelete="CASCADE"), nullable=False),
    Column("author_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    Column("text", Text, nullable=False),
    moment_column("sent_at"),
    moment_column("read_at", nullable=True),
)
Index("ix_message_learner", message.c.tenant, message.c.learner_id, message.c.id)
Index("ix_message_cohort", message.c.cohort_id)

CONTENT = ("cohort", "cohort_date", "meeting")
"""What the operator writes."""

ERASURE: Rules = {
    "profile": Remove("user_id"),
    "goal": Remove("user_id"),
    "plan": Remove("user_id"),
    "calendar_link": Remove("user_id"),
    "announcement": Keep("the class was told it, whoever did"),
    "message": Remove("learner_id"),
    "membership": Keep("seats and results of the cohort stay as they were"),
}
"""What becomes of a deleted person's rows."""
