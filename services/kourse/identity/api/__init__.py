"""The routes of identity."""

from __future__ import annotations

from fastapi import APIRouter

from kourse.identity.api import account, members, sessions

router = APIRouter()
for part in (sessions, account, members):
    router.include_router(part.router)
