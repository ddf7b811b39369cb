"""Runs notification's revisions."""

from kourse.kit import migrations
from kourse.notification.tables import SCHEMA, metadata

migrations.run(SCHEMA, metadata)
