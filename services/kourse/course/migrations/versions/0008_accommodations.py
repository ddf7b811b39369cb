"""Learners who have longer for all assignments of a course; extensions of the close alone."""

from alembic import op

from kourse.kit.migrations import enable_tenancy, grant

revision = "0008"
down_revision = "0007"

DDL = """
CREATE TABLE course.accommodation (
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  course text NOT NULL,
  extra_hours integer NOT NULL,
  CONSTRAINT pk_accommodation PRIMARY KEY (tenant, learner_id, course)
);
ALTER TABLE course.extension ALTER COLUMN due_at DROP NOT NULL;
ALTER TABLE course.extension ADD CONSTRAINT ck_extension_dates
  CHECK (due_at IS NOT NULL OR closes_at IS NOT NULL);
"""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    enable_tenancy("accommodation", "course")
    grant("course", "course")


def downgrade() -> None:
    raise NotImplementedError(
        "restore a backup instead; what learners were granted is never dropped"
    )
