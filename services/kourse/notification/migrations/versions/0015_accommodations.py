"""How much later all assignments of a course are due for a learner who is granted that."""

from alembic import op

from kourse.kit.migrations import enable_tenancy

revision = "0015"
down_revision = "0014"

SCHEMA = "notification"

DDL = """
CREATE TABLE notification.accommodation (
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  course_id uuid NOT NULL,
  extra_hours integer NOT NULL,
  CONSTRAINT pk_accommodation PRIMARY KEY (tenant, learner_id, course_id)
)
"""
GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON notification.accommodation TO kourse_notification"


def upgrade() -> None:
    op.execute(DDL)
    enable_tenancy("accommodation", SCHEMA)
    op.execute(GRANT)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; reminders rest on it")
