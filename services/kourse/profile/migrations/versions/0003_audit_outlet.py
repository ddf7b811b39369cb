"""What is recorded here goes on to the audit trail, with its own id and the address that asked."""

from kourse.kit.migrations import upgrade_platform

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    upgrade_platform("profile", 3)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; what was recorded is never dropped")
