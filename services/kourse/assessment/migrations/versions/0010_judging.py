"""Programs that wait for the judge, and what it said of them."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0010"
down_revision = "0009"

SCHEMA = "assessment"

DDL = """
CREATE TABLE assessment.judging (
  attempt_id uuid NOT NULL,
  slot smallint NOT NULL,
  question_version_id uuid NOT NULL,
  seq bigint NOT NULL,
  tenant text NOT NULL,
  queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  failures smallint NOT NULL DEFAULT 0,
  judged_at timestamptz,
  results jsonb,
  problem text,
  CONSTRAINT pk_judging PRIMARY KEY (attempt_id, slot, question_version_id, seq),
  CONSTRAINT fk_judging_attempt_id_attempt_item FOREIGN KEY (attempt_id, slot)
    REFERENCES assessment.attempt_item (attempt_id, slot) ON DELETE CASCADE
);
CREATE INDEX ix_judging_due ON assessment.judging (due_at) WHERE judged_at IS NULL
"""

WORKER = "SELECT (attempt_id, slot, question_version_id, seq, tenant, queued_at, due_at, judged_at), UPDATE (due_at)"


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    enable_tenancy("judging", SCHEMA, worker=WORKER)
    grant(SCHEMA, SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; what grades rest on is never dropped")
