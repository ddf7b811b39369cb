"""The routes of identity."""

from __future__ import annotations

from fastapi import APIRouter

from kourse.identity.api import account, members, programs, sessions

router = APIRouter()
for part in (sessions, account, members, programs):
    router.include_router(part.router)
