"""Where all tables of notification are."""

from __future__ import annotations

from kourse.kit.tables import service_metadata

SCHEMA = "notification"
metadata = service_metadata(SCHEMA)
