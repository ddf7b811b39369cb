"""Courses with their versions, replicas of siblings' facts, enrolments and progress."""

from alembic import op

from kourse.kit.migrations import create_platform, enable_tenancy, grant

revision = "0001"
down_revision = None

SCHEMA = "course"
CONTENT = (
    "course",
    "prerequisite",
    "course_version",
    "chapter",
    "lesson",
    "skill",
    "assignment",
    "gate",
    "asset",
)
"""What the operator writes."""

DDL = """
CREATE TABLE course.course (
  id uuid NOT NULL,
  tenant text NOT NULL,
  name text NOT NULL,
  lifecycle text NOT NULL,
  current_version integer NOT NULL,
  live_version integer,
  visibility text NOT NULL,
  enrolment_mode text NOT NULL,
  policy jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz,
  purge_at timestamptz,
  CONSTRAINT pk_course PRIMARY KEY (id),
  CONSTRAINT uq_course_tenant_name UNIQUE (tenant, name)
);
CREATE INDEX ix_course_purge_at ON course.course (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE course.prerequisite (
  tenant text NOT NULL,
  course text NOT NULL,
  requires text NOT NULL,
  min_completion smallint NOT NULL,
  CONSTRAINT pk_prerequisite PRIMARY KEY (tenant, course, requires)
);

CREATE TABLE course.course_version (
  course_id uuid NOT NULL,
  number integer NOT NULL,
  tenant text NOT NULL,
  title text NOT NULL,
  time_zone text NOT NULL,
  digest text NOT NULL,
  lifecycle text NOT NULL,
  eligible boolean NOT NULL,
  content jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  live_at timestamptz,
  CONSTRAINT pk_course_version PRIMARY KEY (course_id, number),
  CONSTRAINT fk_course_version_course_id_course FOREIGN KEY (course_id)
    REFERENCES course.course (id) ON DELETE CASCADE
);

CREATE TABLE course.chapter (
  course_id uuid NOT NULL,
  version integer NOT NULL,
  key text NOT NULL,
  id uuid NOT NULL,
  tenant text NOT NULL,
  position smallint NOT NULL,
  title text NOT NULL,
  summary text,
  CONSTRAINT pk_chapter PRIMARY KEY (course_id, version, key),
  CONSTRAINT fk_chapter_course_id_version_course_version FOREIGN KEY (course_id, version)
    REFERENCES course.course_version (course_id, number) ON DELETE CASCADE
);

CREATE TABLE course.lesson (
  course_id uuid NOT NULL,
  version integer NOT NULL,
  key text NOT NULL,
  id uuid NOT NULL,
  tenant text NOT NULL,
  chapter text NOT NULL,
  position smallint NOT NULL,
  title text NOT NULL,
  minutes smallint NOT NULL,
  skills text[] NOT NULL,
  text text,
  text_sha256 text,
  assets jsonb NOT NULL,
  practice jsonb NOT NULL,
  CONSTRAINT pk_lesson PRIMARY KEY (course_id, version, key),
  CONSTRAINT fk_lesson_course_id_version_course_version FOREIGN KEY (course_id, version)
    REFERENCES course.course_version (course_id, number) ON DELETE CASCADE,
  CONSTRAINT ck_lesson_one_text CHECK ((text IS NULL) <> (text_sha256 IS NULL))
);

CREATE TABLE course.skill (
  course_id uuid NOT NULL,
  version integer NOT NULL,
  key text NOT NULL,
  tenant text NOT NULL,
  position smallint NOT NULL,
  title text NOT NULL,
  prerequisites text[] NOT NULL,
  prior smallint NOT NULL,
  learn smallint NOT NULL,
  guess smallint NOT NULL,
  slip smallint NOT NULL,
  CONSTRAINT pk_skill PRIMARY KEY (course_id, version, key),
  CONSTRAINT fk_skill_course_id_version_course_version FOREIGN KEY (course_id, version)
    REFERENCES course.course_version (course_id, number) ON DELETE CASCADE
);

CREATE TABLE course.assignment (
  course_id uuid NOT NULL,
  version integer NOT NULL,
  key text NOT NULL,
  id uuid NOT NULL,
  tenant text NOT NULL,
  position smallint NOT NULL,
  title text NOT NULL,
  kind text NOT NULL,
  instructions text NOT NULL,
  category text NOT NULL,
  points integer NOT NULL,
  skills text[] NOT NULL,
  rubric jsonb NOT NULL,
  CONSTRAINT pk_assignment PRIMARY KEY (course_id, version, key),
  CONSTRAINT fk_assignment_course_id_version_course_version FOREIGN KEY (course_id, version)
    REFERENCES course.course_version (course_id, number) ON DELETE CASCADE
);

CREATE TABLE course.gate (
  course_id uuid NOT NULL,
  chapter text NOT NULL,
  tenant text NOT NULL,
  position smallint NOT NULL,
  requires jsonb NOT NULL,
  CONSTRAINT pk_gate PRIMARY KEY (course_id, chapter),
  CONSTRAINT fk_gate_course_id_course FOREIGN KEY (course_id)
    REFERENCES course.course (id) ON DELETE CASCADE
);

CREATE TABLE course.asset (
  course_id uuid NOT NULL,
  sha256 text NOT NULL,
  tenant text NOT NULL,
  path text NOT NULL,
  size_bytes bigint,
  declared_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stored_at timestamptz,
  CONSTRAINT pk_asset PRIMARY KEY (course_id, sha256),
  CONSTRAINT fk_asset_course_id_course FOREIGN KEY (course_id)
    REFERENCES course.course (id) ON DELETE CASCADE
);

CREATE TABLE course.cohort_replica (
  cohort_id uuid NOT NULL,
  tenant text NOT NULL,
  cohort text NOT NULL,
  title text NOT NULL,
  courses text[] NOT NULL,
  starts_on date NOT NULL,
  ends_on date NOT NULL,
  time_zone text NOT NULL,
  dates jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_cohort_replica PRIMARY KEY (cohort_id),
  CONSTRAINT uq_cohort_replica_tenant_cohort UNIQUE (tenant, cohort)
);

CREATE TABLE course.exam_replica (
  exam_id uuid NOT NULL,
  tenant text NOT NULL,
  exam text NOT NULL,
  course text NOT NULL,
  title text NOT NULL,
  purpose text NOT NULL,
  opens_at timestamptz,
  closes_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_exam_replica PRIMARY KEY (exam_id),
  CONSTRAINT uq_exam_replica_tenant_exam UNIQUE (tenant, exam)
);

CREATE TABLE course.score (
  attempt_id uuid NOT NULL,
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  course text NOT NULL,
  exam text NOT NULL,
  run integer NOT NULL,
  percent double precision NOT NULL,
  passed boolean NOT NULL,
  released_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_score PRIMARY KEY (attempt_id)
);
CREATE INDEX ix_score_learner ON course.score (tenant, learner_id, course);

CREATE TABLE course.enrolment (
  id uuid NOT NULL,
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  course_id uuid NOT NULL,
  run text NOT NULL,
  cohort text,
  cohort_id uuid,
  status text NOT NULL DEFAULT 'active',
  labels text[] NOT NULL DEFAULT '{}'::text[],
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  active_at timestamptz,
  completed_at timestamptz,
  CONSTRAINT pk_enrolment PRIMARY KEY (id),
  CONSTRAINT uq_enrolment_course_id_learner_id_run UNIQUE (course_id, learner_id, run),
  CONSTRAINT ck_enrolment_status CHECK (status IN ('active', 'suspended')),
  CONSTRAINT fk_enrolment_course_id_course FOREIGN KEY (course_id)
    REFERENCES course.course (id)
);
CREATE INDEX ix_enrolment_cohort ON course.enrolment (cohort_id);
CREATE INDEX ix_enrolment_course ON course.enrolment (course_id, status);
CREATE INDEX ix_enrolment_learner ON course.enrolment (tenant, learner_id);

CREATE TABLE course.lesson_visit (
  enrolment_id uuid NOT NULL,
  lesson_id uuid NOT NULL,
  tenant text NOT NULL,
  chapter text NOT NULL,
  first_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_lesson_visit PRIMARY KEY (enrolment_id, lesson_id),
  CONSTRAINT fk_lesson_visit_enrolment_id_enrolment FOREIGN KEY (enrolment_id)
    REFERENCES course.enrolment (id) ON DELETE CASCADE
);

CREATE TABLE course.lesson_completion (
  enrolment_id uuid NOT NULL,
  lesson_id uuid NOT NULL,
  tenant text NOT NULL,
  version integer NOT NULL,
  completed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_lesson_completion PRIMARY KEY (enrolment_id, lesson_id),
  CONSTRAINT fk_lesson_completion_enrolment_id_enrolment FOREIGN KEY (enrolment_id)
    REFERENCES course.enrolment (id) ON DELETE CASCADE
);
"""

WORKER = {"course": "SELECT (id, tenant, name, purge_at)"}
"""What the sweeper sees across tenants: which courses' learner data are to be deleted."""

TABLES = (
    *CONTENT,
    "cohort_replica",
    "exam_replica",
    "score",
    "enrolment",
    "lesson_visit",
    "lesson_completion",
)


def upgrade() -> None:
    create_platform(SCHEMA)
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in TABLES:
        enable_tenancy(table, SCHEMA, worker=WORKER.get(table, ""))
    grant(SCHEMA, SCHEMA, operator_tables=CONTENT)
    op.execute("GRANT SELECT (tenant, course_id, status) ON course.enrolment TO kourse_operator")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; learners' progress is never dropped")
