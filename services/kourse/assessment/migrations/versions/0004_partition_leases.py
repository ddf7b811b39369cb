"""Replicas of a consumer share its partitions; what stands aside can be counted across tenants."""

from kourse.kit.migrations import upgrade_platform

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    upgrade_platform("assessment", 2)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; events are never dropped")
