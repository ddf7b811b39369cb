"""Tables of webhooks and of what goes to them."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from kourse.kit.tables import moment_column, tenant_column
from kourse.notification.tables.messages import notification
from kourse.notification.tables.schema import metadata

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
