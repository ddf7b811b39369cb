"""Assignments as courses publish them, what was handed in, and how it was graded."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0007"
down_revision = "0006"

SCHEMA = "assessment"

DDL = """
CREATE TABLE assessment.assignment_replica (
  assignment_id uuid NOT NULL,
  tenant text NOT NULL,
  course text NOT NULL,
  assignment text NOT NULL,
  title text NOT NULL,
  category text NOT NULL,
  points integer NOT NULL,
  rubric jsonb NOT NULL,
  late_policy jsonb NOT NULL,
  release text NOT NULL,
  withdrawn boolean NOT NULL,
  CONSTRAINT pk_assignment_replica PRIMARY KEY (assignment_id),
  CONSTRAINT uq_assignment_replica_tenant_course_assignment UNIQUE (tenant, course, assignment)
);

CREATE TABLE assessment.gradable (
  submission_id uuid NOT NULL,
  tenant text NOT NULL,
  course text NOT NULL,
  course_id uuid NOT NULL,
  assignment text NOT NULL,
  assignment_id uuid NOT NULL,
  cohort text,
  number integer NOT NULL,
  submitted_at timestamptz NOT NULL,
  due_at timestamptz,
  run integer NOT NULL DEFAULT 0,
  graded_number integer NOT NULL DEFAULT 0,
  released_run integer NOT NULL DEFAULT 0,
  CONSTRAINT pk_gradable PRIMARY KEY (submission_id)
);
CREATE INDEX ix_gradable_tenant_course_assignment
  ON assessment.gradable (tenant, course, assignment, submission_id);

CREATE TABLE assessment.gradable_member (
  submission_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  tenant text NOT NULL,
  enrolment_id uuid NOT NULL,
  CONSTRAINT pk_gradable_member PRIMARY KEY (submission_id, learner_id),
  CONSTRAINT fk_gradable_member_submission_id_gradable FOREIGN KEY (submission_id)
    REFERENCES assessment.gradable (submission_id) ON DELETE CASCADE
);
CREATE INDEX ix_gradable_member_enrolment_id ON assessment.gradable_member (enrolment_id);

CREATE TABLE assessment.gradable_run (
  submission_id uuid NOT NULL,
  run integer NOT NULL,
  tenant text NOT NULL,
  number integer NOT NULL,
  grader_id uuid NOT NULL,
  marks jsonb NOT NULL,
  comment text,
  rubric jsonb NOT NULL,
  late_policy jsonb NOT NULL,
  earned text NOT NULL,
  deduction text NOT NULL,
  override text,
  reason text,
  points text NOT NULL,
  max_points integer NOT NULL,
  graded_at timestamptz NOT NULL,
  CONSTRAINT pk_gradable_run PRIMARY KEY (submission_id, run),
  CONSTRAINT ck_gradable_run_override CHECK ((override IS NULL) = (reason IS NULL)),
  CONSTRAINT fk_gradable_run_submission_id_gradable FOREIGN KEY (submission_id)
    REFERENCES assessment.gradable (submission_id) ON DELETE CASCADE
);
"""

TABLES = ("assignment_replica", "gradable", "gradable_member", "gradable_run")


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in TABLES:
        enable_tenancy(table, SCHEMA)
    grant(SCHEMA, SCHEMA)
    op.execute("GRANT SELECT, INSERT ON assessment.gradable_run TO kourse_assessment")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; grades are never dropped")
