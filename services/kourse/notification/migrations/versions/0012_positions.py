"""Positions in feeds, after which a stream goes on; given when somebody first looks."""

from alembic import op

revision = "0012"
down_revision = "0011"

DDL = """
ALTER TABLE notification.notification ADD COLUMN position bigint;
CREATE UNIQUE INDEX uq_notification_position ON notification.notification
  (tenant, user_id, position) WHERE in_feed
"""


def upgrade() -> None:
    for statement in DDL.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError(
        "restore a backup instead; streams go on after positions that were given"
    )
