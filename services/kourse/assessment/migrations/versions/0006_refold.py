"""Mastery is folded again for everybody when a course changes what it rests on, and course hears of it.

Every course that is known is folded once, so that course learns what was mastered before it was told.
"""

from alembic import op

from kourse.kit.migrations import worker_role

revision = "0006"
down_revision = "0005"

DDL = """
ALTER TABLE assessment.course_replica
  ADD COLUMN refold_after uuid DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE assessment.course_replica ALTER COLUMN refold_after DROP DEFAULT;
CREATE INDEX ix_course_replica_refolding ON assessment.course_replica (course_id)
  WHERE refold_after IS NOT NULL;
CREATE INDEX ix_mastery_course ON assessment.mastery (tenant, course, learner_id);
"""


def upgrade() -> None:
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    worker = worker_role("assessment")
    op.execute(f"CREATE POLICY worker_access ON assessment.course_replica TO {worker} USING (true)")
    op.execute(
        f"GRANT SELECT (tenant, course_id, refold_after) ON assessment.course_replica TO {worker}"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; learners' work is never dropped")
