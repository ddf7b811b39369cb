"""What earns points, and what counts of a ledger."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kourse.notification.domain.points import (
    WORTH,
    Entry,
    Reason,
    counted,
    earned_by_attempt,
    earned_by_lesson,
    earned_by_score,
    entries_of,
)

LESSON, COURSE, EXAM = UUID(int=1), UUID(int=2), UUID(int=3)
START = datetime(2027, 3, 1, tzinfo=UTC)
ENTRIES = st.builds(
    lambda reason, subject, minutes, event: Entry(
        reason,
        UUID(int=subject),
        WORTH[reason],
        "t",
        "c",
        START + timedelta(minutes=minutes),
        UUID(int=event),
    ),
    st.sampled_from(Reason),
    st.integers(1, 4),
    st.integers(0, 5),
    st.integers(1, 50),
)
LEDGERS = st.lists(ENTRIES, unique_by=lambda one: (one.source_event, one.reason), max_size=25)


class TestEarnedByLesson:
    def test_is_ten_points_for_the_lesson(self):
        (earned,) = earned_by_lesson(
            lesson_id=LESSON, course_id=COURSE, title="Means", course="stats", completed=3, total=4
        )

        assert (earned.reason, earned.subject, earned.points) == (
            Reason.LESSON_COMPLETED,
            LESSON,
            10,
        )

    def test_adds_the_course_with_its_last_lesson(self):
        earned = earned_by_lesson(
            lesson_id=LESSON, course_id=COURSE, title="Means", course="stats", completed=4, total=4
        )

        assert [(one.reason, one.subject, one.points) for one in earned] == [
            (Reason.LESSON_COMPLETED, LESSON, 10),
            (Reason.COURSE_COMPLETED, COURSE, 100),
        ]


class TestEarnedByAttempt:
    def test_is_five_points_for_handing_in_and_none_for_running_out_of_time(self):
        handed_in = earned_by_attempt(exam_id=EXAM, title="Final", course="stats", by_learner=True)
        ran_out = earned_by_attempt(exam_id=EXAM, title="Final", course="stats", by_learner=False)

        assert [(one.reason, one.subject, one.points) for one in handed_in] == [
            (Reason.EXAM_TAKEN, EXAM, 5)
        ]
        assert ran_out == []


class TestEarnedByScore:
    def test_is_fifty_points_for_a_pass_and_none_otherwise(self):
        passed = earned_by_score(exam_id=EXAM, title="Final", course="stats", passed=True)
        failed = earned_by_score(exam_id=EXAM, title="Final", course="stats", passed=False)

        assert [(one.reason, one.subject, one.points) for one in passed] == [
            (Reason.EXAM_PASSED, EXAM, 50)
        ]
        assert failed == []


class TestEntriesOf:
    def test_have_the_same_ids_whenever_the_event_is_read(self):
        earned = earned_by_lesson(
            lesson_id=LESSON, course_id=COURSE, title="Means", course="stats", completed=4, total=4
        )

        first = entries_of(earned, source_event=UUID(int=9), earned_at=START)
        again = entries_of(earned, source_event=UUID(int=9), earned_at=START)

        assert [one.id for one in first] == [one.id for one in again]
        assert len({one.id for one in first}) == 2


class TestCounted:
    def test_takes_the_first_that_happened_not_the_first_that_came(self):
        earned = earned_by_score(exam_id=EXAM, title="Final", course="stats", passed=True)
        late = entries_of(earned, source_event=UUID(int=1), earned_at=START + timedelta(hours=1))
        early = entries_of(earned, source_event=UUID(int=2), earned_at=START)

        assert counted([*late, *early]) == early

    @given(LEDGERS, st.randoms())
    def test_does_not_depend_on_the_order_in_which_events_came(self, ledger, random):
        shuffled = random.sample(ledger, len(ledger))

        assert counted(shuffled) == counted(ledger)

    @given(LEDGERS)
    def test_pays_each_deed_once(self, ledger):
        paid = Counter((one.reason, one.subject) for one in counted(ledger))

        assert set(paid) == {(one.reason, one.subject) for one in ledger}
        assert set(paid.values()) <= {1}

    @given(LEDGERS, LEDGERS)
    def test_never_becomes_less(self, before, more):
        total = sum(one.points for one in counted(before))

        assert sum(one.points for one in counted([*before, *more])) >= total
