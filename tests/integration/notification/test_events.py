"""What follows from each event, through the real inbox, once."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from kourse.contracts import events
from kourse.notification.domain.kinds import Kind
from kourse.notification.repository import calendars, former, ledger, notices
from kourse.notification.service import broadcasting
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def told(sql, user_id):
    return [
        kind
        for (kind,) in sql(
            "SELECT kind FROM notification.notification WHERE user_id = %s ORDER BY created_at",
            user_id,
        )
    ]


def mailed(sql, user_id):
    return [
        kind
        for (kind,) in sql(
            "SELECT n.kind FROM notification.delivery d JOIN notification.notification n"
            " ON n.id = d.notification_id WHERE n.user_id = %s ORDER BY d.created_at",
            user_id,
        )
    ]


def points(sql, user_id):
    return sql(
        "SELECT reason, points FROM notification.points_entry WHERE learner_id = %s"
        " ORDER BY reason",
        user_id,
    )


async def total(databases, user_id):
    async with databases[0].transaction("demo") as tx:
        return await ledger.sum_points(tx, user_id)


def enrolment(learner_id, course_id):
    return events.EnrolmentCreated(
        enrolment_id=uuid4(), learner_id=learner_id, course_id=course_id, course="statistics"
    )


def published(course_id, version=1):
    return events.ContentPublished(
        course_id=course_id,
        course="statistics",
        title="Statistics",
        version=version,
        digest="d",
        time_zone="Europe/Lisbon",
        lessons=[],
        skills=[],
    )


def lesson(learner_id, course_id, enrolment_id, *, completed=1, total=16, lesson_id=None):
    return events.LessonCompleted(
        enrolment_id=enrolment_id,
        learner_id=learner_id,
        course_id=course_id,
        course="statistics",
        lesson_id=lesson_id or uuid4(),
        lesson="means",
        title="The mean",
        completed=completed,
        total=total,
    )


def score(learner_id, *, exam_id=None, attempt_id=None, run=1, passed=True):
    return events.ScoreReleased(
        attempt_id=attempt_id or uuid4(),
        exam_id=exam_id or uuid4(),
        exam="final",
        course_id=uuid4(),
        course="statistics",
        learner_id=learner_id,
        title="Final",
        run=run,
        points="7.50",
        max_points="10",
        percent=75.0,
        passed=passed,
    )


def attempt(learner_id, *, exam_id=None, cause="learner"):
    return events.AttemptSubmitted(
        attempt_id=uuid4(),
        exam_id=exam_id or uuid4(),
        exam="final",
        course_id=uuid4(),
        course="statistics",
        learner_id=learner_id,
        cause=cause,
        title="Final",
    )


class TestRegistration:
    async def test_welcomes_in_feed_and_by_mail(self, bus, sql):
        user_id = uuid4()

        await bus.send(events.UserRegistered(user_id=user_id, display_name="Ana", locale="de"))

        assert told(sql, user_id) == mailed(sql, user_id) == ["welcome"]

    async def test_keeps_neither_name_nor_address(self, bus, sql):
        user_id = uuid4()
        await bus.send(events.UserRegistered(user_id=user_id, display_name="Unforgettable"))

        for table in ("notification", "delivery", "recipient"):
            assert "Unforgettable" not in str(sql(f"SELECT t.* FROM notification.{table} t"))

    async def test_mails_a_code_that_the_feed_does_not_show(self, bus, sql):
        user_id = uuid4()

        await bus.send(events.VerificationRequested(user_id=user_id, delivery_id=uuid4()))

        shown = sql("SELECT in_feed FROM notification.notification WHERE user_id = %s", user_id)
        assert (mailed(sql, user_id), shown) == (["verification"], [(False,)])

    async def test_happens_once_however_often_it_is_delivered(self, bus, sql):
        user_id = uuid4()
        event = events.UserRegistered(user_id=user_id, display_name="Ana")
        delivery = await bus.send(event)

        await bus.send(event, again=delivery)
        await asyncio.gather(*(bus.send(event, again=delivery) for _ in range(5)))

        assert mailed(sql, user_id) == ["welcome"]


class TestSettings:
    async def test_are_known_with_the_moment_from_which_they_hold(self, bus, sql, databases):
        learner = uuid4()
        changed = events.SettingsChanged(learner_id=learner, time_zone="Asia/Tokyo", locale="de")

        delivery = await bus.send(changed)
        await bus.send(changed, again=delivery)

        async with databases[0].transaction("demo") as tx:
            calendar = await calendars.calendar_of(tx, learner)
            assert await calendars.time_zone_of(tx, learner) == "Asia/Tokyo"
            assert await calendars.time_zone_of(tx, uuid4()) == "UTC"
        assert (calendar.since, calendar.zones) == ((delivery.time,), ("Asia/Tokyo",))
        locale = "SELECT locale FROM notification.recipient WHERE user_id = %s"
        assert sql(locale, learner) == [("de",)]

    async def test_are_forgotten_with_the_person_and_do_not_come_back(self, bus, sql):
        learner = uuid4()
        changed = events.SettingsChanged(learner_id=learner, time_zone="Asia/Tokyo", locale="de")
        await bus.send(changed)

        await bus.send(events.UserDeleted(user_id=learner))
        await bus.send(changed)

        assert sql("SELECT 1 FROM notification.calendar WHERE learner_id = %s", learner) == []


class TestCourse:
    async def test_tells_everybody_enrolled_and_nobody_else_of_a_new_version(self, bus, sql):
        course_id, other = uuid4(), uuid4()
        inside = [uuid4() for _ in range(3)]
        outside = uuid4()
        for learner in inside:
            await bus.send(enrolment(learner, course_id))
        await bus.send(enrolment(outside, other))

        await bus.send(published(course_id, version=2))

        assert all(told(sql, one) == ["enrolled", "course-published"] for one in inside)
        assert told(sql, outside) == ["enrolled"]

    async def test_tells_somebody_enrolled_twice_once(self, bus, sql):
        course_id, learner = uuid4(), uuid4()
        await bus.send(enrolment(learner, course_id))
        await bus.send(enrolment(learner, course_id))

        await bus.send(published(course_id, version=2))

        assert told(sql, learner).count("course-published") == 1

    async def test_tells_nobody_of_another_tenants_course(self, bus, sql):
        course_id, learner = uuid4(), uuid4()
        await bus.send(enrolment(learner, course_id))

        await bus.send(published(course_id, version=2), tenant="elsewhere")

        assert told(sql, learner) == ["enrolled"]

    async def test_tells_of_assignments_and_of_new_exams(self, bus, sql):
        course_id, learner = uuid4(), uuid4()
        await bus.send(enrolment(learner, course_id))
        assignment = events.AssignmentCreated(
            course_id=course_id,
            course="statistics",
            assignment_id=uuid4(),
            assignment="report",
            title="Report",
            category="work",
            points=10,
            due_at=datetime(2027, 3, 1, tzinfo=UTC),
        )
        exam = events.ExamScheduled(
            exam_id=uuid4(),
            exam="final",
            course_id=course_id,
            course="statistics",
            title="Final",
            purpose="Exam",
            version=1,
        )

        await bus.send(assignment)
        await bus.send(exam)
        await bus.send(exam.model_copy(update={"version": 2}))

        assert told(sql, learner) == ["enrolled", "assignment-created", "exam-scheduled"]
        assert mailed(sql, learner) == ["enrolled", "assignment-created"]


class TestCohort:
    async def test_shows_that_one_joined_without_a_mail(self, bus, sql):
        learner = uuid4()

        await bus.send(
            events.GroupJoined(
                cohort_id=uuid4(), cohort="autumn", learner_id=learner, courses=["statistics"]
            )
        )

        assert (told(sql, learner), mailed(sql, learner)) == (["cohort-joined"], [])

    async def test_is_told_of_an_announcement_but_for_its_author_and_those_who_left(self, bus, sql):
        cohort = {"cohort_id": uuid4(), "cohort": "autumn"}
        learner, leader, leaver = people = uuid4(), uuid4(), uuid4()
        for one in people:
            await bus.send(events.GroupJoined(**cohort, learner_id=one, courses=[]))
        left = {"learner_id": leaver, "actor_id": leaver, "courses": []}
        await bus.send(events.GroupLeft(**cohort, **left))

        post = {"announcement_id": uuid4(), "author_id": leader}
        await bus.send(events.AnnouncementPosted(**cohort, **post))

        joined = "cohort-joined"
        assert [told(sql, one) for one in people] == [[joined, "announcement"], [joined], [joined]]
        assert mailed(sql, learner) == ["announcement"]

    async def test_lets_a_learner_know_that_a_teacher_wrote(self, bus, sql):
        learner = uuid4()

        await bus.send(
            events.MessageSent(learner_id=learner, message_id=uuid4(), author_id=uuid4())
        )

        assert (told(sql, learner), mailed(sql, learner)) == (["message"], ["message"])


class TestLesson:
    async def test_is_told_and_earns_points(self, bus, sql):
        learner = uuid4()

        await bus.send(lesson(learner, uuid4(), uuid4()))

        assert told(sql, learner) == ["lesson-completed"]
        assert points(sql, learner) == [("lesson-completed", 10)]

    async def test_earns_more_with_the_last_of_a_course(self, bus, sql):
        learner = uuid4()

        await bus.send(lesson(learner, uuid4(), uuid4(), completed=16))

        assert points(sql, learner) == [("course-completed", 100), ("lesson-completed", 10)]

    async def test_earns_nothing_again_in_a_repeated_run_of_the_course(self, bus, sql, databases):
        learner, course_id, lesson_id = uuid4(), uuid4(), uuid4()

        await bus.send(lesson(learner, course_id, uuid4(), lesson_id=lesson_id))
        await bus.send(lesson(learner, course_id, uuid4(), lesson_id=lesson_id))

        assert points(sql, learner) == [("lesson-completed", 10)] * 2
        assert await total(databases, learner) == 10

    async def test_earns_once_when_its_event_comes_again(self, bus, sql):
        learner = uuid4()
        event = lesson(learner, uuid4(), uuid4())
        delivery = await bus.send(event)

        await asyncio.gather(*(bus.send(event, again=delivery) for _ in range(5)))

        assert points(sql, learner) == [("lesson-completed", 10)]


class TestScore:
    async def test_is_told_when_it_is_released_and_earns_points_when_passed(self, bus, sql):
        learner = uuid4()

        await bus.send(score(learner))

        assert told(sql, learner) == ["exam-graded"]
        assert points(sql, learner) == [("exam-passed", 50)]

    async def test_earns_nothing_when_not_passed(self, bus, sql):
        learner = uuid4()

        await bus.send(score(learner, passed=False))

        assert points(sql, learner) == []

    async def test_is_told_again_after_a_regrade_and_earns_once(self, bus, sql, databases):
        learner, exam_id, attempt_id = uuid4(), uuid4(), uuid4()
        await bus.send(score(learner, exam_id=exam_id, attempt_id=attempt_id))

        await bus.send(score(learner, exam_id=exam_id, attempt_id=attempt_id, run=2))

        assert told(sql, learner) == ["exam-graded", "exam-regraded"]
        assert await total(databases, learner) == 50

    async def test_is_no_regrade_for_who_was_told_of_no_earlier_run(self, bus, sql):
        learner = uuid4()

        await bus.send(score(learner, run=2))

        assert told(sql, learner) == ["exam-graded"]

    async def test_is_not_told_before_its_release(self, bus, sql):
        learner = uuid4()
        graded = events.ExamGraded(
            attempt_id=uuid4(),
            exam_id=uuid4(),
            exam="final",
            course_id=uuid4(),
            course="statistics",
            learner_id=learner,
            run=1,
        )

        await bus.send(graded)

        assert (told(sql, learner), points(sql, learner)) == ([], [])


class TestAttempt:
    async def test_earns_points_when_it_was_handed_in(self, bus, sql):
        learner = uuid4()

        await bus.send(attempt(learner))

        assert (told(sql, learner), points(sql, learner)) == ([], [("exam-taken", 5)])

    async def test_earns_nothing_when_its_time_ran_out(self, bus, sql):
        learner = uuid4()

        await bus.send(attempt(learner, cause="clock"))

        assert points(sql, learner) == []


class TestPointsEntry:
    async def test_cannot_be_changed_by_the_service(self, databases):
        from sqlalchemy import text
        from sqlalchemy.exc import ProgrammingError

        with pytest.raises(ProgrammingError, match="permission denied"):
            async with databases[0].transaction("demo") as tx:
                await tx.execute(text("UPDATE notification.points_entry SET points = 0"))


class TestDeletedAccount:
    async def test_waits_for_an_event_that_is_being_applied_and_takes_its_rows_along(
        self, databases, bus, sql
    ):
        learner = uuid4()
        async with databases[0].transaction("demo") as tx:
            assert not await former.is_former(tx, learner)
            erasing = asyncio.create_task(bus.send(events.UserDeleted(user_id=learner)))
            await until(lambda: is_waited_for(sql))
            await notices.tell(tx, learner, notices.Notice(Kind.ENROLLED, {}, uuid4()))

        await erasing

        assert told(sql, learner) == []

    async def test_waits_for_news_to_the_whole_course_and_takes_its_rows_along(
        self, databases, bus, sql
    ):
        learner, course_id = uuid4(), uuid4()
        await bus.send(enrolment(learner, course_id))
        async with databases[0].transaction("demo") as tx:
            notice = notices.Notice(Kind.COURSE_PUBLISHED, {}, uuid4())
            await broadcasting.tell_enrolled(tx, course_id, notice)
            erasing = asyncio.create_task(bus.send(events.UserDeleted(user_id=learner)))
            await until(lambda: is_waited_for(sql))

        await erasing

        assert told(sql, learner) == []


def is_waited_for(sql):
    """Whether a transaction of this database waits for another."""
    return sql(
        "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE NOT l.granted AND a.datname = current_database()"
    )


class TestFeedback:
    async def test_is_told_when_it_is_released(self, bus, sql):
        learner = uuid4()

        await bus.send(
            events.FeedbackReleased(
                submission_id=uuid4(),
                assignment_id=uuid4(),
                assignment="survey",
                course_id=uuid4(),
                course="statistics",
                learner_id=learner,
                run=1,
                title="A survey of your own",
                points="17",
                max_points="20",
                percent=85.0,
            )
        )

        assert told(sql, learner) == mailed(sql, learner) == ["feedback-received"]


def risk(learner_id, *, enrolment_id=None, reasons=("inactive",)):
    """A learner falls behind."""
    return events.RiskRaised(
        enrolment_id=enrolment_id or uuid4(),
        learner_id=learner_id,
        course_id=uuid4(),
        course="statistics",
        reasons=list(reasons),
    )


class TestRisk:
    MONDAY = datetime(2027, 3, 1, tzinfo=UTC)

    async def test_brings_a_kind_word_that_does_not_say_why(self, bus, sql):
        learner = uuid4()

        await bus.send(risk(learner, reasons=["scores-fall", "missed"]))

        assert told(sql, learner) == mailed(sql, learner) == ["encouragement"]
        ((params,),) = sql(
            "SELECT params FROM notification.notification WHERE user_id = %s", learner
        )
        assert set(params) == {"course_id", "course"}

    async def test_is_told_once_a_week_for_each_enrolment(self, bus, sql):
        learner, enrolment_id = uuid4(), uuid4()

        for days in (0, 2, 6, 7):
            await bus.send(
                risk(learner, enrolment_id=enrolment_id), at=self.MONDAY + timedelta(days=days)
            )
        await bus.send(risk(learner), at=self.MONDAY)

        assert told(sql, learner) == ["encouragement"] * 3
