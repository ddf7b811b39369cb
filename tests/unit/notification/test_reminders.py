"""What a learner is reminded of and when: leads, runs, layers of dates, time zones, and what is over."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.events import CohortDates, DeclaredDates, DeclaredMoment, LabelDates
from kourse.notification.domain.kinds import REMINDERS, Kind
from kourse.notification.domain.reminders import (
    LEAD,
    OVERDUE_FOR,
    CohortRun,
    Study,
    Task,
    TaskType,
    dates_for,
    next_look,
    reminders,
)

LISBON = ZoneInfo("Europe/Lisbon")
BEGAN = datetime(2027, 3, 1, 12, tzinfo=UTC)
DUE = datetime(2027, 3, 10, 17, tzinfo=UTC)
TASK_ID, COURSE_ID = UUID(int=1), UUID(int=2)


def moment(at):
    return DeclaredMoment(at=at.isoformat() if isinstance(at, datetime) else at)


def task(type_=TaskType.ASSIGNMENT, *, overrides=(), **declared):
    dates = DeclaredDates(
        **{
            key: value if isinstance(value, DeclaredMoment) else moment(value)
            for key, value in declared.items()
        }
    )
    return Task(TASK_ID, type_, COURSE_ID, "statistics", "report", "A report", dates, overrides)


def exam(**changes):
    return task(TaskType.EXAM, **changes)


def study(**changes):
    return Study(learner_id=UUID(int=3), began_at=BEGAN, **{"zone": LISBON, **changes})


def at(found, now):
    return [one.kind for one in found if one.holds_at(now)]


class TestAssignment:
    def test_is_due_soon_from_a_day_before_until_it_is_due(self):
        found = reminders(study(), [task(due=DUE)])

        assert at(found, DUE - LEAD - timedelta(seconds=1)) == []
        assert at(found, DUE - LEAD) == [Kind.ASSIGNMENT_DUE_SOON]
        assert at(found, DUE - timedelta(seconds=1)) == [Kind.ASSIGNMENT_DUE_SOON]

    def test_is_overdue_from_then_on_for_a_week(self):
        found = reminders(study(), [task(due=DUE)])

        assert at(found, DUE) == [Kind.ASSIGNMENT_OVERDUE]
        assert at(found, DUE + OVERDUE_FOR) == []

    def test_is_not_called_overdue_to_those_who_enrolled_after_it_was_due(self):
        found = reminders(study(), [task(due=BEGAN - timedelta(days=1))])

        assert at(found, BEGAN) == []

    def test_is_not_spoken_of_before_it_opens(self):
        opens_at = DUE - timedelta(hours=2)
        found = reminders(study(), [task(opens=opens_at, due=DUE)])

        assert at(found, opens_at - timedelta(seconds=1)) == []
        assert at(found, opens_at) == [Kind.ASSIGNMENT_DUE_SOON]

    def test_without_dates_is_never_spoken_of(self):
        assert reminders(study(), [task()]) == []

    def test_that_was_handed_in_is_not_spoken_of(self):
        assert reminders(study(handed_in=frozenset({TASK_ID})), [task(due=DUE)]) == []


class TestExam:
    def test_opens_soon_from_a_day_before_until_it_opens(self):
        found = reminders(study(), [exam(opens=DUE)])

        assert at(found, DUE - LEAD) == [Kind.EXAM_OPENING_SOON]
        assert at(found, DUE) == []

    def test_closes_soon_when_it_was_open_for_longer(self):
        found = reminders(study(), [exam(opens=DUE - timedelta(days=3), closes=DUE)])

        assert at(found, DUE - LEAD) == [Kind.EXAM_CLOSING_SOON]
        assert at(found, DUE) == []

    def test_of_one_day_is_spoken_of_once(self):
        found = reminders(study(), [exam(opens=DUE - LEAD, closes=DUE)])

        assert [one.kind for one in found] == [Kind.EXAM_OPENING_SOON]


class TestDatesOfALearner:
    def test_count_days_from_their_enrolment_in_the_courses_zone(self):
        late = datetime(2027, 3, 1, 23, 30, tzinfo=UTC)
        work = task(due=DeclaredMoment(day=1, time="09:00"))

        in_lisbon = dates_for(_began(late, LISBON), work)
        in_kiritimati = dates_for(_began(late, ZoneInfo("Pacific/Kiritimati")), work)

        assert in_lisbon.due_at == datetime(2027, 3, 2, 9, tzinfo=UTC)
        assert in_kiritimati.due_at == datetime(2027, 3, 2, 19, tzinfo=UTC)

    def test_count_days_from_the_start_of_their_cohorts_run(self):
        run = CohortRun(date(2027, 3, 27), ZoneInfo("Europe/Berlin"))
        work = task(due=DeclaredMoment(day=1, time="02:30"))

        # The clocks jump over 02:30 on that day; the offset before the jump is used (RFC 5545, 3.3.5).
        assert dates_for(study(cohort=run), work).due_at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)

    def test_of_exams_count_no_days_without_a_cohort(self):
        assert dates_for(study(), exam(opens=DeclaredMoment(day=1))).opens_at is None

    @pytest.mark.parametrize(
        ("zone", "hour"),
        [("Europe/Lisbon", 17), ("Asia/Kolkata", 11), ("America/New_York", 22)],
    )
    def test_read_wall_clock_times_in_the_courses_zone(self, zone, hour):
        found = dates_for(study(zone=ZoneInfo(zone)), task(due="2027-03-10T17:00"))

        assert found.due_at.hour == hour

    def test_go_from_default_over_cohort_and_label_to_extension(self):
        first = LabelDates(label="evening", dates=DeclaredDates(due=moment(_day(3))))
        own = CohortDates(course="statistics", assignment="report", due_at=_day(2))
        others = CohortDates(course="algebra", assignment="report", due_at=_day(9))
        work = task(due=_day(1), overrides=(first,))
        run = CohortRun(date(2027, 3, 1), LISBON, (own, others))

        assert dates_for(study(), work).due_at == _day(1)
        assert dates_for(study(cohort=run), work).due_at == _day(2)
        assert dates_for(study(cohort=run, labels=("evening",)), work).due_at == _day(3)
        extended = study(cohort=run, labels=("evening",), extensions={TASK_ID: _day(4)})
        assert dates_for(extended, work).due_at == _day(4)


class TestReminder:
    def test_is_another_one_when_its_date_moves(self):
        (before, _), (after, _), (again, _) = (
            reminders(study(), [task(due=due)]) for due in (DUE, DUE + timedelta(hours=1), DUE)
        )

        assert before.id == again.id != after.id

    def test_has_a_rule_under_which_mail_is_sent(self):
        everything = [task(due=DUE), exam(opens=BEGAN, closes=DUE)]

        assert {one.kind for one in reminders(study(), everything)} == REMINDERS


MINUTES = st.integers(-60 * 24 * 3, 60 * 24 * 10)


class TestLooking:
    @given(rounds=st.lists(MINUTES, max_size=30).map(sorted), opened=st.integers(0, 72))
    def test_only_when_it_is_time_tells_as_much_as_looking_in_every_round(self, rounds, opened):
        tasks = [task(due=DUE), exam(opens=DUE - timedelta(hours=opened), closes=DUE)]
        found = reminders(study(), tasks)
        told, look_at = [], DUE - timedelta(days=30)
        for now in (DUE + timedelta(minutes=one) for one in rounds):
            if look_at is None or look_at > now:
                continue
            told += [one.id for one in found if one.holds_at(now) and one.id not in told]
            look_at = next_look(found, now)

        always = {
            one.id
            for one in found
            if any(one.holds_at(DUE + timedelta(minutes=minute)) for minute in rounds)
        }
        assert set(told) == always


def _began(began_at, zone):
    return Study(learner_id=UUID(int=3), began_at=began_at, zone=zone)


def _day(number):
    return DUE + timedelta(days=number)
