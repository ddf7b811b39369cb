"""The platform tables of the dashboard schema."""

from kourse.kit.migrations import create_platform, grant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the schema's tables."""
    create_platform("dashboard")
    grant("dashboard", "dashboard")
