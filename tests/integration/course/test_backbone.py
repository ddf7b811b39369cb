"""Profile and course together, over the real broker: what one says, the other does."""

from uuid import UUID, uuid4

import pytest_asyncio

from kourse.contracts.resources import CohortSpec, CourseSpec
from kourse.course.__main__ import service as course_service
from kourse.course.settings import CourseSettings
from kourse.profile.__main__ import service as profile_service
from kourse.profile.settings import ProfileSettings
from support.courses import cohort_document, course_document
from support.houses import open_house
from support.waiting import until

TEACHER = {"who": UUID(int=100), "roles": ["teacher", "author"]}


@pytest_asyncio.fixture
async def houses(scratch, servers, broker_url):
    async with (
        open_house(
            course_service, CourseSettings, scratch, servers, broker_url=broker_url
        ) as course,
        open_house(
            profile_service, ProfileSettings, scratch, servers, broker_url=broker_url
        ) as profile,
    ):
        yield course, profile


async def eventually(ask, wanted):
    """Returns when an answer is wanted."""

    async def is_wanted():
        return wanted(await ask())

    await until(is_wanted)


class TestFromCourseToCohortToLesson:
    async def test_a_learner_joins_by_code_and_studies(self, houses):
        course, profile = houses
        document = CourseSpec.model_validate(course_document(enrolment="Cohort"))
        spec = document.model_dump(mode="json", by_alias=True, exclude_none=True)
        cohort = CohortSpec.model_validate(
            cohort_document(
                dates=[
                    {
                        "course": "statistics",
                        "assignment": "report",
                        "dates": {"due": {"day": 7, "time": "12:00"}},
                    }
                ]
            )
        ).model_dump(mode="json", by_alias=True, exclude_none=True)
        put = "/v1/authoring/cohorts/lisbon"
        assert (await profile.put(put, cohort, **TEACHER)).code == "course-unknown"
        made = await course.put("/v1/authoring/courses/statistics", spec, **TEACHER)
        assert made.status == 200
        await eventually(
            lambda: profile.put(put, cohort, **TEACHER), lambda answer: answer.status == 200
        )
        code = (await profile.get("/v1/cohorts/lisbon/code", **TEACHER)).body["code"]
        learner = uuid4()
        joined = await profile.post("/v1/cohorts/join", {"code": code}, who=learner)
        assert joined.status == 200
        at = "/v1/courses/statistics"
        await eventually(
            lambda: course.get(f"{at}/progress", who=learner),
            lambda answer: answer.status == 200 and answer.body["cohort"] == "lisbon",
        )
        assert (await course.get(f"{at}/lessons/tables", who=learner)).status == 200
        (work,) = (await course.get(f"{at}/assignments", who=learner)).body
        assert (work["dueAt"], work["sources"]) == ("2026-11-09T12:00:00Z", {"dueAt": "cohort"})
