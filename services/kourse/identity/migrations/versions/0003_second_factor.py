"""Second factors, their secrets encrypted."""

from alembic import op

from kourse.kit.migrations import grant

revision = "0003"
down_revision = "0002"

SCHEMA = "identity"

DDL = """
CREATE TABLE identity.factor (
  account_id uuid NOT NULL,
  sealed bytea NOT NULL,
  last_step bigint NOT NULL DEFAULT 0,
  added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_factor PRIMARY KEY (account_id),
  CONSTRAINT fk_factor_account_id_account FOREIGN KEY (account_id)
    REFERENCES identity.account (id) ON DELETE CASCADE
)
"""


def upgrade() -> None:
    op.execute(DDL)
    grant(SCHEMA, SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; second factors are never dropped")
