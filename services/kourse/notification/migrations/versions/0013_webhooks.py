"""People's webhooks, and what is delivered to them."""

from alembic import op

from kourse.kit.migrations import enable_tenancy

revision = "0013"
down_revision = "0012"

SCHEMA = "notification"
WORKER = (
    "SELECT (id, tenant, webhook_id, state, due_at, attempts), UPDATE (claim, attempts, due_at)"
)
"""The sender claims what is due in any tenant; what it sends and where it reads as the application role."""

DDL = """
CREATE TABLE notification.webhook (
  id uuid NOT NULL,
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  url text NOT NULL,
  description text NOT NULL,
  kinds text[],
  sealed bytea NOT NULL,
  former_sealed bytea,
  former_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  disabled text,
  disabled_at timestamptz,
  failing_since timestamptz,
  failures integer NOT NULL DEFAULT 0,
  CONSTRAINT pk_webhook PRIMARY KEY (id),
  CONSTRAINT ck_webhook_disabled CHECK (disabled IN ('owner', 'failing', 'gone'))
);
CREATE INDEX ix_webhook_user_id ON notification.webhook (tenant, user_id);

CREATE TABLE notification.webhook_delivery (
  id uuid NOT NULL,
  tenant text NOT NULL,
  webhook_id uuid NOT NULL,
  notification_id uuid,
  state text NOT NULL DEFAULT 'pending',
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  claim uuid,
  outcome text,
  status smallint,
  took_ms integer,
  settled_at timestamptz,
  CONSTRAINT pk_webhook_delivery PRIMARY KEY (id),
  CONSTRAINT uq_webhook_delivery_webhook_id_notification_id UNIQUE (webhook_id, notification_id),
  CONSTRAINT ck_webhook_delivery_state
    CHECK (state IN ('pending', 'delivered', 'failed', 'dropped')),
  CONSTRAINT fk_webhook_delivery_webhook_id_webhook FOREIGN KEY (webhook_id)
    REFERENCES notification.webhook (id) ON DELETE CASCADE,
  CONSTRAINT fk_webhook_delivery_notification_id_notification FOREIGN KEY (notification_id)
    REFERENCES notification.notification (id) ON DELETE CASCADE
);
CREATE INDEX ix_webhook_delivery_due ON notification.webhook_delivery (webhook_id, due_at)
  WHERE state = 'pending';
CREATE INDEX ix_webhook_delivery_log ON notification.webhook_delivery
  (webhook_id, created_at DESC, id DESC);
CREATE INDEX ix_webhook_delivery_notification_id ON notification.webhook_delivery (notification_id)
"""


def upgrade() -> None:
    for statement in DDL.split(";\n"):
        op.execute(statement)
    enable_tenancy("webhook", SCHEMA)
    enable_tenancy("webhook_delivery", SCHEMA, worker=WORKER)
    for table in ("webhook", "webhook_delivery"):
        op.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON notification.{table} TO kourse_notification"
        )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; endpoints would have to be made anew")
