"""Announcements, messages to one learner, and at most one leader in a cohort."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0005"
down_revision = "0004"

DDL = """
CREATE TABLE profile.announcement (
  id uuid NOT NULL,
  tenant text NOT NULL,
  cohort_id uuid NOT NULL,
  author_id uuid NOT NULL,
  title text NOT NULL,
  text text NOT NULL,
  posted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_announcement PRIMARY KEY (id),
  CONSTRAINT fk_announcement_cohort_id_cohort FOREIGN KEY (cohort_id)
    REFERENCES profile.cohort (id) ON DELETE CASCADE
);
CREATE INDEX ix_announcement_cohort ON profile.announcement (cohort_id, id);

CREATE TABLE profile.message (
  id uuid NOT NULL,
  tenant text NOT NULL,
  cohort_id uuid NOT NULL,
  author_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  text text NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  read_at timestamptz,
  CONSTRAINT pk_message PRIMARY KEY (id),
  CONSTRAINT fk_message_cohort_id_cohort FOREIGN KEY (cohort_id)
    REFERENCES profile.cohort (id) ON DELETE CASCADE
);
CREATE INDEX ix_message_learner ON profile.message (tenant, learner_id, id);
CREATE INDEX ix_message_cohort ON profile.message (cohort_id);

CREATE UNIQUE INDEX uq_membership_leader ON profile.membership (cohort_id) WHERE role = 'leader';
"""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in ("announcement", "message"):
        enable_tenancy(table, "profile")
    grant("profile", "profile")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; people's data are never dropped")
