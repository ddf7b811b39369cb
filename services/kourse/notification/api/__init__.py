"""HTTP routes of notification: messages, and the game."""

from fastapi import APIRouter

from kourse.notification.api import badges, messages, points

router = APIRouter()
router.include_router(messages.router)
router.include_router(points.router)
router.include_router(badges.router)

__all__ = ["router"]
