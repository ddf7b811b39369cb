"""Tables of notification: what to tell whom, its way out, the points ledger, and replicas.

No row holds an address or a secret: both are asked of identity at the moment a mail leaves.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from kourse.kit.erasure import Keep, Remove, Rules
from kourse.kit.tables import moment_column, service_metadata, tenant_column

SCHEMA = "notification"
metadata = service_metadata(SCHEMA)

recipient = Table(
    "recipient",
    metadata,
    tenant_column(),
    Column("user_id", UUID, nullable=False),
    Column("locale", Text, nullable=False),
    Column("wants_mail", Boolean, nullable=False, server_default=text("true")),
    Column("unsubscribe_key", UUID, nullable=False, server_default=text("gen_random_uuid()")),
    Column("refused", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("quiet_starts", Time),
    Column("quiet_ends", Time),
    PrimaryKeyConstraint("tenant", "user_id"),
    UniqueConstraint("tenant", "unsubscribe_key"),
    CheckConstraint("num_nonnulls(quiet_starts, quiet_ends) <> 1", name="quiet"),
)

digest = Table(
    "digest",
    metadata,
    tenant_column(),
    Column("user_id", UUID, nullable=False),
    moment_column("since_at"),
    moment_column("due_at", stamped=False),
    PrimaryKeyConstraint("tenant", "user_id"),
)
Index("ix_digest_due_at", digest.c.due_at)

calendar = Table(
    "calendar",
    metadata,
    tenant_column(),
    Column("learner_id", UUID, nullable=False),
    moment_column("since_at", stamped=False),
    Column("time_zone", Text, nullable=False),
    PrimaryKeyConstraint("tenant", "learner_id", "since_at"),
)

former_person = Table(
    "former_person",
    metadata,
    tenant_column(),
    Column("user_id", UUID, nullable=False),
    moment_column("erased_at"),
    PrimaryKeyConstraint("tenant", "user_id"),
)

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

board_place = Table(
    "board_place",
    metadata,
    tenant_column(),
    Column("cohort_id", UUID, nullable=False),
    Column("learner_id", UUID, nullable=False),
    moment_column("chosen_at"),
    PrimaryKeyConstraint("tenant", "cohort_id", "learner_id"),
)

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

notification = Table(
    "notification",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("user_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("params", JSONB, nullable=False),
    Column("source_event", UUID, nullable=False),
    Column("in_feed", Boolean, nullable=False),
    moment_column("created_at"),
    moment_column("read_at", nullable=True),
    Column("position", BigInteger),
    UniqueConstraint("tenant", "user_id", "kind", "source_event"),
)
Index(
    "uq_notification_position",
    notification.c.tenant,
    notification.c.user_id,
    notification.c.position,
    unique=True,
    postgresql_where=text("in_feed"),
)
Index(
    "ix_notification_feed",
    notification.c.tenant,
    notification.c.user_id,
    notification.c.created_at.desc(),
    notification.c.id.desc(),
    postgresql_where=text("in_feed"),
)
Index(
    "ix_notification_unread",
    notification.c.tenant,
    notification.c.user_id,
    postgresql_where=text("in_feed AND read_at IS NULL"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column(
        "notification_id", UUID, ForeignKey(notification.c.id, ondelete="CASCADE"), nullable=False
    ),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'pending'")),
    Column("urgency", SmallInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment_column("created_at"),
    moment_column("due_at"),
    Column("claim", UUID),
    Column("outcome", Text),
    moment_column("settled_at", nullable=True),
    UniqueConstraint("notification_id", "channel"),
    CheckConstraint("state IN ('pending', 'sent', 'dropped', 'failed')", name="state"),
)
Index(
    "ix_delivery_due",
    delivery.c.urgency,
    delivery.c.due_at,
    postgresql_where=text("state = 'pending'"),
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("user_id", UUID, nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("kinds", ARRAY(Text)),
    Column("sealed", LargeBinary, nullable=False),
    Column("former_sealed", LargeBinary),
    moment_column("former_until", nullable=True),
    moment_column("created_at"),
    Column("disabled", Text),
    moment_column("disabled_at", nullable=True),
    moment_column("failing_since", nullable=True),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("disabled IN ('owner', 'failing', 'gone')", name="disabled"),
)
Index("ix_webhook_user_id", webhook.c.tenant, webhook.c.user_id)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("webhook_id", UUID, ForeignKey(webhook.c.id, ondelete="CASCADE"), nullable=False),
    Column("notification_id", UUID, ForeignKey(notification.c.id, ondelete="CASCADE")),
    Column("state", Text, nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment_column("created_at"),
    moment_column("asked_at"),
    moment_column("due_at"),
    Column("claim", UUID),
    Column("outcome", Text),
    Column("status", SmallInteger),
    Column("took_ms", Integer),
    moment_column("settled_at", nullable=True),
    UniqueConstraint("webhook_id", "notification_id"),
    CheckConstraint("state IN ('pending', 'delivered', 'failed', 'dropped')", name="state"),
)
Index(
    "ix_webhook_delivery_due",
    webhook_delivery.c.webhook_id,
    webhook_delivery.c.due_at,
    postgresql_where=text("state = 'pending'"),
)
Index(
    "ix_webhook_delivery_log",
    webhook_delivery.c.webhook_id,
    webhook_delivery.c.created_at.desc(),
    webhook_delivery.c.id.desc(),
)
Index("ix_webhook_delivery_notification_id", webhook_delivery.c.notification_id)
broadcast = Table(
    "broadcast",
    metadata,
    Column("id", UUID, primary_key=True, server_default=text("gen_random_uuid()")),
    tenant_column(),
    Column("course_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("params", JSONB, nullable=False),
    Column("source_event", UUID, nullable=False),
    Column("after", UUID, nullable=False),
    moment_column("begun_at"),
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

ERASURE: Rules = {
    "recipient": Remove("user_id"),
    "digest": Remove("user_id"),
    "calendar": Remove("learner_id"),
    "enrolment": Remove("learner_id"),
    "accommodation": Remove("learner_id"),
    "extension": Remove("learner_id"),
    "hand_in": Remove("learner_id"),
    "notification": Remove("user_id"),
    "webhook": Remove("user_id"),
    "points_entry": Remove("learner_id"),
    "cohort_member": Remove("learner_id"),
    "board_place": Remove("learner_id"),
    "won_badge": Remove("learner_id"),
    "reached_level": Remove("learner_id"),
    "review": Keep(
        "a row goes as soon as it is looked at, and of a former person nothing is looked at"
    ),
    "broadcast": Keep("it names nobody but the last who was told, and is gone within seconds"),
    "former_person": Keep("events that come late must bring nobody back"),
}
"""What becomes of a deleted person's rows; deliveries go with their notifications and webhooks."""
