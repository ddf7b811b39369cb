"""Notifications with their deliveries, the points ledger, and replicas."""

from alembic import op

from kourse.kit.migrations import create_platform, enable_tenancy, grant

revision = "0001"
down_revision = None

SCHEMA = "notification"
WORKER = {
    "delivery": "SELECT (id, tenant, state, urgency, due_at, attempts),"
    " UPDATE (claim, attempts, due_at)"
}
"""The sender claims what is due in any tenant; what a mail says it reads as the application role."""

DDL = """
CREATE TABLE notification.recipient (
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  locale text NOT NULL,
  wants_mail boolean NOT NULL DEFAULT true,
  unsubscribe_key uuid NOT NULL DEFAULT gen_random_uuid(),
  CONSTRAINT pk_recipient PRIMARY KEY (tenant, user_id),
  CONSTRAINT uq_recipient_tenant_unsubscribe_key UNIQUE (tenant, unsubscribe_key)
);

CREATE TABLE notification.course (
  tenant text NOT NULL,
  course_id uuid NOT NULL,
  course text NOT NULL,
  title text NOT NULL,
  version integer NOT NULL,
  time_zone text NOT NULL,
  CONSTRAINT pk_course PRIMARY KEY (tenant, course_id)
);

CREATE TABLE notification.cohort (
  tenant text NOT NULL,
  cohort_id uuid NOT NULL,
  cohort text NOT NULL,
  title text NOT NULL,
  CONSTRAINT pk_cohort PRIMARY KEY (tenant, cohort_id)
);

CREATE TABLE notification.enrolment (
  tenant text NOT NULL,
  enrolment_id uuid NOT NULL,
  learner_id uuid NOT NULL,
  course_id uuid NOT NULL,
  CONSTRAINT pk_enrolment PRIMARY KEY (tenant, enrolment_id)
);
CREATE INDEX ix_enrolment_course_id ON notification.enrolment (tenant, course_id, learner_id);

CREATE TABLE notification.notification (
  id uuid NOT NULL,
  tenant text NOT NULL,
  user_id uuid NOT NULL,
  kind text NOT NULL,
  params jsonb NOT NULL,
  source_event uuid NOT NULL,
  in_feed boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  read_at timestamptz,
  CONSTRAINT pk_notification PRIMARY KEY (id),
  CONSTRAINT uq_notification_tenant_user_id_kind_source_event
    UNIQUE (tenant, user_id, kind, source_event)
);
CREATE INDEX ix_notification_feed ON notification.notification
  (tenant, user_id, created_at DESC, id DESC) WHERE in_feed;
CREATE INDEX ix_notification_unread ON notification.notification
  (tenant, user_id) WHERE in_feed AND read_at IS NULL;

CREATE TABLE notification.delivery (
  id uuid NOT NULL,
  tenant text NOT NULL,
  notification_id uuid NOT NULL,
  channel text NOT NULL,
  state text NOT NULL DEFAULT 'pending',
  urgency smallint NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  claim uuid,
  outcome text,
  settled_at timestamptz,
  CONSTRAINT pk_delivery PRIMARY KEY (id),
  CONSTRAINT uq_delivery_notification_id_channel UNIQUE (notification_id, channel),
  CONSTRAINT ck_delivery_state CHECK (state IN ('pending', 'sent', 'dropped', 'failed')),
  CONSTRAINT fk_delivery_notification_id_notification FOREIGN KEY (notification_id)
    REFERENCES notification.notification (id) ON DELETE CASCADE
);
CREATE INDEX ix_delivery_due ON notification.delivery (urgency, due_at) WHERE state = 'pending';

CREATE TABLE notification.points_entry (
  id uuid NOT NULL,
  tenant text NOT NULL,
  learner_id uuid NOT NULL,
  reason text NOT NULL,
  subject uuid NOT NULL,
  points integer NOT NULL,
  title text NOT NULL,
  course text NOT NULL,
  source_event uuid NOT NULL,
  earned_at timestamptz NOT NULL,
  CONSTRAINT pk_points_entry PRIMARY KEY (id),
  CONSTRAINT uq_points_entry_tenant_learner_id_reason_subject
    UNIQUE (tenant, learner_id, reason, subject),
  CONSTRAINT uq_points_entry_tenant_source_event_reason UNIQUE (tenant, source_event, reason)
);
CREATE INDEX ix_points_entry_learner_id ON notification.points_entry
  (tenant, learner_id, earned_at DESC, id DESC);
"""

TABLES = ("recipient", "course", "cohort", "enrolment", "notification", "delivery", "points_entry")


def upgrade() -> None:
    create_platform(SCHEMA)
    for statement in filter(str.strip, DDL.split(";\n")):
        op.execute(statement)
    for table in TABLES:
        enable_tenancy(table, SCHEMA, worker=WORKER.get(table, ""))
    grant(SCHEMA, SCHEMA)
    op.execute("REVOKE UPDATE, DELETE ON notification.points_entry FROM kourse_notification")


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; points are never dropped")
