"""Which dates of an assignment hold for whom: extensions, labels and accommodations, over HTTP."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from kourse.contracts import names
from kourse.contracts.events import AccommodationChanged, CohortDeclared, GroupJoined
from kourse.course.service import expiring
from support.handing_in import WORK, hand_in_course
from support.houses import LEARNER, OTHER_LEARNER, new_key

TEACHER = UUID(int=77)
HOUR = timedelta(hours=1)
LABELS = f"/v1/courses/statistics/learners/{LEARNER}/labels"
TEACHING = {"who": TEACHER, "roles": ["teacher"]}


async def extend(house, **order):
    body = {"learner": str(LEARNER), "reason": "Ill, with a note.", **order}
    return await house.post(f"{WORK}/report/extensions", body, key=new_key(), **TEACHING)


async def label(house, *labels, **how):
    body = {"labels": list(labels)}
    return await house.call("PUT", LABELS, body, key=new_key(), **(TEACHING | how))


async def accommodate(hear, hours):
    await hear(
        AccommodationChanged(
            learner_id=LEARNER,
            course_id=names.declared_id("demo", "Course", "statistics"),
            course="statistics",
            extra_hours=hours,
            actor_id=TEACHER,
        )
    )


async def shown(desk, **how):
    found = (await desk.read(**how)).body["assignment"]
    return {
        name: found[name] and datetime.fromisoformat(found[name]) for name in ("dueAt", "closesAt")
    } | {"sources": found["sources"]}


class TestExtensionsOfTheClose:
    async def test_reopen_what_has_no_due_time(self, desk, house, rows):
        file = await desk.bring(b"x")
        desk.dates(rows, closes=-HOUR)
        assert (await desk.hand_in([file["id"]])).code == "assignment-closed"
        later = datetime.now(UTC) + HOUR

        given = await extend(house, closesAt=later.isoformat())

        assert (given.status, given.body["dueAt"]) == (201, None)
        found = await shown(desk)
        assert (found["dueAt"], found["closesAt"]) == (None, later)
        made = await desk.hand_in([file["id"]])
        assert (made.status, made.body["late"]) == (201, False)

    async def test_tell_the_close_where_nothing_is_due(self, desk, house, rows):
        desk.dates(rows, closes=HOUR)
        later = datetime.now(UTC) + 2 * HOUR
        await extend(house, closesAt=later.isoformat())
        ((told,),) = rows(
            "SELECT payload ->> 'due_at' FROM course.outbox"
            " WHERE type = 'course.assignment.extended'"
        )
        assert datetime.fromisoformat(told) == later

    async def test_leave_the_due_time_and_with_it_the_deduction(self, desk, house, rows):
        file = await desk.bring(b"x")
        desk.dates(rows, due=-2 * HOUR, closes=-HOUR)
        later = datetime.now(UTC) + HOUR
        assert (await extend(house, closesAt=later.isoformat())).status == 201
        made = await desk.hand_in([file["id"]])
        assert (made.status, made.body["late"]) == (201, True)
        assert not rows("SELECT 1 FROM course.outbox WHERE type = 'course.assignment.extended'")

    async def test_need_one_date_at_least(self, desk, house):
        answer = await extend(house)
        assert (answer.status, answer.code) == (422, "invalid")


class TestExtensionsOfACohort:
    async def test_are_told_of_who_joins_afterwards(self, house, publish, hear, rows):
        await publish(spec=hand_in_course())
        cohort = {"cohort_id": UUID(int=40), "cohort": "evening", "courses": ["statistics"]}
        run = {"starts_on": date(2026, 11, 2), "ends_on": date(2027, 6, 30)}
        await hear(CohortDeclared(**cohort, **run, title="Evening", time_zone="Europe/Lisbon"))
        await hear(GroupJoined(learner_id=LEARNER, **cohort))
        later = datetime.now(UTC) + 400 * 24 * HOUR
        given = await extend(house, learner=None, cohort="evening", dueAt=later.isoformat())
        assert given.status == 201, given.body

        await hear(GroupJoined(learner_id=OTHER_LEARNER, **cohort))

        told = rows(
            "SELECT payload ->> 'learner_id', payload ->> 'due_at' FROM course.outbox"
            " WHERE type = 'course.assignment.extended' ORDER BY id"
        )
        assert [who for who, _ in told] == [str(LEARNER), str(OTHER_LEARNER)]
        assert {datetime.fromisoformat(at) for _, at in told} == {later}


class TestLabels:
    async def test_give_their_learners_the_dates_that_are_declared_for_them(
        self, house, publish, desk
    ):
        before = await shown(desk)
        spec = hand_in_course()
        spec = spec.model_dump(mode="json", by_alias=True)
        spec["assignments"][0]["overrides"] = [
            {"label": "evening", "dates": {"due": {"day": 21, "time": "18:00"}}}
        ]
        await publish(spec=hand_in_course().model_validate(spec))
        assert (await shown(desk))["dueAt"] == before["dueAt"]

        answer = await label(house, "evening")

        assert (answer.status, answer.body["labels"]) == (200, ["evening"])
        found = await shown(desk)
        assert found["dueAt"] == before["dueAt"] + timedelta(days=7)
        assert found["sources"]["dueAt"] == "label"
        assert (await shown(desk, who=OTHER_LEARNER))["dueAt"] == before["dueAt"]

    async def test_are_told_once_and_kept_in_the_audit_trail(self, desk, house, rows):
        for _ in range(2):
            await label(house, "b", "a", "b")
        ((told,),) = rows(
            "SELECT payload -> 'labels' FROM course.outbox WHERE type = 'course.enrolment.changed'"
        )
        assert told == ["a", "b"]
        ((action, detail),) = rows(
            "SELECT action, detail FROM course.audit_entry ORDER BY id DESC LIMIT 1"
        )
        assert (action, detail["before"], detail["labels"]) == ("enrolment.label", [], ["a", "b"])
        read = await house.get(LABELS, **TEACHING)
        assert read.body == {"learnerId": str(LEARNER), "cohort": None, "labels": ["a", "b"]}

    async def test_are_for_teachers_of_the_cohort_alone(self, desk, house):
        theirs = {"roles": [], "scopes": ["teacher@cohort:evening"]}
        assert (await label(house, "a", **theirs)).status == 404
        assert (await label(house, "a", who=LEARNER, roles=["learner"])).status == 403


class TestAccommodations:
    async def test_lengthen_every_assignment_and_extensions_come_on_top(
        self, desk, house, hear, rows
    ):
        desk.dates(rows, due=HOUR, closes=2 * HOUR)
        before = await shown(desk)

        await accommodate(hear, 48)

        found = await shown(desk)
        for name in ("dueAt", "closesAt"):
            assert found[name] == before[name] + timedelta(hours=48)
            assert found["sources"][name] == "accommodation"
        assert (await shown(desk, who=OTHER_LEARNER))["dueAt"] == before["dueAt"]
        later = found["dueAt"] + HOUR
        await extend(house, dueAt=later.isoformat())
        assert (await shown(desk))["dueAt"] == later

    async def test_reopen_what_was_closed_until_they_are_taken_back(self, desk, house, hear, rows):
        file = await desk.bring(b"x")
        desk.dates(rows, due=-2 * HOUR, closes=-HOUR, joined=-30 * 24 * HOUR)
        told = "SELECT count(*) FROM course.outbox WHERE type = 'course.assignment.expired'"
        await expiring.sweep(house.runtime)
        assert rows(told) == [(2,)]
        await accommodate(hear, 48)
        assert (await desk.hand_in([file["id"]])).body["late"] is False
        await accommodate(hear, 0)
        assert (await desk.hand_in([file["id"]])).code == "assignment-closed"
        await expiring.sweep(house.runtime)
        assert rows(told) == [(2,)]
