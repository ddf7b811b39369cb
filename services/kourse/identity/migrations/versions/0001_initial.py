"""Accounts, credentials, memberships, roles and deliveries."""

from alembic import op

from kourse.kit.migrations import create_platform, enable_tenancy, grant

revision = "0001"
down_revision = None

SCHEMA = "identity"

DDL = """
CREATE TABLE identity.account (
  id uuid NOT NULL,
  email text NOT NULL,
  display_name text NOT NULL,
  locale text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  email_verified_at timestamptz,
  disabled_at timestamptz,
  CONSTRAINT pk_account PRIMARY KEY (id),
  CONSTRAINT uq_account_email UNIQUE (email)
);

CREATE TABLE identity.credential (
  account_id uuid NOT NULL,
  sealed text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_credential PRIMARY KEY (account_id),
  CONSTRAINT fk_credential_account_id_account FOREIGN KEY (account_id)
    REFERENCES identity.account (id) ON DELETE CASCADE
);

CREATE TABLE identity.membership (
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  status text NOT NULL,
  joined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_membership PRIMARY KEY (tenant, user_id),
  CONSTRAINT ck_membership_status CHECK (status IN ('active', 'suspended')),
  CONSTRAINT fk_membership_user_id_account FOREIGN KEY (user_id)
    REFERENCES identity.account (id) ON DELETE CASCADE
);

CREATE TABLE identity.role_assignment (
  id uuid NOT NULL,
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL,
  course text,
  cohort text,
  until timestamptz,
  assigned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_role_assignment PRIMARY KEY (id),
  CONSTRAINT ck_role_assignment_one_scope CHECK (course IS NULL OR cohort IS NULL),
  CONSTRAINT fk_role_assignment_user_id_account FOREIGN KEY (user_id)
    REFERENCES identity.account (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_role_assignment_scope ON identity.role_assignment
  (tenant, user_id, role, coalesce(course, ''), coalesce(cohort, ''));

CREATE TABLE identity.delivery (
  id uuid NOT NULL,
  tenant text NOT NULL,
  account_id uuid NOT NULL,
  purpose text NOT NULL,
  sealed text NOT NULL,
  redemptions integer NOT NULL DEFAULT 0,
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_delivery PRIMARY KEY (id),
  CONSTRAINT fk_delivery_account_id_account FOREIGN KEY (account_id)
    REFERENCES identity.account (id) ON DELETE CASCADE
);
CREATE INDEX ix_delivery_account_id ON identity.delivery (account_id, requested_at);
"""


def upgrade() -> None:
    create_platform(SCHEMA)
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in ("membership", "role_assignment", "delivery"):
        enable_tenancy(table, SCHEMA)
    grant(SCHEMA, SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; accounts are never dropped")
