"""Deliveries for more purposes than the first verification, and recovery codes."""

from alembic import op

from kourse.kit.migrations import grant

revision = "0006"
down_revision = "0005"

SCHEMA = "identity"

DDL = """
ALTER TABLE identity.delivery ALTER COLUMN sealed SET DEFAULT '';
ALTER TABLE identity.delivery ADD COLUMN recipient text;

CREATE TABLE identity.recovery_code (
  account_id uuid NOT NULL,
  digest text NOT NULL,
  CONSTRAINT pk_recovery_code PRIMARY KEY (account_id, digest),
  CONSTRAINT fk_recovery_code_account_id_account FOREIGN KEY (account_id)
    REFERENCES identity.account (id) ON DELETE CASCADE
);
"""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    grant(SCHEMA, SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; accounts are never dropped")
