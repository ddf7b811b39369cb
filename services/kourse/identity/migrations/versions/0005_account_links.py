"""Which account belongs to which subject of an outside issuer."""

from alembic import op

from kourse.kit.migrations import grant

revision = "0005"
down_revision = "0003"

SCHEMA = "identity"

DDL = """
CREATE TABLE identity.account_link (
  issuer text NOT NULL,
  subject text NOT NULL,
  account_id uuid NOT NULL,
  linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_account_link PRIMARY KEY (issuer, subject),
  CONSTRAINT uq_account_link_issuer UNIQUE (issuer, account_id),
  CONSTRAINT fk_account_link_account_id_account FOREIGN KEY (account_id)
    REFERENCES identity.account (id) ON DELETE CASCADE
)
"""


def upgrade() -> None:
    op.execute(DDL)
    grant(SCHEMA, SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; links are never dropped")
