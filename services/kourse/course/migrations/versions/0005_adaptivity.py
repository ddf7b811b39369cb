"""Lessons beside the main path, bands per skill, and learners' mastery as assessment tells of it."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0005"
down_revision = "0004"

DDL = """
ALTER TABLE course.lesson ADD COLUMN path text NOT NULL DEFAULT 'Main';
ALTER TABLE course.skill ADD COLUMN remediation_below smallint, ADD COLUMN challenge_from smallint;
CREATE INDEX ix_exam_replica_course ON course.exam_replica (tenant, course);
CREATE TABLE course.mastery (
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  course text NOT NULL,
  skill text NOT NULL,
  probability double precision NOT NULL,
  answers integer NOT NULL,
  band text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_mastery PRIMARY KEY (tenant, learner_id, course, skill)
);
"""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    enable_tenancy("mastery", "course")
    grant("course", "course")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; learners' work is never dropped")
