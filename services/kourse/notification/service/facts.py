"""Fills a notification's parameters up with what templates say to people: titles and time zones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.repository import notices, replicas
from kourse.notification.repository.notices import Told
from kourse.notification.repository.replicas import Titles


async def titles_for(tx: AsyncSession, told: Sequence[Told]) -> Titles:
    """The titles that these notifications need, in two queries for all of them."""
    return await replicas.titles(tx, notices.ids_in(told))


def facts_of(told: Told, titles: Titles) -> dict[str, Any]:
    """The parameters with titles; a name stands in for a title that has not arrived yet."""
    facts = dict(told.params)
    if "course_id" in facts:
        course_id = UUID(facts["course_id"])
        facts["course_title"] = titles.courses.get(course_id, facts["course"])
        facts["time_zone"] = titles.time_zones.get(course_id, "UTC")
    if "cohort_id" in facts:
        facts["cohort_title"] = titles.cohorts.get(UUID(facts["cohort_id"]), facts["cohort"])
    return facts
