"""HTTP routes of profile."""

from fastapi import APIRouter

from kourse.profile.api import authoring, cohorts, people, posts, schedule

router = APIRouter()
router.include_router(people.router)
router.include_router(schedule.router)
router.include_router(cohorts.router)
router.include_router(posts.router)
router.include_router(authoring.router)

__all__ = ["router"]
