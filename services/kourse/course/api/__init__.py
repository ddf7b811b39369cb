"""HTTP routes of course."""

from fastapi import APIRouter

from kourse.course.api import authoring, learning

router = APIRouter()
router.include_router(learning.router)
router.include_router(authoring.router)

__all__ = ["router"]
