"""Room that a cohort has for files to hand in."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE course.cohort_replica ADD COLUMN submissions_mib integer")
    op.execute("CREATE INDEX ix_submission_cohort ON course.submission (tenant, cohort)")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; quotas are told again with every change")
