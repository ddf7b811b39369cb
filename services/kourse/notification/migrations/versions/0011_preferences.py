"""What people refuse by kind and channel, and when mail waits."""

from alembic import op

revision = "0011"
down_revision = "0010"

DDL = """
ALTER TABLE notification.recipient
  ADD COLUMN refused text[] NOT NULL DEFAULT '{}',
  ADD COLUMN quiet_starts time,
  ADD COLUMN quiet_ends time,
  ADD CONSTRAINT ck_recipient_quiet CHECK (num_nonnulls(quiet_starts, quiet_ends) <> 1)
"""


def upgrade() -> None:
    op.execute(DDL)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; nobody is sent what they refused")
