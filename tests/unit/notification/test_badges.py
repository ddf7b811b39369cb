"""What is won by which deeds, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.course import BadgeCriterion
from kourse.notification.domain.badges import (
    PLATFORM,
    Badge,
    Criterion,
    Sheet,
    badge_id,
    count,
    growths,
    won,
)
from kourse.notification.domain.calendars import Calendar
from kourse.notification.domain.points import WORTH, Entry, Reason
from unit.notification.test_points import LEDGERS

START = datetime(2027, 3, 1, 12, tzinfo=UTC)
COURSE = UUID(int=7)
HERE = Calendar()


def badge(criterion=Criterion.LESSONS_COMPLETED, threshold=2, key="b"):
    return Badge(badge_id(COURSE, key), key, "B", "Well done.", criterion, threshold)


def sheet(*badges, version=1, since=START - timedelta(days=30)):
    return Sheet("c", COURSE, version, since, badges)


def entry(number, reason=Reason.LESSON_COMPLETED, *, day=0, course="c"):
    return Entry(
        reason=reason,
        subject=UUID(int=number),
        points=WORTH[reason],
        title="t",
        course=course,
        earned_at=START + timedelta(days=day),
        source_event=UUID(int=number + 1000 * day),
    )


def when(sheets, ledger):
    """By key, the day on which each badge was won."""
    return {one.badge.key: (one.at - START).days for one in won(sheets, ledger, HERE).values()}


class TestCriteria:
    def test_of_courses_are_all_understood(self):
        assert {one.value for one in BadgeCriterion} <= {one.value for one in Criterion}

    def test_count_lessons_once_each(self):
        ledger = [entry(1), entry(1, day=1), entry(2, day=2)]

        assert when([sheet(badge())], ledger) == {"b": 2}

    def test_count_exams_that_were_passed(self):
        ledger = [entry(1, Reason.EXAM_TAKEN), entry(1, Reason.EXAM_PASSED, day=3)]

        assert when([sheet(badge(Criterion.EXAMS_PASSED, 1))], ledger) == {"b": 3}

    def test_count_points(self):
        ledger = [entry(1), entry(2, day=1), entry(3, day=2)]

        assert when([sheet(badge(Criterion.POINTS_EARNED, 15))], ledger) == {"b": 1}

    def test_count_days_in_a_row_in_the_learners_calendar(self):
        late = datetime(2027, 3, 1, 23, 30, tzinfo=UTC)
        ledger = [replace(entry(1), earned_at=late), entry(2, day=2)]
        one = badge(Criterion.STREAK_DAYS, 2)
        lisbon = Calendar.of([(datetime(2027, 1, 1, tzinfo=UTC), "Europe/Berlin")])

        assert won([sheet(one)], ledger, HERE) == {}
        assert set(won([sheet(one)], ledger, lisbon)) == {one.id}

    def test_count_in_their_own_course_alone(self):
        ledger = [entry(1), entry(2, course="other")]

        assert when([sheet(badge())], ledger) == {}

    def test_of_the_platform_count_in_all_courses(self):
        ledger = [entry(number, day=number, course=f"c{number}") for number in range(7)]

        assert when([PLATFORM], ledger) == {"seven-days": 6}

    def test_that_only_a_newer_release_knows_are_never_met(self):
        assert when([sheet(badge("EssaysWritten", 1))], [entry(1)]) == {}


class TestSheets:
    def test_let_what_was_done_before_count_from_their_publication_on(self):
        published = sheet(badge(), since=START + timedelta(days=9))

        assert when([published], [entry(1), entry(2, day=1)]) == {"b": 9}

    def test_hold_until_the_next_of_the_course(self):
        easy = sheet(badge(threshold=2))
        hard = sheet(badge(threshold=3), version=2, since=START + timedelta(days=5))

        assert when([hard, easy], [entry(1), entry(2, day=4)]) == {"b": 4}
        assert when([hard, easy], [entry(1), entry(2, day=6)]) == {}
        assert when([hard, easy], [entry(1), entry(2, day=6), entry(3, day=7)]) == {"b": 7}

    def test_withdraw_a_badge_by_leaving_it_out(self):
        withdrawn = sheet(version=2, since=START + timedelta(days=5))

        assert when([sheet(badge()), withdrawn], [entry(1), entry(2, day=6)]) == {}


class TestCount:
    def test_is_nothing_before_the_first_deed(self):
        assert count(growths([], HERE, "c"), badge()) == 0

    def test_says_how_far_one_has_come(self):
        growth = growths([entry(1), entry(2), entry(3, course="other")], HERE, "c")

        assert count(growth, badge()) == 2
        assert count(growth, badge(Criterion.POINTS_EARNED)) == 20
        assert count(growth, badge("EssaysWritten")) == 0


SHEETS = [
    PLATFORM,
    Sheet(
        "c",
        COURSE,
        1,
        START - timedelta(days=3650),
        tuple(
            badge(criterion, threshold, f"{criterion}-{threshold}")
            for criterion in Criterion
            for threshold in (1, 2, 3, 25)
        ),
    ),
]


class TestWon:
    @given(LEDGERS, st.randoms())
    def test_does_not_depend_on_the_order_in_which_events_came(self, ledger, random):
        shuffled = random.sample(ledger, len(ledger))

        assert won(SHEETS, shuffled, HERE) == won(SHEETS, ledger, HERE)

    @given(LEDGERS, LEDGERS)
    def test_is_never_taken_back_by_later_deeds(self, ledger, more):
        moved = [replace(one, earned_at=one.earned_at + timedelta(days=1)) for one in more]
        before = won(SHEETS, ledger, HERE)

        after = won(SHEETS, [*ledger, *moved], HERE)

        assert {id_: after[id_] for id_ in before} == before

    @given(LEDGERS)
    def test_comes_with_the_very_deed_that_was_missing(self, ledger):
        for id_, one in won(SHEETS, ledger, HERE).items():
            earlier = [other for other in ledger if other.earned_at < one.at]

            assert id_ not in won(SHEETS, earlier, HERE)

    @pytest.mark.parametrize("known", PLATFORM.badges, ids=lambda one: one.key)
    def test_ids_of_the_platforms_badges_are_their_own(self, known):
        assert [one.id for one in PLATFORM.badges].count(known.id) == 1
