"""Files as answers of exam questions."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0011"
down_revision = "0010"

SCHEMA = "assessment"

DDL = """
CREATE TABLE assessment.answer_file (
  id uuid NOT NULL,
  tenant text NOT NULL,
  attempt_id uuid NOT NULL,
  slot smallint NOT NULL,
  learner_id uuid NOT NULL,
  name text NOT NULL,
  size_bytes bigint NOT NULL,
  sha256 text NOT NULL,
  key text,
  version_id text,
  offered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  stored_at timestamptz,
  CONSTRAINT pk_answer_file PRIMARY KEY (id),
  CONSTRAINT ck_answer_file_stored CHECK ((stored_at IS NULL) = (key IS NULL)),
  CONSTRAINT fk_answer_file_attempt_id_attempt FOREIGN KEY (attempt_id)
    REFERENCES assessment.attempt (id) ON DELETE CASCADE
);
CREATE INDEX ix_answer_file_attempt_id ON assessment.answer_file (attempt_id, slot);
CREATE INDEX ix_answer_file_learner_id ON assessment.answer_file (tenant, learner_id);
"""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    enable_tenancy("answer_file", SCHEMA)
    grant(SCHEMA, SCHEMA)
    op.execute("GRANT SELECT (course) ON assessment.exam TO kourse_assessment_worker")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; what learners answered is never dropped")
