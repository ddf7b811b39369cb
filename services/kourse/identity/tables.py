"""Tables of identity: accounts are global, everything that gives access to a tenant is the tenant's.

Row-level security covers ``membership``, ``role_assignment``, ``delivery``, personal tokens, service
accounts, invitations and the audit trail; whoever shows a secret sees the row of its digest in any
tenant. ``account``,
``credential``, ``factor``, ``recovery_code`` and ``account_link`` know no tenant: one person is one
account in the whole installation. ``realm_progress`` and ``realm_event`` hold how far a realm of
Keycloak was followed, and which of its latest events were.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from kourse.kit.erasure import Keep, Remove, Rules
from kourse.kit.tables import moment_column, service_metadata, tenant_column

SCHEMA = "identity"
metadata = service_metadata(SCHEMA)

account = Table(
    "account",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("locale", Text, nullable=False),
    moment_column("created_at"),
    moment_column("email_verified_at", nullable=True),
    moment_column("disabled_at", nullable=True),
)

credential = Table(
    "credential",
    metadata,
    Column("account_id", UUID, ForeignKey(account.c.id, ondelete="CASCADE"), primary_key=True),
    Column("sealed", Text, nullable=False),
    moment_column("changed_at"),
)

factor = Table(
    "factor",
    metadata,
    Column("account_id", UUID, ForeignKey(account.c.id, ondelete="CASCADE"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False, server_default=text("0")),
    moment_column("added_at"),
)

account_link = Table(
    "account_link",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("account_id", UUID, ForeignKey(account.c.id, ondelete="CASCADE"), nullable=False),
    moment_column("linked_at"),
    PrimaryKeyConstraint("issuer", "subject"),
    UniqueConstraint("issuer", "account_id", name="uq_account_link_issuer"),
)

realm_progress = Table(
    "realm_progress",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("reached_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("issuer", "part"),
)

realm_event = Table(
    "realm_event",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("log", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("issuer", "id"),
)
Index("ix_realm_event_at_ms", realm_event.c.issuer, realm_event.c.log, realm_event.c.at_ms)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("account_id", UUID, ForeignKey(account.c.id, ondelete="CASCADE"), nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("account_id", "digest"),
)

membership = Table(
    "membership",
    metadata,
    tenant_column(),
    Column("user_id", UUID, ForeignKey(account.c.id, ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    moment_column("joined_at"),
    PrimaryKeyConstraint("tenant", "user_id"),
    CheckConstraint("status IN ('active', 'suspended')", name="status"),
)

role_assignment = Table(
    "role_assignment",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("user_id", UUID, ForeignKey(account.c.id, ondelete="CASCADE"), nullable=False),
    Column("role", Text, nullable=False),
    Column("course", Text),
    Column("cohort", Text),
    moment_column("until", nullable=True),
    moment_column("assigned_at"),
    CheckConstraint("course IS NULL OR cohort IS NULL", name="one_scope"),
)
Index(
    "uq_role_assignment_scope",
    role_assignment.c.tenant,
    role_assignment.c.user_id,
    role_assignment.c.role,
    text("coalesce(course, '')"),
    text("coalesce(cohort, '')"),
    unique=True,
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("account_id", UUID, ForeignKey(account.c.id, ondelete="CASCADE"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("sealed", Text, nullable=False, server_default=text("''")),
    Column("redemptions", Integer, nullable=False, server_default=text("0")),
    moment_column("requested_at"),
    Column("recipient", Text),
)
Index("ix_delivery_account_id", delivery.c.account_id, delivery.c.requested_at)

personal_token = Table(
    "personal_token",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("account_id", UUID, ForeignKey(account.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("permissions", ARRAY(Text), nullable=False),
    Column("course", Text),
    Column("cohort", Text),
    moment_column("created_at"),
    moment_column("expires_at", stamped=False),
    moment_column("used_at", nullable=True),
    CheckConstraint("course IS NULL OR cohort IS NULL", name="one_scope"),
)
Index("ix_personal_token_account_id", personal_token.c.account_id)

service_account = Table(
    "service_account",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("roles", JSONB, nullable=False),
    Column("permissions", ARRAY(Text)),
    Column("created_by", UUID, nullable=False),
    moment_column("created_at"),
    moment_column("disabled_at", nullable=True),
    UniqueConstraint("tenant", "name", name="uq_service_account_name"),
)

service_account_secret = Table(
    "service_account_secret",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column(
        "service_account_id",
        UUID,
        ForeignKey(service_account.c.id, ondelete="CASCADE"),
        nullable=False,
    ),
    Column("digest", Text, nullable=False, unique=True),
    moment_column("created_at"),
    moment_column("expires_at", stamped=False),
    moment_column("used_at", nullable=True),
)
Index("ix_service_account_secret_service_account_id", service_account_secret.c.service_account_id)

invitation = Table(
    "invitation",
    metadata,
    Column("id", UUID, primary_key=True),
    tenant_column(),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("course", Text),
    Column("cohort", Text),
    moment_column("until", nullable=True),
    Column("locale", Text, nullable=False),
    Column("invited_by", UUID, nullable=False),
    Column("delivery_id", UUID, nullable=False),
    Column("redemptions", Integer, nullable=False, server_default=text("0")),
    moment_column("created_at"),
    moment_column("expires_at", stamped=False),
    moment_column("revoked_at", nullable=True),
    moment_column("accepted_at", nullable=True),
    Column("accepted_by", UUID, ForeignKey(account.c.id, ondelete="CASCADE")),
    CheckConstraint("course IS NULL OR cohort IS NULL", name="one_scope"),
)
Index("ix_invitation_email", invitation.c.tenant, invitation.c.email)
Index("ix_invitation_delivery_id", invitation.c.delivery_id)
Index("ix_invitation_accepted_by", invitation.c.accepted_by)

audit_trail = Table(
    "audit_trail",
    metadata,
    tenant_column(),
    Column("seq", BigInteger, nullable=False),
    Column("id", UUID, nullable=False),
    moment_column("at", stamped=False),
    moment_column("sealed_at", stamped=False),
    Column("source", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("correlation", Text, nullable=False),
    Column("address_digest", Text),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("tenant", "seq"),
    UniqueConstraint("tenant", "id", name="uq_audit_trail_tenant_id"),
)
for _column in ("actor", "target"):
    Index(
        f"ix_audit_trail_{_column}", audit_trail.c.tenant, audit_trail.c[_column], audit_trail.c.seq
    )
Index(
    "ix_audit_trail_action",
    audit_trail.c.tenant,
    audit_trail.c.action,
    audit_trail.c.seq,
    postgresql_ops={"action": "text_pattern_ops"},
)
Index("ix_audit_trail_at", audit_trail.c.tenant, audit_trail.c.at)

audit_address = Table(
    "audit_address",
    metadata,
    tenant_column(),
    Column("seq", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    moment_column("sealed_at", stamped=False),
    PrimaryKeyConstraint("tenant", "seq"),
    ForeignKeyConstraint(
        ["tenant", "seq"],
        [audit_trail.c.tenant, audit_trail.c.seq],
        name="fk_audit_address_tenant_audit_trail",
    ),
)
Index("ix_audit_address_sealed_at", audit_address.c.sealed_at)

_CASCADES = Remove("account_id")
ERASURE: Rules = {
    "credential": _CASCADES,
    "factor": _CASCADES,
    "recovery_code": _CASCADES,
    "account_link": _CASCADES,
    "delivery": _CASCADES,
    "audit_trail": Keep("who did what must stay provable, and entries hold ids alone"),
    "membership": Remove("user_id"),
    "role_assignment": Remove("user_id"),
    "personal_token": _CASCADES,
    "invitation": Remove("accepted_by"),
    "service_account": Keep("the tenant's programs go on, and who made them must stay provable"),
}
"""What becomes of a deleted account's rows; ``service.lifecycle`` removes them with the account."""
