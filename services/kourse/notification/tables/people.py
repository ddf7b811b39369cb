"""Tables of people: their wishes, their days and weekly digests, and who is a person no more."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from kourse.kit.tables import moment_column, tenant_column
from kourse.notification.tables.schema import metadata

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
    Column("digest_day", SmallInteger, nullable=False, server_default=text("0")),
    Column("digest_at", Time, nullable=False, server_default=text("'08:00'")),
    PrimaryKeyConstraint("tenant", "user_id"),
    UniqueConstraint("tenant", "unsubscribe_key"),
    CheckConstraint("num_nonnulls(quiet_starts, quiet_ends) <> 1", name="quiet"),
    CheckConstraint("digest_day BETWEEN 0 AND 6", name="digest_day"),
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
