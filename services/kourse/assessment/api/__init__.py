"""HTTP routes of assessment: taking exams, practice, grades, and authoring."""

from __future__ import annotations

from fastapi import APIRouter

from kourse.assessment.api import authored, deciding, files, gradables, learner, reviewing, teacher

router = APIRouter()
router.include_router(learner.router)
router.include_router(files.router)
router.include_router(teacher.router)
router.include_router(gradables.router)
router.include_router(reviewing.router)
router.include_router(deciding.router)
router.include_router(authored.router)

__all__ = ["router"]
