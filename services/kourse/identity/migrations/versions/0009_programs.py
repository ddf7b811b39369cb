"""Personal access tokens, service accounts, invitations; who shows a secret sees its row in any tenant."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0009"
down_revision = "0007"

SCHEMA = "identity"

DDL = """
CREATE TABLE identity.personal_token (
  id uuid NOT NULL,
  tenant text NOT NULL,
  account_id uuid NOT NULL,
  name text NOT NULL,
  digest text NOT NULL,
  permissions text[] NOT NULL,
  course text,
  cohort text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CONSTRAINT pk_personal_token PRIMARY KEY (id),
  CONSTRAINT uq_personal_token_digest UNIQUE (digest),
  CONSTRAINT ck_personal_token_one_scope CHECK (course IS NULL OR cohort IS NULL),
  CONSTRAINT fk_personal_token_account_id_account FOREIGN KEY (account_id)
    REFERENCES identity.account (id) ON DELETE CASCADE
);
CREATE INDEX ix_personal_token_account_id ON identity.personal_token (account_id);

CREATE TABLE identity.service_account (
  id uuid NOT NULL,
  tenant text NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  roles jsonb NOT NULL,
  permissions text[],
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  disabled_at timestamptz,
  CONSTRAINT pk_service_account PRIMARY KEY (id),
  CONSTRAINT uq_service_account_name UNIQUE (tenant, name)
);

CREATE TABLE identity.service_account_secret (
  id uuid NOT NULL,
  tenant text NOT NULL,
  service_account_id uuid NOT NULL,
  digest text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CONSTRAINT pk_service_account_secret PRIMARY KEY (id),
  CONSTRAINT uq_service_account_secret_digest UNIQUE (digest),
  CONSTRAINT fk_service_account_secret_service_account_id_service_account
    FOREIGN KEY (service_account_id) REFERENCES identity.service_account (id) ON DELETE CASCADE
);
CREATE INDEX ix_service_account_secret_service_account_id
  ON identity.service_account_secret (service_account_id);

CREATE TABLE identity.invitation (
  id uuid NOT NULL,
  tenant text NOT NULL,
  email text NOT NULL,
  role text NOT NULL,
  course text,
  cohort text,
  until timestamptz,
  locale text NOT NULL,
  invited_by uuid NOT NULL,
  delivery_id uuid NOT NULL,
  redemptions integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  accepted_at timestamptz,
  accepted_by uuid,
  CONSTRAINT pk_invitation PRIMARY KEY (id),
  CONSTRAINT ck_invitation_one_scope CHECK (course IS NULL OR cohort IS NULL),
  CONSTRAINT fk_invitation_accepted_by_account FOREIGN KEY (accepted_by)
    REFERENCES identity.account (id) ON DELETE CASCADE
);
CREATE INDEX ix_invitation_email ON identity.invitation (tenant, email);
CREATE INDEX ix_invitation_delivery_id ON identity.invitation (delivery_id);
CREATE INDEX ix_invitation_accepted_by ON identity.invitation (accepted_by);
"""
SHOWN = ("personal_token", "service_account_secret")


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in (*SHOWN, "service_account", "invitation"):
        enable_tenancy(table, SCHEMA)
    for table in SHOWN:
        op.execute(
            f"CREATE POLICY bearer_access ON identity.{table} FOR SELECT"
            " USING (digest = nullif(current_setting('app.bearer', true), ''))"
        )
    grant(SCHEMA, SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; who made which token must stay provable")
