"""How far a realm of Keycloak was followed, and which of its latest events were dealt with."""

from alembic import op

from kourse.kit.migrations import grant

revision = "0011"
down_revision = "0010"

SCHEMA = "identity"

DDL = """
CREATE TABLE identity.realm_progress (
  issuer text NOT NULL,
  part text NOT NULL,
  reached_ms bigint NOT NULL,
  CONSTRAINT pk_realm_progress PRIMARY KEY (issuer, part)
);
CREATE TABLE identity.realm_event (
  issuer text NOT NULL,
  log text NOT NULL,
  id text NOT NULL,
  at_ms bigint NOT NULL,
  CONSTRAINT pk_realm_event PRIMARY KEY (issuer, id)
);
CREATE INDEX ix_realm_event_at_ms ON identity.realm_event (issuer, log, at_ms)
"""


def upgrade() -> None:
    for statement in DDL.split(";"):
        op.execute(statement)
    grant(SCHEMA, SCHEMA)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead; what was followed is never forgotten")
