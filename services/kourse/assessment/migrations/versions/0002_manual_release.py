"""When a teacher let learners see the answers of an attempt."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE assessment.score ADD COLUMN answers_released_at timestamptz")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; learners' work is never dropped")
