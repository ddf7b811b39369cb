"""What has dates, for whom, and when each enrolment is looked at next for something to be reminded of."""

from alembic import op

from kourse.kit.migrations import enable_tenancy

revision = "0010"
down_revision = "0009"

SCHEMA = "notification"
TABLES = ("task", "extension", "hand_in")
LOOKED_AT = """
CREATE POLICY worker_access ON notification.enrolment TO kourse_notification_worker USING (true);
GRANT SELECT (tenant, enrolment_id, look_at) ON notification.enrolment TO kourse_notification_worker
"""
"""The sweeper finds whom to look at in any tenant; what it finds there it reads as the application role."""

DDL = """
ALTER TABLE notification.cohort ADD COLUMN dates jsonb;

ALTER TABLE notification.enrolment
  ADD COLUMN cohort text,
  ADD COLUMN cohort_id uuid,
  ADD COLUMN labels text[] NOT NULL DEFAULT '{}',
  ADD COLUMN is_active boolean NOT NULL DEFAULT true,
  ADD COLUMN began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ADD COLUMN look_at timestamptz DEFAULT clock_timestamp();
ALTER TABLE notification.enrolment ALTER COLUMN look_at DROP DEFAULT;
CREATE INDEX ix_enrolment_look_at ON notification.enrolment (look_at);
CREATE INDEX ix_enrolment_learner_id ON notification.enrolment (tenant, learner_id);
CREATE INDEX ix_enrolment_cohort_id ON notification.enrolment (tenant, cohort_id);

CREATE TABLE notification.task (
  tenant text NOT NULL,
  task_id uuid NOT NULL,
  type text NOT NULL,
  course_id uuid NOT NULL,
  course text NOT NULL,
  name text NOT NULL,
  title text NOT NULL,
  dates jsonb NOT NULL,
  overrides jsonb NOT NULL DEFAULT '[]',
  CONSTRAINT pk_task PRIMARY KEY (tenant, task_id)
);
CREATE INDEX ix_task_course_id ON notification.task (tenant, course_id);

CREATE TABLE notification.extension (
  tenant text NOT NULL,
  enrolment_id uuid NOT NULL,
  task_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  due_at timestamptz NOT NULL,
  CONSTRAINT pk_extension PRIMARY KEY (tenant, enrolment_id, task_id)
);

CREATE TABLE notification.hand_in (
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  task_id uuid NOT NULL,
  work_id uuid NOT NULL,
  cohort text,
  CONSTRAINT pk_hand_in PRIMARY KEY (tenant, learner_id, task_id, work_id)
)
"""


def upgrade() -> None:
    for statement in DDL.split(";\n"):
        op.execute(statement)
    for table in TABLES:
        enable_tenancy(table, SCHEMA)
    for statement in LOOKED_AT.split(";\n"):
        op.execute(statement)
    for table in TABLES:
        op.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON notification.{table} TO kourse_notification"
        )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; what was handed in is not forgotten")
