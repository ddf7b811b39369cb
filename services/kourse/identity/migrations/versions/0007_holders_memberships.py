"""An account's own memberships can be seen across tenants, so that its end reaches all of them."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute(
        "CREATE POLICY holder_access ON identity.membership FOR SELECT"
        " USING (user_id = nullif(current_setting('app.account', true), '')::uuid)"
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
