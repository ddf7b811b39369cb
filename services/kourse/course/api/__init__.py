"""HTTP routes of course."""

from fastapi import APIRouter

from kourse.course.api import authoring, editing, learning, teaching

router = APIRouter()
router.include_router(learning.router)
router.include_router(authoring.router)
router.include_router(editing.router)
router.include_router(teaching.router)

__all__ = ["router"]
