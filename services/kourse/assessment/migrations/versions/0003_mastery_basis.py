"""The parameters under which mastery was folded, so that a fold under old ones is noticed."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE assessment.mastery ADD COLUMN basis text NOT NULL DEFAULT ''")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; learners' work is never dropped")
