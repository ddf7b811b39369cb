"""The routes of identity."""

from __future__ import annotations

from fastapi import APIRouter

from kourse.identity.api import account, invitations, members, programs, sessions, sign_on, trail

router = APIRouter()
for part in (sessions, sign_on, account, members, invitations, programs, trail):
    router.include_router(part.router)
