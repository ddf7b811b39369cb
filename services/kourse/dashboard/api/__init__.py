"""REST of the dashboard service."""

from __future__ import annotations

from fastapi import APIRouter

from kourse.dashboard.api import learner, streams, teacher, tenant

router = APIRouter()
for _part in (learner, teacher, tenant, streams):
    router.include_router(_part.router)
