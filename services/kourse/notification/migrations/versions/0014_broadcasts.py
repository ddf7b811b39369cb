"""Notices that everybody in a course is to get, while they are told page by page."""

from alembic import op

from kourse.kit.migrations import enable_tenancy

revision = "0014"
down_revision = "0013"

SCHEMA = "notification"

DDL = """
CREATE TABLE notification.broadcast (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant text NOT NULL,
  course_id uuid NOT NULL,
  kind text NOT NULL,
  params jsonb NOT NULL,
  source_event uuid NOT NULL,
  after uuid NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_broadcast PRIMARY KEY (id)
);
"""
GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON notification.broadcast TO kourse_notification"


def upgrade() -> None:
    op.execute(DDL)
    enable_tenancy("broadcast", SCHEMA, worker="SELECT (tenant)")
    op.execute(GRANT)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; some were not told yet")
