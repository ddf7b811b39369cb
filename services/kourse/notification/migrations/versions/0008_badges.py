"""Badges that can be won and those that were, levels reached, and whose ledgers are to be looked at."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0008"
down_revision = "0007"

SCHEMA = "notification"

DDL = """
CREATE TABLE notification.badge_sheet (
  tenant text NOT NULL,
  course_id uuid NOT NULL,
  version integer NOT NULL,
  course text NOT NULL,
  badges jsonb NOT NULL,
  since_at timestamptz NOT NULL,
  CONSTRAINT pk_badge_sheet PRIMARY KEY (tenant, course_id, version)
);
CREATE INDEX ix_badge_sheet_course ON notification.badge_sheet (tenant, course);

CREATE TABLE notification.won_badge (
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  badge_id uuid NOT NULL,
  badge text NOT NULL,
  course_id uuid,
  course text,
  title text NOT NULL,
  description text NOT NULL,
  won_at timestamptz NOT NULL,
  CONSTRAINT pk_won_badge PRIMARY KEY (tenant, learner_id, badge_id)
);

CREATE TABLE notification.reached_level (
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  level integer NOT NULL,
  reached_at timestamptz NOT NULL,
  CONSTRAINT pk_reached_level PRIMARY KEY (tenant, learner_id, level)
);

CREATE TABLE notification.review (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  tenant text NOT NULL,
  learner_id uuid,
  course text,
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_review PRIMARY KEY (id),
  CONSTRAINT ck_review_subject CHECK (num_nonnulls(learner_id, course) = 1)
);
CREATE INDEX ix_review_asked_at ON notification.review (tenant, asked_at);

CREATE INDEX ix_points_entry_course ON notification.points_entry (tenant, course, learner_id)
"""

WORKER = {"review": "SELECT (tenant)"}
"""The judge asks which tenants have something to look at; all else it does as the application role."""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in ("badge_sheet", "won_badge", "reached_level", "review"):
        enable_tenancy(table, SCHEMA, worker=WORKER.get(table, ""))
    grant(SCHEMA, SCHEMA)
    op.execute(
        "REVOKE UPDATE ON notification.calendar, notification.points_entry, notification.won_badge,"
        " notification.reached_level, notification.badge_sheet FROM kourse_notification"
    )
    op.execute("GRANT UPDATE (won_at) ON notification.won_badge TO kourse_notification")
    op.execute("GRANT UPDATE (reached_at) ON notification.reached_level TO kourse_notification")
    op.execute("REVOKE UPDATE, DELETE ON notification.former_person FROM kourse_notification")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; what was won is never dropped")
