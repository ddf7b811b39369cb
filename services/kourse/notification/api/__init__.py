"""HTTP routes of notification: messages, and the game."""

from fastapi import APIRouter

from kourse.notification.api import (
    badges,
    leaderboards,
    messages,
    points,
    previews,
    streams,
    webhooks,
)

router = APIRouter()
router.include_router(messages.router)
router.include_router(previews.router)
router.include_router(streams.router)
router.include_router(webhooks.router)
router.include_router(points.router)
router.include_router(badges.router)
router.include_router(leaderboards.router)

__all__ = ["router"]
