"""Whose accounts are gone, so that no late event brings them back; their points go with them."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0003"
down_revision = "0002"

SCHEMA = "notification"

DDL = """
CREATE TABLE notification.former_person (
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_former_person PRIMARY KEY (tenant, user_id)
)
"""


def upgrade() -> None:
    op.execute(DDL)
    enable_tenancy("former_person", SCHEMA)
    grant(SCHEMA, SCHEMA)
    op.execute("REVOKE UPDATE ON notification.points_entry FROM kourse_notification")
    op.execute("REVOKE UPDATE, DELETE ON notification.former_person FROM kourse_notification")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; nobody who was forgotten is remembered")
