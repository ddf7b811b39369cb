"""Reminders through the real inbox and a real database, with a clock that tests move."""

import asyncio
import os
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from integration.notification.test_events import published, told
from kourse.contracts import events
from kourse.contracts.events import CohortDates, DeclaredDates, DeclaredMoment, LabelDates
from kourse.kit.clock import database_now
from kourse.notification.service.reminding import Reminding
from support.waiting import LONG_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

TESTS = Path(__file__).parents[2]
DAY = timedelta(days=1)
START = datetime.now(UTC).replace(microsecond=0)
DUE = START + 10 * DAY
SOON, LATE = "assignment-due-soon", "assignment-overdue"
MAILS = (
    "SELECT n.kind, d.state, d.outcome FROM notification.delivery d"
    " JOIN notification.notification n ON n.id = d.notification_id"
    " WHERE n.user_id = %s AND n.kind IN ('assignment-due-soon', 'assignment-overdue')"
    " ORDER BY n.created_at"
)


class Classroom:
    """A course of its own with learners, by the events that tell of them."""

    def __init__(self, bus):
        self._bus = bus
        self.course_id, self.assignment_id, self.exam_id = uuid4(), uuid4(), uuid4()
        self.enrolments = {}

    def _of(self):
        return {"course_id": self.course_id, "course": f"c{self.course_id.hex}"}

    async def publish(self):
        await self._bus.send(published(self.course_id))

    async def enrol(self, **more):
        learner_id, enrolment_id = uuid4(), uuid4()
        self.enrolments[learner_id] = enrolment_id
        await self._bus.send(
            events.EnrolmentCreated(
                enrolment_id=enrolment_id, learner_id=learner_id, **self._of(), **more
            ),
            at=START,
        )
        return learner_id

    async def set_due(self, due_at, *, is_new=False, **more):
        kind = events.AssignmentCreated if is_new else events.AssignmentChanged
        only_new = {"category": "homework", "points": 20} if is_new else {}
        await self._bus.send(
            kind(
                **self._of(),
                assignment_id=self.assignment_id,
                assignment="report",
                title="A report",
                due_at=due_at,
                dates=DeclaredDates(due=moment(due_at)),
                **only_new,
                **more,
            )
        )

    async def schedule(self, *, opens_at, closes_at, **more):
        await self._bus.send(
            events.ExamScheduled(
                exam_id=self.exam_id,
                exam="final",
                **self._of(),
                title="Final",
                purpose="Exam",
                version=1,
                dates=DeclaredDates(opens=moment(opens_at), closes=moment(closes_at)),
                **more,
            )
        )

    async def of_learner(self, kind, learner_id, **more):
        await self._bus.send(
            kind(
                enrolment_id=self.enrolments[learner_id],
                learner_id=learner_id,
                **self._of(),
                **more,
            )
        )

    async def extend(self, learner_id, due_at):
        await self.of_learner(
            events.AssignmentExtended,
            learner_id,
            assignment_id=self.assignment_id,
            assignment="report",
            due_at=due_at,
            actor_id=uuid4(),
        )

    async def hand_in(self, learner_id, **more):
        await self.of_learner(
            events.AssignmentSubmitted,
            learner_id,
            assignment_id=self.assignment_id,
            assignment="report",
            submission_id=uuid4(),
            number=1,
            submitted_at=START,
            members=[learner_id],
            **more,
        )


def moment(at):
    return DeclaredMoment(at=at.isoformat()) if at else None


@pytest.fixture
def remind_at(databases):
    """Runs a round of reminders as if it were another time; how many learners it looked at."""

    async def remind(now):
        async def clock(_tx):
            return now

        return await Reminding(*databases, clock=clock).round()

    return remind


@pytest.fixture
async def room(bus, sql):
    """A course with an assignment that is due in ten days."""
    sql("DELETE FROM notification.enrolment")
    opened = Classroom(bus)
    await opened.publish()
    await opened.set_due(DUE, is_new=True)
    return opened


def reminded(sql, user_id):
    return [kind for kind in told(sql, user_id) if "soon" in kind or "overdue" in kind]


class TestReminder:
    async def test_goes_out_a_day_before_and_when_it_is_overdue(self, room, remind_at, sql):
        learner = await room.enrol()

        await remind_at(DUE - DAY - timedelta(minutes=1))
        assert reminded(sql, learner) == []
        await remind_at(DUE - DAY)
        assert reminded(sql, learner) == [SOON]
        await remind_at(DUE)
        assert reminded(sql, learner) == [SOON, LATE]

    async def test_goes_out_once_however_often_is_looked(self, room, remind_at, sql):
        learner = await room.enrol()
        for _ in range(3):
            await remind_at(DUE - timedelta(hours=5))
            sql("UPDATE notification.enrolment SET look_at = clock_timestamp()")

        assert reminded(sql, learner) == [SOON]
        assert sql(MAILS, learner) == [(SOON, "pending", None)]

    async def test_goes_out_late_when_nobody_was_there_at_its_moment(self, room, remind_at, sql):
        learner = await room.enrol()
        await remind_at(START)

        await remind_at(DUE - timedelta(minutes=1))

        assert reminded(sql, learner) == [SOON]

    async def test_of_a_date_that_passed_meanwhile_says_that_it_is_overdue(
        self, room, remind_at, sql
    ):
        learner = await room.enrol()
        await remind_at(START)

        await remind_at(DUE + DAY)

        assert reminded(sql, learner) == [LATE]

    async def test_is_not_repeated_by_a_clock_that_is_put_back(self, room, remind_at, sql):
        learner = await room.enrol()

        await remind_at(DUE - timedelta(hours=1))
        await remind_at(DUE - 5 * DAY)
        await remind_at(DUE - timedelta(hours=1))

        assert reminded(sql, learner) == [SOON]

    async def test_needs_no_look_while_nothing_comes_near(self, room, remind_at):
        await room.enrol()
        await remind_at(START)

        assert await remind_at(START + DAY) == 0

    async def test_goes_out_once_when_several_rounds_run(self, room, databases, sql):
        learners = [await room.enrol() for _ in range(20)]
        await room.set_due(START + timedelta(hours=5))
        reminding = Reminding(*databases)

        await asyncio.gather(*(reminding.round() for _ in range(4)))

        assert all(reminded(sql, one) == [SOON] for one in learners)

    async def test_goes_by_the_databases_clock(self, room, databases, sql):
        learner = await room.enrol()
        async with databases[0].transaction("demo") as tx:
            now = await database_now(tx)
        await room.set_due(now.replace(microsecond=0) + timedelta(hours=23))

        await Reminding(*databases).round()

        assert reminded(sql, learner) == [SOON]


class TestKilledRound:
    @pytest.mark.parametrize(
        ("point", "told_before"), [("reminding.told", []), ("reminding.committed", [SOON])]
    )
    async def test_has_told_everything_or_nothing_and_the_next_completes_it(
        self, room, databases, scratch, sql, point, told_before
    ):
        learners = [await room.enrol() for _ in range(3)]
        await room.set_due(START + timedelta(hours=5))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "support.reminding_process"),
            *(scratch.url("kourse_notification"), scratch.url("kourse_notification_worker")),
            cwd=TESTS,
            env={**os.environ, "KOURSE_FAULTS": f"{point}=kill"},
        )
        assert await asyncio.wait_for(process.wait(), LONG_S) == -signal.SIGKILL
        assert [reminded(sql, one) for one in learners] == [told_before] * 3

        await Reminding(*databases).round()

        assert [reminded(sql, one) for one in learners] == [[SOON]] * 3
        assert [len(sql(MAILS, one)) for one in learners] == [1, 1, 1]


class TestChangedDate:
    async def test_moves_the_reminder(self, room, remind_at, sql):
        learner = await room.enrol()
        await remind_at(START)
        await room.set_due(DUE + 3 * DAY)

        await remind_at(DUE - timedelta(hours=1))
        assert reminded(sql, learner) == []
        await remind_at(DUE + 2 * DAY)
        assert reminded(sql, learner) == [SOON]

    async def test_is_told_when_the_old_one_was(self, room, remind_at, sql):
        learner = await room.enrol()
        await remind_at(DUE - timedelta(hours=5))
        await room.set_due(DUE + 3 * DAY)

        await remind_at(DUE - timedelta(hours=4))
        assert sql(MAILS, learner) == [(SOON, "dropped", "outdated")]
        await remind_at(DUE + 2 * DAY)
        assert reminded(sql, learner) == [SOON, SOON]

    async def test_of_an_extension_holds_for_its_learner_alone(self, room, remind_at, sql):
        extended, other = await room.enrol(), await room.enrol()
        await room.extend(extended, DUE + 3 * DAY)

        await remind_at(DUE - timedelta(hours=5))
        assert (reminded(sql, extended), reminded(sql, other)) == ([], [SOON])
        await remind_at(DUE + 2 * DAY)
        assert reminded(sql, extended) == [SOON]

    async def test_moves_with_what_a_learner_is_granted_in_the_course(
        self, room, bus, remind_at, sql
    ):
        granted, other = await room.enrol(), await room.enrol()
        await bus.send(
            events.AccommodationChanged(
                learner_id=granted,
                course_id=room.course_id,
                course=f"c{room.course_id.hex}",
                extra_hours=72,
                actor_id=uuid4(),
            )
        )

        await remind_at(DUE - timedelta(hours=5))
        assert (reminded(sql, granted), reminded(sql, other)) == ([], [SOON])
        await remind_at(DUE + 2 * DAY)
        assert reminded(sql, granted) == [SOON]

    async def test_of_a_cohort_reaches_its_members(self, room, bus, remind_at, sql):
        cohort_id = uuid4()
        member = await room.enrol(cohort="evening", cohort_id=cohort_id)
        other = await room.enrol()
        await bus.send(
            events.CohortDeclared(
                cohort_id=cohort_id,
                cohort="evening",
                title="Evening class",
                courses=[f"c{room.course_id.hex}"],
                starts_on=date(2027, 1, 1),
                ends_on=date(2027, 6, 30),
                time_zone="Europe/Berlin",
                dates=[
                    CohortDates(
                        course=f"c{room.course_id.hex}",
                        assignment="report",
                        due_at=DUE + 3 * DAY,
                    )
                ],
            )
        )

        await remind_at(DUE - timedelta(hours=5))
        assert (reminded(sql, member), reminded(sql, other)) == ([], [SOON])
        await remind_at(DUE + 2 * DAY)
        assert reminded(sql, member) == [SOON]

    async def test_for_a_label_reaches_those_who_get_it(self, room, remind_at, sql):
        learner = await room.enrol()
        await room.schedule(
            opens_at=DUE + 5 * DAY,
            closes_at=DUE + 6 * DAY,
            overrides=[
                LabelDates(label="early", dates=DeclaredDates(opens=moment(START + 2 * DAY)))
            ],
        )
        await remind_at(START + DAY)
        assert reminded(sql, learner) == []

        await room.of_learner(events.EnrolmentChanged, learner, labels=["early"])
        await remind_at(START + DAY)

        assert reminded(sql, learner) == ["exam-opening-soon"]


class TestNobodyElse:
    async def test_is_reminded_of_what_they_handed_in(self, room, remind_at, sql):
        learner = await room.enrol()
        await room.hand_in(learner)

        await remind_at(DUE - timedelta(hours=5))
        await remind_at(DUE)

        assert reminded(sql, learner) == []

    async def test_gets_mail_that_still_waited_when_they_handed_in(self, room, remind_at, sql):
        learner = await room.enrol()
        await remind_at(DUE - timedelta(hours=5))
        await room.hand_in(learner)

        await remind_at(DUE - timedelta(hours=4))

        assert sql(MAILS, learner) == [(SOON, "dropped", "outdated")]

    async def test_is_spared_by_what_they_handed_in_with_another_run(self, room, remind_at, sql):
        learner = await room.enrol()
        await room.hand_in(learner, cohort="last-year")

        await remind_at(DUE - timedelta(hours=5))

        assert reminded(sql, learner) == [SOON]

    async def test_is_reminded_after_they_left_until_they_come_back(self, room, remind_at, sql):
        learner = await room.enrol()
        await room.of_learner(events.EnrolmentSuspended, learner)
        await remind_at(DUE - timedelta(hours=5))
        assert reminded(sql, learner) == []

        await room.of_learner(events.EnrolmentResumed, learner)
        await remind_at(DUE - timedelta(hours=4))
        assert reminded(sql, learner) == [SOON]

    async def test_is_reminded_after_their_run_ended(self, room, remind_at, sql):
        learner = await room.enrol()
        await room.of_learner(events.EnrolmentEnded, learner)

        await remind_at(DUE - timedelta(hours=5))

        assert reminded(sql, learner) == []

    async def test_is_reminded_of_what_was_withdrawn(self, room, remind_at, sql):
        learner = await room.enrol()
        await room.set_due(DUE, withdrawn=True)

        await remind_at(DUE - timedelta(hours=5))

        assert reminded(sql, learner) == []

    async def test_is_reminded_after_their_account_was_deleted(self, room, bus, remind_at, sql):
        learner = await room.enrol()
        await room.extend(learner, DUE + DAY)
        await bus.send(events.UserDeleted(user_id=learner))
        await room.hand_in(learner)

        await remind_at(DUE)

        assert told(sql, learner) == []
        for table in ("enrolment", "extension", "hand_in"):
            query = f"SELECT count(*) FROM notification.{table} WHERE learner_id = %s"
            assert sql(query, learner) == [(0,)]


class TestExam:
    async def test_is_announced_before_it_opens_and_before_it_closes(self, room, remind_at, sql):
        learner = await room.enrol()
        await room.schedule(opens_at=START + 2 * DAY, closes_at=START + 8 * DAY)

        await remind_at(START + DAY)
        assert reminded(sql, learner) == ["exam-opening-soon"]
        await remind_at(START + 7 * DAY)
        assert reminded(sql, learner) == ["exam-opening-soon", "exam-closing-soon"]

    async def test_that_was_handed_in_is_not_spoken_of_until_the_attempt_is_voided(
        self, room, bus, remind_at, sql
    ):
        learner = await room.enrol()
        await room.schedule(opens_at=START - DAY, closes_at=START + 8 * DAY)
        attempt = {
            "attempt_id": uuid4(),
            "exam_id": room.exam_id,
            "exam": "final",
            "course_id": room.course_id,
            "course": f"c{room.course_id.hex}",
            "learner_id": learner,
        }
        await bus.send(events.AttemptSubmitted(**attempt))
        await remind_at(START + 7 * DAY)
        assert reminded(sql, learner) == []

        await bus.send(events.AttemptVoided(**attempt, actor_id=uuid4()))
        await remind_at(START + 7 * DAY)
        assert reminded(sql, learner) == ["exam-closing-soon"]

    async def test_that_was_retired_is_not_spoken_of(self, room, bus, remind_at, sql):
        learner = await room.enrol()
        await room.schedule(opens_at=START + 2 * DAY, closes_at=START + 8 * DAY)
        await bus.send(
            events.ExamRetired(
                exam_id=room.exam_id,
                exam="final",
                course_id=room.course_id,
                course=f"c{room.course_id.hex}",
            )
        )

        await remind_at(START + DAY)

        assert reminded(sql, learner) == []


class TestMail:
    async def test_of_a_date_that_passed_while_the_relay_was_down_does_not_leave(
        self, room, databases, bus, book, sender_of, smtp, sql
    ):
        sql("DELETE FROM notification.notification")
        learner = await room.enrol()
        sql("DELETE FROM notification.notification")
        book.add(learner)
        await room.set_due(START - timedelta(hours=1))

        async def before_it_was_due(_tx):
            return START - timedelta(hours=2)

        sql("UPDATE notification.enrolment SET look_at = %s", START - DAY)
        await Reminding(*databases, clock=before_it_was_due).round()
        await sender_of(smtp).round()

        assert smtp.mails == []
        assert sql(MAILS, learner) == [(SOON, "dropped", "too-late")]
