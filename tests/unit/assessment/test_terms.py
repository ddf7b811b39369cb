from datetime import UTC, date, datetime, timedelta

import pytest

from kourse.assessment.domain.exams import ExamPolicy
from kourse.assessment.domain.terms import CohortRun, default_window, terms
from kourse.contracts.events import CohortDates
from kourse.contracts.resources.exam import Release

ZONE = "Europe/Lisbon"
NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def policy(**fields):
    return ExamPolicy.model_validate(
        {
            "dates": {"opens": {"at": "2027-01-04T09:00"}, "closes": {"at": "2027-01-04T18:00"}},
            "timeLimitMinutes": 60,
            "attempts": {"maximum": 2},
            **fields,
        }
    )


def at(hour, day=4):
    return datetime(2027, 1, day, hour, tzinfo=UTC)


class TestTerms:
    def test_come_from_the_exam_itself(self):
        found = terms("quiz", policy(), ZONE)
        assert (found.opens_at, found.closes_at) == (at(9), at(18))
        assert (found.limit, found.attempts) == (HOUR, 2)

    def test_read_wall_clock_times_in_the_courses_zone(self):
        found = terms("quiz", policy(), "Pacific/Auckland")
        assert found.opens_at == datetime(2027, 1, 3, 20, tzinfo=UTC)

    def test_follow_the_cohort_where_it_sets_dates(self):
        run = CohortRun(
            date(2027, 1, 1),
            "UTC",
            (
                CohortDates(course="statistics", exam="quiz", closes_at=at(20)),
                CohortDates(course="statistics", exam="other", opens_at=at(1)),
            ),
        )
        found = terms("quiz", policy(), ZONE, run)
        assert (found.opens_at, found.closes_at) == (at(9), at(20))

    def test_count_days_from_the_cohorts_run_in_its_zone(self):
        dates = {"opens": {"day": 3, "time": "08:00"}}
        run = CohortRun(date(2027, 1, 1), "Pacific/Auckland")
        found = terms("quiz", policy(dates=dates), ZONE, run)
        assert found.opens_at == datetime(2027, 1, 3, 19, tzinfo=UTC)
        assert terms("quiz", policy(dates=dates), ZONE).opens_at is None

    def test_let_later_labels_win_field_by_field(self):
        overrides = [
            {"label": "extra", "timeLimitMinutes": 90, "attempts": 5},
            {"label": "evening", "dates": {"closes": {"at": "2027-01-04T22:00"}}},
            {"label": "short", "timeLimitMinutes": 30},
        ]
        found = terms("quiz", policy(overrides=overrides), ZONE, labels=["evening", "extra"])
        assert (found.limit, found.attempts, found.closes_at) == (1.5 * HOUR, 5, at(22))
        assert terms("quiz", policy(overrides=overrides), ZONE, labels=["short"]).limit == HOUR / 2

    def test_labels_outrank_the_cohort(self):
        run = CohortRun(
            date(2027, 1, 1), "UTC", (CohortDates(course="c", exam="quiz", closes_at=at(20)),)
        )
        overrides = [{"label": "late", "dates": {"closes": {"at": "2027-01-04T23:00"}}}]
        assert terms("quiz", policy(overrides=overrides), ZONE, run, ["late"]).closes_at == at(23)

    def test_show_the_exam_from_its_opening_and_refuse_starts_from_its_close(self):
        found = terms("quiz", policy(), ZONE)
        instant = timedelta(microseconds=1)
        assert not found.is_visible(at(9) - instant)
        assert found.is_visible(at(9))
        assert not found.is_closed(at(18) - instant)
        assert found.is_closed(at(18))

    def test_give_a_deadline_that_the_close_bounds(self):
        found = terms("quiz", policy(), ZONE)
        assert found.deadline(at(10)) == at(11)
        assert found.deadline(at(17) + HOUR / 2) == at(18)


class TestReleasedAt:
    @pytest.mark.parametrize(
        ("release", "expected"),
        [
            (Release.AT_GRADING, NOON),
            (Release.AFTER_CLOSE, at(18) + timedelta(minutes=1)),
            (Release.MANUAL, None),
            (Release.NEVER, None),
        ],
    )
    def test_follows_the_policy(self, release, expected):
        assert terms("quiz", policy(), ZONE).released_at(release, NOON) == expected

    def test_waits_for_grading_also_after_the_close(self):
        later = at(9, day=6)
        assert terms("quiz", policy(), ZONE).released_at(Release.AFTER_CLOSE, later) == later

    def test_never_comes_by_itself_when_the_exam_never_closes(self):
        open_ended = terms("quiz", policy(dates={}), ZONE)
        assert open_ended.released_at(Release.AFTER_CLOSE, NOON) is None


class TestDefaultWindow:
    def test_leaves_out_what_counts_from_a_run(self):
        window = default_window(
            policy(dates={"opens": {"day": 1}, "closes": {"at": "2027-01-04T18:00"}}), ZONE
        )
        assert (window.opens_at, window.closes_at) == (None, at(18))
