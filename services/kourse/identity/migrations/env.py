"""Runs identity's revisions."""

from kourse.identity.tables import SCHEMA, metadata
from kourse.kit import migrations

migrations.run(SCHEMA, metadata)
