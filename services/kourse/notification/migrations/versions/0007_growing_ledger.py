"""The ledger keeps every event's deed, so that the first that happened counts, not the first that came."""

from alembic import op

revision = "0007"
down_revision = "0005"

DDL = """
ALTER TABLE notification.points_entry
  DROP CONSTRAINT uq_points_entry_tenant_learner_id_reason_subject;
DROP INDEX notification.ix_points_entry_learner_id;
CREATE INDEX ix_points_entry_deed ON notification.points_entry
  (tenant, learner_id, reason, subject, earned_at, source_event)
"""


def upgrade() -> None:
    for statement in DDL.split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; points are never dropped")
