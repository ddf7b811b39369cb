"""Siblings' events over the real backbone, and what a learner can do once they arrived."""

from uuid import uuid4

import pytest

from kourse.contracts import names
from kourse.contracts.events import CohortDeclared, ContentPublished, EnrolmentCreated
from kourse.kit.bus import Broker
from kourse.kit.ids import new_id
from support.events import running
from support.siblings import Sibling
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

COURSE = names.declared_id("demo", "Course", "statistics")
COHORT = names.declared_id("demo", "Cohort", "evening")

published = ContentPublished(
    course_id=COURSE,
    course="statistics",
    title="Statistics",
    version=1,
    digest="d",
    time_zone="Europe/Lisbon",
    lessons=[],
    skills=[
        {"key": key, "title": key, "prior": 0.3, "learn": 0.1, "guess": 0.2, "slip": 0.1}
        for key in ("reading", "summing")
    ],
    categories=[{"key": "work", "title": "Work", "weight": 100}],
)
declared = CohortDeclared(
    cohort_id=COHORT,
    cohort="evening",
    title="Evening",
    courses=["statistics"],
    starts_on="2026-11-02",
    ends_on="2027-06-30",
    time_zone="Europe/Lisbon",
    dates=[
        {"course": "statistics", "exam": "quiz", "closes_at": "2100-01-01T12:00:00Z"},
    ],
)


class TestEvents:
    async def test_make_exams_visible_with_the_cohorts_dates(self, house, scratch, broker_url):
        broker = Broker(broker_url, name="siblings")
        course, profile = (Sibling(scratch, broker, name) for name in ("course", "profile"))
        learner = new_id()
        enrolled = EnrolmentCreated(
            enrolment_id=uuid4(),
            learner_id=learner,
            course_id=COURSE,
            course="statistics",
            cohort="evening",
            cohort_id=COHORT,
        )
        async with running(course.relay, profile.relay):
            await course.tell(published)
            await until(lambda: house.rows("SELECT 1 FROM assessment.course_replica"))
            await house.pool()
            await house.exam()
            await profile.tell(declared)
            await course.tell(enrolled)
            await until(lambda: house.rows("SELECT 1 FROM assessment.enrolment_replica"))
            await until(lambda: house.rows("SELECT 1 FROM assessment.cohort_replica"))
        exam = (await house.get("/v1/exams/quiz", by=learner)).body
        assert exam["closesAt"] == "2100-01-01T12:00:00Z"
        assert (await house.start(learner)).status == 201
        await course.close()
        await profile.close()
        await broker.close()
