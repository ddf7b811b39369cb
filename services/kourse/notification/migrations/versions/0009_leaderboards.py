"""Runs and members of cohorts, and who of them chose to stand on its leaderboard."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0009"
down_revision = "0008"

SCHEMA = "notification"

DDL = """
ALTER TABLE notification.cohort
  ADD COLUMN courses text[],
  ADD COLUMN starts_on date,
  ADD COLUMN ends_on date,
  ADD COLUMN time_zone text;
CREATE INDEX ix_cohort_cohort ON notification.cohort (tenant, cohort);

CREATE TABLE notification.cohort_member (
  tenant text NOT NULL,
  cohort_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  CONSTRAINT pk_cohort_member PRIMARY KEY (tenant, cohort_id, learner_id)
);
CREATE INDEX ix_cohort_member_learner_id ON notification.cohort_member (tenant, learner_id);

CREATE TABLE notification.board_place (
  tenant text NOT NULL,
  cohort_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  chosen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_board_place PRIMARY KEY (tenant, cohort_id, learner_id)
)
"""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in ("cohort_member", "board_place"):
        enable_tenancy(table, SCHEMA)
    grant(SCHEMA, SCHEMA)
    op.execute(
        "REVOKE UPDATE ON notification.calendar, notification.points_entry, notification.won_badge,"
        " notification.reached_level, notification.badge_sheet FROM kourse_notification"
    )
    op.execute("GRANT UPDATE (won_at) ON notification.won_badge TO kourse_notification")
    op.execute("GRANT UPDATE (reached_at) ON notification.reached_level TO kourse_notification")
    op.execute("REVOKE UPDATE, DELETE ON notification.former_person FROM kourse_notification")


def downgrade() -> None:
    raise NotImplementedError(
        "restore a backup instead; whoever chose to be shown is not asked again"
    )
