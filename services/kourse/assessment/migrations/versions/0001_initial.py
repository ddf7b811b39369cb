"""Pools, exams, attempts, grading, the answer log and mastery."""

from alembic import op

from kourse.kit.migrations import create_platform, enable_tenancy, grant

revision = "0001"
down_revision = None

SCHEMA = "assessment"
CONTENT = ("pool", "question", "question_version", "exam", "exam_version")
"""What the operator writes."""

DDL = """
CREATE TABLE assessment.pool (
  id uuid NOT NULL,
  tenant text NOT NULL,
  name text NOT NULL,
  title text NOT NULL,
  course text,
  labels text[] NOT NULL,
  version integer NOT NULL,
  digest text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz,
  CONSTRAINT pk_pool PRIMARY KEY (id),
  CONSTRAINT uq_pool_tenant_name UNIQUE (tenant, name)
);

CREATE TABLE assessment.question (
  id uuid NOT NULL,
  tenant text NOT NULL,
  pool_id uuid NOT NULL,
  key text NOT NULL,
  position integer NOT NULL,
  version_id uuid NOT NULL,
  type text NOT NULL,
  difficulty smallint NOT NULL,
  skills text[] NOT NULL,
  salt bytea NOT NULL,
  removed_at timestamptz,
  CONSTRAINT pk_question PRIMARY KEY (id),
  CONSTRAINT uq_question_pool_id_key UNIQUE (pool_id, key),
  CONSTRAINT fk_question_pool_id_pool FOREIGN KEY (pool_id)
    REFERENCES assessment.pool (id) ON DELETE CASCADE
);

CREATE TABLE assessment.question_version (
  id uuid NOT NULL,
  tenant text NOT NULL,
  question_id uuid NOT NULL,
  digest text NOT NULL,
  body jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_question_version PRIMARY KEY (id),
  CONSTRAINT uq_question_version_question_id_digest UNIQUE (question_id, digest),
  CONSTRAINT fk_question_version_question_id_question FOREIGN KEY (question_id)
    REFERENCES assessment.question (id) ON DELETE CASCADE
);

CREATE TABLE assessment.exam (
  id uuid NOT NULL,
  tenant text NOT NULL,
  name text NOT NULL,
  course text NOT NULL,
  title text NOT NULL,
  purpose text NOT NULL,
  version integer NOT NULL,
  version_id uuid NOT NULL,
  digest text NOT NULL,
  policy jsonb NOT NULL,
  reach_pending boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz,
  CONSTRAINT pk_exam PRIMARY KEY (id),
  CONSTRAINT uq_exam_tenant_name UNIQUE (tenant, name)
);
CREATE INDEX ix_exam_tenant_course ON assessment.exam (tenant, course);
CREATE INDEX ix_exam_reach_pending ON assessment.exam (id) WHERE reach_pending;

CREATE TABLE assessment.exam_version (
  id uuid NOT NULL,
  tenant text NOT NULL,
  exam_id uuid NOT NULL,
  number integer NOT NULL,
  digest text NOT NULL,
  content jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_exam_version PRIMARY KEY (id),
  CONSTRAINT uq_exam_version_exam_id_number UNIQUE (exam_id, number),
  CONSTRAINT fk_exam_version_exam_id_exam FOREIGN KEY (exam_id)
    REFERENCES assessment.exam (id) ON DELETE CASCADE
);

CREATE TABLE assessment.course_replica (
  tenant text NOT NULL,
  course text NOT NULL,
  course_id uuid NOT NULL,
  title text NOT NULL,
  version integer NOT NULL,
  time_zone text NOT NULL,
  skills jsonb NOT NULL,
  categories jsonb NOT NULL,
  lessons jsonb NOT NULL,
  adaptivity jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_course_replica PRIMARY KEY (tenant, course)
);

CREATE TABLE assessment.cohort_replica (
  tenant text NOT NULL,
  cohort text NOT NULL,
  cohort_id uuid NOT NULL,
  starts_on date NOT NULL,
  ends_on date NOT NULL,
  time_zone text NOT NULL,
  dates jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_cohort_replica PRIMARY KEY (tenant, cohort)
);

CREATE TABLE assessment.enrolment_replica (
  enrolment_id uuid NOT NULL,
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  course text NOT NULL,
  cohort text,
  labels text[] NOT NULL,
  CONSTRAINT pk_enrolment_replica PRIMARY KEY (enrolment_id)
);
CREATE INDEX ix_enrolment_replica_tenant_learner_id_course
  ON assessment.enrolment_replica (tenant, learner_id, course);
CREATE INDEX ix_enrolment_replica_tenant_course_learner_id
  ON assessment.enrolment_replica (tenant, course, learner_id);

CREATE TABLE assessment.attempt (
  id uuid NOT NULL,
  tenant text NOT NULL,
  exam_id uuid NOT NULL,
  exam_version_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  enrolment_id uuid NOT NULL,
  course text NOT NULL,
  cohort text,
  number integer NOT NULL,
  seed bytea NOT NULL,
  state text NOT NULL,
  started_at timestamptz NOT NULL,
  deadline_at timestamptz,
  submitted_at timestamptz,
  cause text,
  answers_digest text,
  run integer NOT NULL DEFAULT 0,
  version integer NOT NULL DEFAULT 1,
  CONSTRAINT pk_attempt PRIMARY KEY (id),
  CONSTRAINT uq_attempt_exam_id_learner_id_number UNIQUE (exam_id, learner_id, number),
  CONSTRAINT fk_attempt_exam_id_exam FOREIGN KEY (exam_id)
    REFERENCES assessment.exam (id) ON DELETE CASCADE,
  CONSTRAINT fk_attempt_exam_version_id_exam_version FOREIGN KEY (exam_version_id)
    REFERENCES assessment.exam_version (id),
  CONSTRAINT ck_attempt_state
    CHECK (state IN ('IN_PROGRESS', 'SUBMITTED', 'UNDER_REVIEW', 'GRADED', 'VOIDED')),
  CONSTRAINT ck_attempt_submitted CHECK (state = 'IN_PROGRESS' OR submitted_at IS NOT NULL)
);
CREATE UNIQUE INDEX uq_attempt_running ON assessment.attempt (exam_id, learner_id)
  WHERE state = 'IN_PROGRESS';
CREATE INDEX ix_attempt_overdue ON assessment.attempt (deadline_at) WHERE state = 'IN_PROGRESS';
CREATE INDEX ix_attempt_ungraded ON assessment.attempt (submitted_at) WHERE state = 'SUBMITTED';
CREATE INDEX ix_attempt_exam_version_id ON assessment.attempt (exam_version_id);

CREATE TABLE assessment.attempt_item (
  attempt_id uuid NOT NULL,
  slot smallint NOT NULL,
  tenant text NOT NULL,
  zone text NOT NULL,
  question_id uuid NOT NULL,
  question_version_id uuid NOT NULL,
  points integer NOT NULL,
  layout jsonb NOT NULL,
  CONSTRAINT pk_attempt_item PRIMARY KEY (attempt_id, slot),
  CONSTRAINT fk_attempt_item_attempt_id_attempt FOREIGN KEY (attempt_id)
    REFERENCES assessment.attempt (id) ON DELETE CASCADE,
  CONSTRAINT fk_attempt_item_question_version_id_question_version
    FOREIGN KEY (question_version_id) REFERENCES assessment.question_version (id)
);
CREATE INDEX ix_attempt_item_question_version_id
  ON assessment.attempt_item (question_version_id);

CREATE TABLE assessment.answer (
  attempt_id uuid NOT NULL,
  slot smallint NOT NULL,
  tenant text NOT NULL,
  seq bigint NOT NULL,
  body jsonb,
  saved_at timestamptz NOT NULL,
  CONSTRAINT pk_answer PRIMARY KEY (attempt_id, slot),
  CONSTRAINT fk_answer_attempt_id_attempt FOREIGN KEY (attempt_id)
    REFERENCES assessment.attempt (id) ON DELETE CASCADE
);

CREATE TABLE assessment.answer_revision (
  attempt_id uuid NOT NULL,
  slot smallint NOT NULL,
  seq bigint NOT NULL,
  tenant text NOT NULL,
  body jsonb,
  saved_at timestamptz NOT NULL,
  CONSTRAINT pk_answer_revision PRIMARY KEY (attempt_id, slot, seq),
  CONSTRAINT fk_answer_revision_attempt_id_attempt FOREIGN KEY (attempt_id)
    REFERENCES assessment.attempt (id) ON DELETE CASCADE
);

CREATE TABLE assessment.grading_run (
  attempt_id uuid NOT NULL,
  run integer NOT NULL,
  tenant text NOT NULL,
  grader text NOT NULL,
  points text NOT NULL,
  max_points integer NOT NULL,
  graded_at timestamptz NOT NULL,
  CONSTRAINT pk_grading_run PRIMARY KEY (attempt_id, run),
  CONSTRAINT fk_grading_run_attempt_id_attempt FOREIGN KEY (attempt_id)
    REFERENCES assessment.attempt (id) ON DELETE CASCADE
);

CREATE TABLE assessment.grading_item (
  attempt_id uuid NOT NULL,
  run integer NOT NULL,
  slot smallint NOT NULL,
  tenant text NOT NULL,
  question_version_id uuid NOT NULL,
  share text NOT NULL,
  points integer NOT NULL,
  CONSTRAINT pk_grading_item PRIMARY KEY (attempt_id, run, slot),
  CONSTRAINT fk_grading_item_attempt_id_run_grading_run FOREIGN KEY (attempt_id, run)
    REFERENCES assessment.grading_run (attempt_id, run) ON DELETE CASCADE
);

CREATE TABLE assessment.score (
  attempt_id uuid NOT NULL,
  tenant text NOT NULL,
  exam_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  course text NOT NULL,
  run integer NOT NULL,
  points text NOT NULL,
  max_points integer NOT NULL,
  passed boolean NOT NULL,
  graded_at timestamptz NOT NULL,
  release_due_at timestamptz,
  released_at timestamptz,
  CONSTRAINT pk_score PRIMARY KEY (attempt_id),
  CONSTRAINT fk_score_attempt_id_attempt FOREIGN KEY (attempt_id)
    REFERENCES assessment.attempt (id) ON DELETE CASCADE
);
CREATE INDEX ix_score_release ON assessment.score (release_due_at) WHERE released_at IS NULL;
CREATE INDEX ix_score_tenant_course_learner_id ON assessment.score (tenant, course, learner_id);
CREATE INDEX ix_score_tenant_learner_id ON assessment.score (tenant, learner_id);
CREATE INDEX ix_score_exam_id ON assessment.score (exam_id);

CREATE TABLE assessment.answer_log (
  id uuid NOT NULL,
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  course text NOT NULL,
  question_id uuid NOT NULL,
  question_version_id uuid NOT NULL,
  skills text[] NOT NULL,
  source text NOT NULL,
  source_id uuid NOT NULL,
  slot smallint NOT NULL,
  answer jsonb,
  share text NOT NULL,
  correct boolean NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT pk_answer_log PRIMARY KEY (id),
  CONSTRAINT uq_answer_log_source_id_slot UNIQUE (source_id, slot),
  CONSTRAINT ck_answer_log_source CHECK (source IN ('practice', 'exam'))
);
CREATE INDEX ix_answer_log_fold
  ON assessment.answer_log (tenant, learner_id, course, at, source_id, slot);

CREATE TABLE assessment.mastery (
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  course text NOT NULL,
  skill text NOT NULL,
  probability double precision NOT NULL,
  answers integer NOT NULL,
  band text NOT NULL,
  below integer NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_mastery PRIMARY KEY (tenant, learner_id, course, skill)
);
"""

WORKER = {
    "exam": "SELECT (id, tenant, reach_pending)",
    "attempt": "SELECT (id, tenant, state, deadline_at, submitted_at)",
    "score": "SELECT (attempt_id, tenant, release_due_at, released_at)",
}
"""What the sweepers see across tenants: enough to find what is due, and nothing that they could leak."""

TABLES = (
    *CONTENT,
    "course_replica",
    "cohort_replica",
    "enrolment_replica",
    "attempt",
    "attempt_item",
    "answer",
    "answer_revision",
    "grading_run",
    "grading_item",
    "score",
    "answer_log",
    "mastery",
)


def upgrade() -> None:
    create_platform(SCHEMA)
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in TABLES:
        enable_tenancy(table, SCHEMA, worker=WORKER.get(table, ""))
    grant(SCHEMA, SCHEMA, operator_tables=CONTENT)
    op.execute("GRANT SELECT ON assessment.course_replica TO kourse_operator")
    op.execute("GRANT SELECT (tenant, exam_id, state) ON assessment.attempt TO kourse_operator")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; learners' work is never dropped")
