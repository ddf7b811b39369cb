"""What teachers look at, kept as events tell it: who studies what, how far, how well, and at what risk."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0004"
down_revision = "0003"

SCHEMA = "dashboard"

DDL = """
CREATE TABLE dashboard.course (
  tenant text NOT NULL,
  course_id uuid NOT NULL,
  course text NOT NULL,
  title text NOT NULL,
  version integer NOT NULL,
  lessons integer NOT NULL,
  skills jsonb NOT NULL,
  CONSTRAINT pk_course PRIMARY KEY (tenant, course_id),
  CONSTRAINT uq_course_tenant_course UNIQUE (tenant, course)
);
CREATE TABLE dashboard.study (
  tenant text NOT NULL,
  enrolment_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  course_id uuid NOT NULL,
  course text NOT NULL,
  cohort text,
  is_active boolean NOT NULL DEFAULT true,
  completed integer NOT NULL DEFAULT 0,
  began_at timestamptz NOT NULL,
  completed_at timestamptz,
  risks jsonb NOT NULL DEFAULT '[]',
  at_risk_at timestamptz,
  look_at timestamptz,
  CONSTRAINT pk_study PRIMARY KEY (tenant, enrolment_id)
);
CREATE INDEX ix_study_course ON dashboard.study (tenant, course, learner_id);
CREATE INDEX ix_study_cohort ON dashboard.study (tenant, cohort, course, learner_id) WHERE cohort IS NOT NULL;
CREATE INDEX ix_study_learner ON dashboard.study (tenant, learner_id);
CREATE INDEX ix_study_at_risk ON dashboard.study (tenant, course, learner_id) WHERE at_risk_at IS NOT NULL;
CREATE INDEX ix_study_look_at ON dashboard.study (look_at) WHERE look_at IS NOT NULL;
CREATE TABLE dashboard.standing (
  tenant text NOT NULL,
  course text NOT NULL,
  learner_id uuid NOT NULL,
  active_at timestamptz,
  skills jsonb NOT NULL DEFAULT '{}',
  mastery double precision,
  CONSTRAINT pk_standing PRIMARY KEY (tenant, course, learner_id)
);
CREATE INDEX ix_standing_learner ON dashboard.standing (tenant, learner_id);
CREATE TABLE dashboard.work (
  tenant text NOT NULL,
  work_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  course text NOT NULL,
  submitted_at timestamptz,
  released_at timestamptz,
  percent double precision,
  CONSTRAINT pk_work PRIMARY KEY (tenant, work_id, learner_id)
);
CREATE INDEX ix_work_learner ON dashboard.work (tenant, learner_id, course, released_at);
CREATE INDEX ix_work_released_at ON dashboard.work (tenant, course, released_at) WHERE released_at IS NOT NULL;
CREATE TABLE dashboard.missed (
  tenant text NOT NULL,
  enrolment_id uuid NOT NULL,
  assignment_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  CONSTRAINT pk_missed PRIMARY KEY (tenant, enrolment_id, assignment_id)
);
CREATE INDEX ix_missed_learner ON dashboard.missed (tenant, learner_id);
"""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    enable_tenancy("study", SCHEMA, worker="SELECT (tenant, course, look_at)")
    for table in ("course", "standing", "work", "missed"):
        enable_tenancy(table, SCHEMA)
    grant(SCHEMA, SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; events are not told again by themselves")
