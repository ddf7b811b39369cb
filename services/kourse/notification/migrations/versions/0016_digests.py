"""Whose weekly digest comes when; whoever refused some mail before gets one from the next Monday on."""

from alembic import op

from kourse.kit.migrations import enable_tenancy

revision = "0016"
down_revision = "0015"

SCHEMA = "notification"

DDL = """
CREATE TABLE notification.digest (
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  since_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at timestamptz NOT NULL,
  CONSTRAINT pk_digest PRIMARY KEY (tenant, user_id)
);
CREATE INDEX ix_digest_due_at ON notification.digest (due_at)
"""
GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON notification.digest TO kourse_notification"
FORMER = """
INSERT INTO notification.digest (tenant, user_id, due_at)
SELECT tenant, user_id,
  date_trunc('week', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '7 days 8 hours'
FROM notification.recipient
WHERE wants_mail AND EXISTS (SELECT FROM unnest(refused) AS one WHERE one LIKE '%/email')
"""


def upgrade() -> None:
    for statement in DDL.split(";\n"):
        op.execute(statement)
    op.execute("ALTER TABLE notification.recipient NO FORCE ROW LEVEL SECURITY")
    op.execute(FORMER)
    op.execute("ALTER TABLE notification.recipient FORCE ROW LEVEL SECURITY")
    enable_tenancy("digest", SCHEMA, worker="SELECT (tenant, due_at)")
    op.execute(GRANT)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; digests would come twice")
