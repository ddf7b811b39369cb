"""The audit trail: entries of every service, sealed in one chain per tenant, that nobody changes."""

from alembic import op

from kourse.kit.migrations import app_role, enable_tenancy, upgrade_platform

revision = "0010"
down_revision = "0009"

SCHEMA = "identity"

DDL = """
CREATE TABLE identity.audit_trail (
  tenant text NOT NULL,
  seq bigint NOT NULL,
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  sealed_at timestamptz NOT NULL,
  source text NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  target text NOT NULL,
  outcome text NOT NULL,
  detail jsonb NOT NULL,
  correlation text NOT NULL,
  address_digest text,
  previous text NOT NULL,
  hash text NOT NULL,
  CONSTRAINT pk_audit_trail PRIMARY KEY (tenant, seq),
  CONSTRAINT uq_audit_trail_tenant_id UNIQUE (tenant, id)
);
CREATE INDEX ix_audit_trail_actor ON identity.audit_trail (tenant, actor, seq);
CREATE INDEX ix_audit_trail_action ON identity.audit_trail (tenant, action text_pattern_ops, seq);
CREATE INDEX ix_audit_trail_target ON identity.audit_trail (tenant, target, seq);
CREATE INDEX ix_audit_trail_at ON identity.audit_trail (tenant, at);

CREATE TABLE identity.audit_address (
  tenant text NOT NULL,
  seq bigint NOT NULL,
  address text NOT NULL,
  salt bytea NOT NULL,
  sealed_at timestamptz NOT NULL,
  CONSTRAINT pk_audit_address PRIMARY KEY (tenant, seq),
  CONSTRAINT fk_audit_address_tenant_audit_trail FOREIGN KEY (tenant, seq)
    REFERENCES identity.audit_trail (tenant, seq)
);
CREATE INDEX ix_audit_address_sealed_at ON identity.audit_address (sealed_at);
"""

REFUSAL = """
CREATE FUNCTION identity.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of %: the audit trail is append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END
$$
"""

TRIGGERS = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON identity.audit_trail
  FOR EACH STATEMENT EXECUTE FUNCTION identity.refuse_change();

CREATE TRIGGER unchanging BEFORE UPDATE OR TRUNCATE ON identity.audit_address
  FOR EACH STATEMENT EXECUTE FUNCTION identity.refuse_change()
"""


def upgrade() -> None:
    upgrade_platform(SCHEMA, 3)
    for statement in (*DDL.split(";\n"), REFUSAL, *TRIGGERS.split(";\n")):
        if statement.strip():
            op.execute(statement)
    app = app_role(SCHEMA)
    enable_tenancy("audit_trail", SCHEMA, worker="SELECT (tenant)")
    enable_tenancy("audit_address", SCHEMA, worker="SELECT (sealed_at), DELETE")
    op.execute(f"GRANT SELECT, INSERT ON identity.audit_trail TO {app}")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON identity.audit_address TO {app}")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; the audit trail is never dropped")
