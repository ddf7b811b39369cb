"""By which time zone a learner's days went, and since when."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0005"
down_revision = "0004"

SCHEMA = "notification"

DDL = """
CREATE TABLE notification.calendar (
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  since_at timestamptz NOT NULL,
  time_zone text NOT NULL,
  CONSTRAINT pk_calendar PRIMARY KEY (tenant, learner_id, since_at)
)
"""


def upgrade() -> None:
    op.execute(DDL)
    enable_tenancy("calendar", SCHEMA)
    grant(SCHEMA, SCHEMA)
    op.execute(
        "REVOKE UPDATE ON notification.calendar, notification.points_entry FROM kourse_notification"
    )
    op.execute("REVOKE UPDATE, DELETE ON notification.former_person FROM kourse_notification")


def downgrade() -> None:
    raise NotImplementedError(
        "restore a backup instead; a streak cannot be told without its calendar"
    )
