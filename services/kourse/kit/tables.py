"""Building blocks for a service's tables, and the platform tables that every schema holds.

The platform tables are created by ``migrations.create_platform``; the kit's own modules read and write
them. A service's ``tables.py`` starts with ``metadata = service_metadata("course")``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
PLATFORM_TABLES = (
    "outbox",
    "event_sequence",
    "inbox",
    "inbox_cursor",
    "inbox_consumer",
    "partition_member",
    "partition_lease",
    "parked_event",
    "idempotency_key",
    "document",
    "document_wait",
    "audit_entry",
    "setting",
)
"""Tables of the kit, present in every service's schema; all are kept per tenant but the marks of
consumers and their replicas."""
_NOW = text("clock_timestamp()")


def service_metadata(schema: str) -> MetaData:
    """Metadata with the naming convention, for one schema, the platform tables already in it."""
    metadata = MetaData(schema=schema, naming_convention=NAMING)
    for add in (_outgoing, _incoming, _shared_out, _requests, _declared, _records):
        add(metadata)
    return metadata


def tenant_column() -> Column[str]:
    """The column ``tenant text not null`` that row-level security looks at."""
    return Column("tenant", Text, nullable=False)


def moment_column(name: str, *, nullable: bool = False, stamped: bool = True) -> Column[object]:
    """A ``timestamptz`` column.

    Args:
        name: Its name, by habit ending in ``_at``.
        nullable: Whether it may be empty.
        stamped: Whether the database's clock fills it.
    """
    return Column(
        name,
        DateTime(timezone=True),
        nullable=nullable,
        server_default=_NOW if stamped and not nullable else None,
    )


def _outgoing(metadata: MetaData) -> None:
    Table(
        "event_sequence",
        metadata,
        tenant_column(),
        Column("stream", Text, nullable=False),
        Column("entity", Text, nullable=False),
        Column("last_seq", BigInteger, nullable=False),
        moment_column("started_at"),
        PrimaryKeyConstraint("tenant", "stream", "entity"),
    )
    outbox = Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", UUID, nullable=False),
        tenant_column(),
        Column("stream", Text, nullable=False),
        Column("entity", Text, nullable=False),
        Column("seq", BigInteger, nullable=False),
        moment_column("started_at", stamped=False),
        Column("type", Text, nullable=False),
        Column("version", SmallInteger, nullable=False),
        Column("payload", JSONB, nullable=False),
        Column("headers", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
        Column("routing_key", Text, nullable=False),
        Column("part", SmallInteger, nullable=False),
        Column("traceparent", Text),
        moment_column("created_at"),
        moment_column("published_at", nullable=True),
        UniqueConstraint("event_id"),
        UniqueConstraint("tenant", "stream", "entity", "seq"),
    )
    Index(
        "ix_outbox_unpublished",
        outbox.c.part,
        outbox.c.id,
        postgresql_where=text("published_at IS NULL"),
    )
    Index("ix_outbox_created_at", outbox.c.created_at, postgresql_using="brin")


def _incoming(metadata: MetaData) -> None:
    Table(
        "inbox_consumer",
        metadata,
        Column("consumer", Text, primary_key=True),
        moment_column("started_at"),
        Column("epoch", UUID, nullable=False, server_default=text("gen_random_uuid()")),
    )
    inbox = Table(
        "inbox",
        metadata,
        Column("consumer", Text, nullable=False),
        Column("event_id", UUID, nullable=False),
        tenant_column(),
        Column("stream", Text, nullable=False),
        Column("entity", Text, nullable=False),
        Column("seq", BigInteger, nullable=False),
        moment_column("applied_at"),
        PrimaryKeyConstraint("consumer", "event_id"),
    )
    Index("ix_inbox_applied_at", inbox.c.applied_at, postgresql_using="brin")
    cursor = Table(
        "inbox_cursor",
        metadata,
        Column("consumer", Text, nullable=False),
        tenant_column(),
        Column("stream", Text, nullable=False),
        Column("entity", Text, nullable=False),
        Column("last_seq", BigInteger, nullable=False),
        Column("blocked", Boolean, nullable=False, server_default=text("false")),
        moment_column("updated_at"),
        PrimaryKeyConstraint("consumer", "tenant", "stream", "entity"),
    )
    Index("ix_inbox_cursor_blocked", cursor.c.consumer, postgresql_where=text("blocked"))
    Table(
        "parked_event",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("consumer", Text, nullable=False),
        Column("event_id", UUID, nullable=False),
        tenant_column(),
        Column("stream", Text, nullable=False),
        Column("entity", Text, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("type", Text, nullable=False),
        Column("payload", JSONB, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("reason", Text, nullable=False),
        Column("error", Text, nullable=False, server_default=text("''")),
        Column("tries", Integer, nullable=False, server_default=text("0")),
        moment_column("parked_at"),
        UniqueConstraint("consumer", "event_id"),
        UniqueConstraint("consumer", "tenant", "stream", "entity", "seq"),
    )


def _shared_out(metadata: MetaData) -> None:
    Table(
        "partition_member",
        metadata,
        Column("consumer", Text, nullable=False),
        Column("member", Text, nullable=False),
        moment_column("seen_at"),
        PrimaryKeyConstraint("consumer", "member"),
    )
    Table(
        "partition_lease",
        metadata,
        Column("consumer", Text, nullable=False),
        Column("part", SmallInteger, nullable=False),
        Column("owner", Text),
        Column("token", BigInteger, nullable=False, server_default=text("0")),
        moment_column("expires_at"),
        PrimaryKeyConstraint("consumer", "part"),
    )


def _requests(metadata: MetaData) -> None:
    keys = Table(
        "idempotency_key",
        metadata,
        tenant_column(),
        Column("subject", Text, nullable=False),
        Column("method", Text, nullable=False),
        Column("route", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),
        moment_column("created_at"),
        moment_column("expires_at", stamped=False),
        PrimaryKeyConstraint("tenant", "subject", "method", "route", "key"),
    )
    Index("ix_idempotency_key_expires_at", keys.c.expires_at)


def _declared(metadata: MetaData) -> None:
    Table(
        "document",
        metadata,
        tenant_column(),
        Column("kind", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("id", UUID, nullable=False),
        Column("source", Text, nullable=False),
        Column("uid", Text),
        Column("generation", BigInteger, nullable=False),
        Column("digest", Text, nullable=False),
        Column("spec", JSONB, nullable=False),
        moment_column("created_at"),
        moment_column("updated_at"),
        moment_column("retired_at", nullable=True),
        PrimaryKeyConstraint("tenant", "kind", "name"),
        UniqueConstraint("id"),
    )
    Table(
        "document_wait",
        metadata,
        tenant_column(),
        Column("kind", Text, nullable=False),
        Column("name", Text, nullable=False),
        moment_column("since_at"),
        PrimaryKeyConstraint("tenant", "kind", "name"),
    )


def _records(metadata: MetaData) -> None:
    entries = Table(
        "audit_entry",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        tenant_column(),
        moment_column("at"),
        Column("actor", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("detail", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
        Column("correlation", Text),
        # Written by nothing; a later version than the one that may run beside this drops it.
        Column("seal", LargeBinary),
        Column("entry_id", UUID, nullable=False, server_default=text("gen_random_uuid()")),
        Column("address", Text, nullable=False, server_default=text("''")),
    )
    Index("ix_audit_entry_entry_id", entries.c.entry_id)
    Table(
        "setting",
        metadata,
        tenant_column(),
        Column("key", Text, nullable=False),
        Column("value", JSONB, nullable=False),
        moment_column("updated_at"),
        PrimaryKeyConstraint("tenant", "key"),
    )
