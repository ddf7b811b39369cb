"""When in the week each person's digest comes; Monday at eight for whoever has said nothing."""

from alembic import op

revision = "0017"
down_revision = "0016"

DDL = """
ALTER TABLE notification.recipient
  ADD COLUMN digest_day smallint NOT NULL DEFAULT 0,
  ADD COLUMN digest_at time NOT NULL DEFAULT '08:00',
  ADD CONSTRAINT ck_recipient_digest_day CHECK (digest_day BETWEEN 0 AND 6)
"""


def upgrade() -> None:
    op.execute(DDL)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; digests would come at another time")
