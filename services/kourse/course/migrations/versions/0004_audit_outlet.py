"""What is recorded here goes on to the audit trail, with its own id and the address that asked."""

from kourse.kit.migrations import upgrade_platform

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    upgrade_platform("course", 3)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; what was recorded is never dropped")
