"""Cohorts, a replica of courses, profiles, goals, join codes and memberships."""

from alembic import op

from kourse.kit.migrations import create_platform, enable_tenancy, grant

revision = "0001"
down_revision = None

SCHEMA = "profile"
CONTENT = ("cohort", "cohort_date", "meeting")
"""What the operator writes."""

DDL = """
CREATE TABLE profile.cohort (
  id uuid NOT NULL,
  tenant text NOT NULL,
  name text NOT NULL,
  title text NOT NULL,
  courses text[] NOT NULL,
  starts_on date NOT NULL,
  ends_on date NOT NULL,
  time_zone text NOT NULL,
  seats integer NOT NULL,
  join_policy text NOT NULL,
  code_valid_days integer NOT NULL,
  rules jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz,
  purge_at timestamptz,
  CONSTRAINT pk_cohort PRIMARY KEY (id),
  CONSTRAINT uq_cohort_tenant_name UNIQUE (tenant, name)
);
CREATE INDEX ix_cohort_purge_at ON profile.cohort (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE profile.cohort_date (
  cohort_id uuid NOT NULL,
  course text NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  tenant text NOT NULL,
  opens_at timestamptz,
  due_at timestamptz,
  closes_at timestamptz,
  CONSTRAINT pk_cohort_date PRIMARY KEY (cohort_id, course, kind, key),
  CONSTRAINT ck_cohort_date_kind CHECK (kind IN ('assignment', 'exam')),
  CONSTRAINT fk_cohort_date_cohort_id_cohort FOREIGN KEY (cohort_id)
    REFERENCES profile.cohort (id) ON DELETE CASCADE
);

CREATE TABLE profile.meeting (
  cohort_id uuid NOT NULL,
  key text NOT NULL,
  tenant text NOT NULL,
  position smallint NOT NULL,
  title text NOT NULL,
  starts text NOT NULL,
  minutes smallint NOT NULL,
  rrule text,
  exceptions text[] NOT NULL,
  CONSTRAINT pk_meeting PRIMARY KEY (cohort_id, key),
  CONSTRAINT fk_meeting_cohort_id_cohort FOREIGN KEY (cohort_id)
    REFERENCES profile.cohort (id) ON DELETE CASCADE
);

CREATE TABLE profile.course_replica (
  tenant text NOT NULL,
  course text NOT NULL,
  course_id uuid NOT NULL,
  title text NOT NULL,
  version integer NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_course_replica PRIMARY KEY (tenant, course)
);

CREATE TABLE profile.profile (
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  display_name text NOT NULL,
  level text NOT NULL DEFAULT 'Beginner',
  pace text NOT NULL DEFAULT 'Steady',
  time_zone text NOT NULL DEFAULT 'UTC',
  locale text NOT NULL,
  preferences jsonb NOT NULL DEFAULT '{}'::jsonb,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_profile PRIMARY KEY (tenant, user_id)
);

CREATE TABLE profile.goal (
  id uuid NOT NULL,
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  title text NOT NULL,
  course text,
  target_on date,
  achieved_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_goal PRIMARY KEY (id)
);
CREATE INDEX ix_goal_user ON profile.goal (tenant, user_id);

CREATE TABLE profile.join_code (
  cohort_id uuid NOT NULL,
  tenant text NOT NULL,
  code text NOT NULL,
  digest text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT pk_join_code PRIMARY KEY (cohort_id),
  CONSTRAINT uq_join_code_tenant_digest UNIQUE (tenant, digest),
  CONSTRAINT fk_join_code_cohort_id_cohort FOREIGN KEY (cohort_id)
    REFERENCES profile.cohort (id) ON DELETE CASCADE
);

CREATE TABLE profile.seat_count (
  cohort_id uuid NOT NULL,
  tenant text NOT NULL,
  taken integer NOT NULL,
  CONSTRAINT pk_seat_count PRIMARY KEY (cohort_id),
  CONSTRAINT fk_seat_count_cohort_id_cohort FOREIGN KEY (cohort_id)
    REFERENCES profile.cohort (id) ON DELETE CASCADE
);

CREATE TABLE profile.membership (
  cohort_id uuid NOT NULL,
  user_id uuid NOT NULL,
  tenant text NOT NULL,
  role text NOT NULL DEFAULT 'learner',
  joined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_membership PRIMARY KEY (cohort_id, user_id),
  CONSTRAINT ck_membership_role CHECK (role IN ('learner', 'leader')),
  CONSTRAINT fk_membership_cohort_id_cohort FOREIGN KEY (cohort_id)
    REFERENCES profile.cohort (id)
);
CREATE INDEX ix_membership_user ON profile.membership (tenant, user_id);
"""

WORKER = {"cohort": "SELECT (id, tenant, name, purge_at)"}
"""What the sweeper sees across tenants: which cohorts' members are to be deleted."""

TABLES = (
    *CONTENT,
    "course_replica",
    "profile",
    "goal",
    "join_code",
    "seat_count",
    "membership",
)


def upgrade() -> None:
    create_platform(SCHEMA)
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in TABLES:
        enable_tenancy(table, SCHEMA, worker=WORKER.get(table, ""))
    grant(SCHEMA, SCHEMA, operator_tables=CONTENT)
    op.execute("GRANT SELECT ON profile.course_replica TO kourse_operator")
    op.execute("GRANT SELECT (tenant, cohort_id) ON profile.membership TO kourse_operator")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; people's data are never dropped")
