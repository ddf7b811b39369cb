"""HTTP routes of course."""

from fastapi import APIRouter

from kourse.course.api import authoring, editing, handed_in, handing_in, learning, teaching

router = APIRouter()
router.include_router(learning.router)
router.include_router(authoring.router)
router.include_router(editing.router)
router.include_router(teaching.router)
router.include_router(handing_in.router)
router.include_router(handed_in.router)

__all__ = ["router"]
