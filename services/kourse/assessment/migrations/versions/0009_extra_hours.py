"""Accommodations that lengthen all assignments of a course."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE assessment.accommodation ADD COLUMN extra_hours integer")


def downgrade() -> None:
    raise NotImplementedError(
        "restore a backup instead; what learners were granted is never dropped"
    )
