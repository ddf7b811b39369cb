"""The kit's tables as DDL, one constant per version, so that a revision means the same for ever.

``tables.py`` describes the newest state for queries; a test compares the two on a real server. A change
of the kit's tables is a further constant here, and in each service a revision that runs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Version:
    """What one version of the kit's tables adds to the one before.

    Attributes:
        ddl: Statements, with ``{schema}`` where the service's schema stands.
        tenanted: Its new tables that are kept per tenant.
        app: Privileges of the application role, by table.
        worker: Privileges of the worker role, by table; on tenanted tables they reach every tenant.
    """

    ddl: str
    tenanted: tuple[str, ...]
    app: Mapping[str, str]
    worker: Mapping[str, str]


_V1 = """
CREATE TABLE {schema}.event_sequence (
  tenant text NOT NULL,
  stream text NOT NULL,
  entity text NOT NULL,
  last_seq bigint NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_event_sequence PRIMARY KEY (tenant, stream, entity)
);

CREATE TABLE {schema}.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY,
  event_id uuid NOT NULL,
  tenant text NOT NULL,
  stream text NOT NULL,
  entity text NOT NULL,
  seq bigint NOT NULL,
  started_at timestamptz NOT NULL,
  type text NOT NULL,
  version smallint NOT NULL,
  payload jsonb NOT NULL,
  headers jsonb NOT NULL DEFAULT '{}'::jsonb,
  routing_key text NOT NULL,
  part smallint NOT NULL,
  traceparent text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  published_at timestamptz,
  CONSTRAINT pk_outbox PRIMARY KEY (id),
  CONSTRAINT uq_outbox_event_id UNIQUE (event_id),
  CONSTRAINT uq_outbox_tenant_stream_entity_seq UNIQUE (tenant, stream, entity, seq)
);
CREATE INDEX ix_outbox_unpublished ON {schema}.outbox (part, id) WHERE published_at IS NULL;
CREATE INDEX ix_outbox_created_at ON {schema}.outbox USING brin (created_at);

CREATE TABLE {schema}.inbox_consumer (
  consumer text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_inbox_consumer PRIMARY KEY (consumer)
);

CREATE TABLE {schema}.inbox (
  consumer text NOT NULL,
  event_id uuid NOT NULL,
  tenant text NOT NULL,
  stream text NOT NULL,
  entity text NOT NULL,
  seq bigint NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
);
CREATE INDEX ix_inbox_applied_at ON {schema}.inbox USING brin (applied_at);

CREATE TABLE {schema}.inbox_cursor (
  consumer text NOT NULL,
  tenant text NOT NULL,
  stream text NOT NULL,
  entity text NOT NULL,
  last_seq bigint NOT NULL,
  blocked boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_inbox_cursor PRIMARY KEY (consumer, tenant, stream, entity)
);

CREATE TABLE {schema}.parked_event (
  id bigint GENERATED ALWAYS AS IDENTITY,
  consumer text NOT NULL,
  event_id uuid NOT NULL,
  tenant text NOT NULL,
  stream text NOT NULL,
  entity text NOT NULL,
  seq bigint NOT NULL,
  type text NOT NULL,
  payload jsonb NOT NULL,
  headers jsonb NOT NULL,
  reason text NOT NULL,
  error text NOT NULL DEFAULT '',
  tries integer NOT NULL DEFAULT 0,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_parked_event PRIMARY KEY (id),
  CONSTRAINT uq_parked_event_consumer_event_id UNIQUE (consumer, event_id),
  CONSTRAINT uq_parked_event_consumer_tenant_stream_entity_seq
    UNIQUE (consumer, tenant, stream, entity, seq)
);

CREATE TABLE {schema}.idempotency_key (
  tenant text NOT NULL,
  subject text NOT NULL,
  method text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  status smallint NOT NULL,
  body bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT pk_idempotency_key PRIMARY KEY (tenant, subject, method, route, key)
);
CREATE INDEX ix_idempotency_key_expires_at ON {schema}.idempotency_key (expires_at);

CREATE TABLE {schema}.document (
  tenant text NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  id uuid NOT NULL,
  source text NOT NULL,
  uid text,
  generation bigint NOT NULL,
  digest text NOT NULL,
  spec jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz,
  CONSTRAINT pk_document PRIMARY KEY (tenant, kind, name),
  CONSTRAINT uq_document_id UNIQUE (id)
);

CREATE TABLE {schema}.document_wait (
  tenant text NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  since_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_document_wait PRIMARY KEY (tenant, kind, name)
);

CREATE TABLE {schema}.audit_entry (
  id bigint GENERATED ALWAYS AS IDENTITY,
  tenant text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  outcome text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}'::jsonb,
  correlation text,
  seal bytea,
  CONSTRAINT pk_audit_entry PRIMARY KEY (id)
);
CREATE INDEX ix_audit_entry_tenant_at ON {schema}.audit_entry (tenant, at);

CREATE TABLE {schema}.setting (
  tenant text NOT NULL,
  key text NOT NULL,
  value jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_setting PRIMARY KEY (tenant, key)
);
"""

_V2 = """
ALTER TABLE {schema}.inbox_consumer ADD COLUMN epoch uuid NOT NULL DEFAULT gen_random_uuid();
CREATE INDEX ix_inbox_cursor_blocked ON {schema}.inbox_cursor (consumer) WHERE blocked;

CREATE TABLE {schema}.partition_member (
  consumer text NOT NULL,
  member text NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_partition_member PRIMARY KEY (consumer, member)
);

CREATE TABLE {schema}.partition_lease (
  consumer text NOT NULL,
  part smallint NOT NULL,
  owner text,
  token bigint NOT NULL DEFAULT 0,
  expires_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_partition_lease PRIMARY KEY (consumer, part)
);
"""

_V3 = """
ALTER TABLE {schema}.audit_entry ADD COLUMN entry_id uuid NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE {schema}.audit_entry ADD COLUMN address text NOT NULL DEFAULT '';
DROP INDEX {schema}.ix_audit_entry_tenant_at;
CREATE INDEX ix_audit_entry_entry_id ON {schema}.audit_entry (entry_id);
"""

VERSIONS = {
    1: Version(
        ddl=_V1,
        tenanted=(
            "event_sequence",
            "outbox",
            "inbox",
            "inbox_cursor",
            "parked_event",
            "idempotency_key",
            "document",
            "document_wait",
            "audit_entry",
            "setting",
        ),
        app={
            "event_sequence": "SELECT, INSERT, UPDATE",
            "outbox": "SELECT, INSERT",
            "inbox_consumer": "SELECT, INSERT",
            "inbox": "SELECT, INSERT",
            "inbox_cursor": "SELECT, INSERT, UPDATE",
            "parked_event": "SELECT, INSERT, UPDATE, DELETE",
            "idempotency_key": "SELECT, INSERT, DELETE",
            "document": "SELECT, INSERT, UPDATE, DELETE",
            "document_wait": "SELECT, INSERT, DELETE",
            "audit_entry": "SELECT, INSERT",
            "setting": "SELECT, INSERT, UPDATE, DELETE",
        },
        worker={
            "outbox": "SELECT, UPDATE (published_at), DELETE",
            "inbox": "SELECT (applied_at), DELETE",
            "idempotency_key": "SELECT (expires_at), DELETE",
        },
    ),
    2: Version(
        ddl=_V2,
        tenanted=(),
        app={
            "inbox_consumer": "UPDATE (epoch)",
            "partition_member": "SELECT, INSERT, UPDATE, DELETE",
            "partition_lease": "SELECT, INSERT, UPDATE",
        },
        worker={
            "inbox_consumer": "SELECT",
            "inbox_cursor": "SELECT",
            "parked_event": (
                "SELECT (id, consumer, event_id, tenant, stream, entity, seq, type, reason, error,"
                " tries, parked_at)"
            ),
        },
    ),
    3: Version(
        ddl=_V3,
        tenanted=(),
        app={},
        worker={"audit_entry": "SELECT, DELETE"},
    ),
}
"""All versions. An audit entry, once written, no application role can change, and the worker role only
takes it away, to the trail; what an event says, no worker role reads from where it is parked."""

OPERATOR_PRIVILEGES = {
    "event_sequence": "SELECT, INSERT, UPDATE",
    "outbox": "INSERT",
    "document": "SELECT, INSERT, UPDATE, DELETE",
    "document_wait": "SELECT, INSERT, DELETE",
}
"""What the operator's role may do in a schema whose content it writes."""
