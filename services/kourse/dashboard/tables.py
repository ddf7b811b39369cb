"""The dashboard's schema holds the platform's own tables only: its inbox and cursors."""

from __future__ import annotations

from kourse.kit.tables import service_metadata

metadata = service_metadata("dashboard")
