"""Tables of what people were told, and its way out by mail."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from kourse.kit.tables import moment_column, tenant_column
from kourse.notification.tables.schema import metadata

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
