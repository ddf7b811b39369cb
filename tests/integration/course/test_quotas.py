"""Room for hand-ins: the files of a cohort stay within the quota that it declares."""

import asyncio
from datetime import date
from uuid import UUID

import pytest_asyncio

from kourse.contracts import names
from kourse.contracts.events import CohortDeclared, GroupJoined
from support.courses import course_document
from support.handing_in import Desk, hand_in_course
from support.houses import LEARNER, OTHER_LEARNER, new_key

COHORT_ID = names.declared_id("demo", "Cohort", "evening")
BY_THEMSELVES = UUID(int=9)
HALF = 600 * 1024
"""More than half a MiB, which is all the room there is."""


@pytest_asyncio.fixture
async def desk(house, publish, bucket, hear):
    """A desk in a course that a cohort of two studies with room for 1 MiB, and a third by themselves."""
    await publish(spec=hand_in_course())
    await declare(hear, 1)
    for who in (LEARNER, OTHER_LEARNER):
        member = {"cohort_id": COHORT_ID, "cohort": "evening", "courses": ["statistics"]}
        await hear(GroupJoined(learner_id=who, **member))
    await house.post("/v1/courses/statistics/enrolments", key=new_key(), who=BY_THEMSELVES)
    return Desk(house)


async def declare(hear, mib):
    await hear(
        CohortDeclared(
            cohort_id=COHORT_ID,
            cohort="evening",
            title="Evening class",
            courses=["statistics"],
            starts_on=date(2026, 11, 2),
            ends_on=date(2027, 6, 30),
            time_zone="Europe/Lisbon",
            submissions_mib=mib,
        )
    )


async def announce(desk, who):
    return await desk.announce(b"x", size=HALF, who=who)


class TestQuota:
    async def test_is_shared_by_the_members_and_says_what_is_left(self, desk):
        assert (await announce(desk, LEARNER)).status == 201
        refused = await announce(desk, OTHER_LEARNER)
        assert (refused.status, refused.code) == (409, "cohort-quota-used-up")
        assert refused.body["free"] == 1024 * 1024 - HALF

    async def test_is_not_exceeded_by_members_at_once(self, desk):
        answers = await asyncio.gather(*(announce(desk, who) for who in (LEARNER, OTHER_LEARNER)))
        assert sorted(answer.status for answer in answers) == [201, 409]

    async def test_is_free_again_once_a_file_is_withdrawn(self, desk):
        offer = (await announce(desk, LEARNER)).body
        assert (await desk.withdraw(offer["id"])).status == 204
        assert (await announce(desk, OTHER_LEARNER)).status == 201

    async def test_grows_when_the_cohort_declares_more(self, desk, hear):
        await announce(desk, LEARNER)
        await declare(hear, 2)
        assert (await announce(desk, OTHER_LEARNER)).status == 201

    async def test_binds_nobody_outside_the_cohort(self, desk):
        await announce(desk, LEARNER)
        assert (await announce(desk, BY_THEMSELVES)).status == 201


class TestRepeat:
    async def test_of_an_announcement_gives_the_first_offer(self, desk):
        key = new_key()
        first, again = [await desk.announce(b"x", key=key) for _ in range(2)]
        assert (first.status, again.status) == (201, 201)
        assert again.body == first.body
        assert again.headers["idempotency-replayed"] == "true"

    async def test_of_a_withdrawal_is_no_second_one(self, desk):
        offer = (await desk.announce(b"x")).body
        key = new_key()
        first, again = [await desk.withdraw(offer["id"], key=key) for _ in range(2)]
        assert (first.status, again.status) == (204, 204)
        assert (await desk.withdraw(offer["id"])).status == 404

    async def test_is_possible_in_a_course_made_through_the_api(self, house, hear):
        author = {"roles": ["author"]}
        document = course_document(deletionPolicy="Delete")
        await house.put("/v1/authoring/courses/statistics", document, **author)
        await house.post("/v1/courses/statistics/enrolments", key=new_key())
        desk = Desk(house)
        assert (await desk.bring(b"x"))["storedAt"]
