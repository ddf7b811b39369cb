"""What people decide: reviews, decisions and overrides, corrected keys, regrades and accommodations."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0008"
down_revision = "0007"

SCHEMA = "assessment"

DDL = """
ALTER TABLE assessment.grading_item
  ADD COLUMN basis text NOT NULL DEFAULT 'key', ADD COLUMN decision integer;

CREATE TABLE assessment.review (
  attempt_id uuid NOT NULL,
  slot smallint NOT NULL,
  tenant text NOT NULL,
  exam_id uuid NOT NULL,
  cohort text,
  requested_at timestamptz NOT NULL,
  claimed_by uuid,
  claimed_until timestamptz,
  decided_at timestamptz,
  CONSTRAINT pk_review PRIMARY KEY (attempt_id, slot),
  CONSTRAINT fk_review_attempt_id_attempt_item FOREIGN KEY (attempt_id, slot)
    REFERENCES assessment.attempt_item (attempt_id, slot) ON DELETE CASCADE
);
CREATE INDEX ix_review_exam_id ON assessment.review (exam_id, attempt_id, slot);

CREATE TABLE assessment.decision (
  attempt_id uuid NOT NULL,
  slot smallint NOT NULL,
  number integer NOT NULL,
  tenant text NOT NULL,
  kind text NOT NULL,
  seq bigint NOT NULL,
  question_version_id uuid NOT NULL,
  marks jsonb,
  share text NOT NULL,
  comment text,
  reason text,
  grader_id uuid NOT NULL,
  decided_at timestamptz NOT NULL,
  CONSTRAINT pk_decision PRIMARY KEY (attempt_id, slot, number),
  CONSTRAINT fk_decision_attempt_id_attempt_item FOREIGN KEY (attempt_id, slot)
    REFERENCES assessment.attempt_item (attempt_id, slot) ON DELETE CASCADE,
  CONSTRAINT ck_decision_kind CHECK (kind IN ('rubric', 'override')),
  CONSTRAINT ck_decision_marks CHECK ((kind = 'rubric') = (marks IS NOT NULL)),
  CONSTRAINT ck_decision_reason CHECK ((kind = 'override') = (reason IS NOT NULL))
);

CREATE TABLE assessment.correction (
  exam_id uuid NOT NULL,
  question_id uuid NOT NULL,
  tenant text NOT NULL,
  question_version_id uuid,
  corrected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_correction PRIMARY KEY (exam_id, question_id),
  CONSTRAINT fk_correction_exam_id_exam FOREIGN KEY (exam_id)
    REFERENCES assessment.exam (id) ON DELETE CASCADE
);

CREATE TABLE assessment.regrade (
  id uuid NOT NULL,
  tenant text NOT NULL,
  exam_id uuid NOT NULL,
  corrections jsonb NOT NULL,
  mode text NOT NULL,
  reason text NOT NULL,
  actor_id uuid NOT NULL,
  state text NOT NULL,
  after uuid,
  examined integer NOT NULL DEFAULT 0,
  changed integer NOT NULL DEFAULT 0,
  planned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  applied_at timestamptz,
  CONSTRAINT pk_regrade PRIMARY KEY (id),
  CONSTRAINT fk_regrade_exam_id_exam FOREIGN KEY (exam_id)
    REFERENCES assessment.exam (id) ON DELETE CASCADE,
  CONSTRAINT ck_regrade_mode CHECK (mode IN ('HigherOnly', 'Replace')),
  CONSTRAINT ck_regrade_state CHECK (state IN ('PLANNED', 'APPLYING', 'APPLIED'))
);
CREATE INDEX ix_regrade_applying ON assessment.regrade (id) WHERE state = 'APPLYING';
CREATE INDEX ix_regrade_exam_id ON assessment.regrade (exam_id, id);

CREATE TABLE assessment.accommodation (
  id uuid NOT NULL,
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  course text NOT NULL,
  exam_id uuid,
  time_factor text,
  extra_attempts integer,
  opens_at timestamptz,
  due_at timestamptz,
  closes_at timestamptz,
  reason text NOT NULL,
  actor_id uuid NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_accommodation PRIMARY KEY (id),
  CONSTRAINT uq_accommodation_tenant_course_learner_id_exam_id
    UNIQUE NULLS NOT DISTINCT (tenant, course, learner_id, exam_id),
  CONSTRAINT fk_accommodation_exam_id_exam FOREIGN KEY (exam_id)
    REFERENCES assessment.exam (id) ON DELETE CASCADE
);
"""

WORKER = {"regrade": "SELECT (id, tenant, state)"}
TABLES = ("review", "decision", "correction", "regrade", "accommodation")


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in TABLES:
        enable_tenancy(table, SCHEMA, worker=WORKER.get(table, ""))
    grant(SCHEMA, SCHEMA)
    op.execute("GRANT SELECT, INSERT ON assessment.decision TO kourse_assessment")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; grades are never dropped")
