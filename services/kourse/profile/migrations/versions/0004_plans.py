"""Personal plans with recurrence rules, and the links under which calendars are fetched."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0004"
down_revision = "0003"

DDL = """
CREATE TABLE profile.plan (
  id uuid NOT NULL,
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  title text NOT NULL,
  time_zone text NOT NULL,
  starts text NOT NULL,
  minutes smallint NOT NULL,
  rrule text,
  exceptions text[] NOT NULL,
  additions text[] NOT NULL,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_plan PRIMARY KEY (id)
);
CREATE INDEX ix_plan_user ON profile.plan (tenant, user_id);

CREATE TABLE profile.calendar_link (
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  digest text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_calendar_link PRIMARY KEY (tenant, user_id),
  CONSTRAINT uq_calendar_link_tenant_digest UNIQUE (tenant, digest)
);
"""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in ("plan", "calendar_link"):
        enable_tenancy(table, "profile")
    grant("profile", "profile")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; people's data are never dropped")
