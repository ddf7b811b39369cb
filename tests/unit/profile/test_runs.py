"""A cohort's run: dates as instants, and what must hold in its document."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from kourse.contracts.errors import Invalid, InvalidDates, UnknownTimeZone
from kourse.profile.domain import runs
from support.courses import cohort_spec

AUCKLAND = {"starts": "2026-11-16", "ends": "2027-12-10", "timeZone": "Pacific/Auckland"}


def dated(**window):
    return {"course": "statistics", "assignment": "report", "dates": window}


class TestResolved:
    def test_counts_from_the_start_of_the_run_in_its_zone(self):
        spec = cohort_spec(run=AUCKLAND, dates=[dated(due={"day": 14, "time": "18:00"})])
        (found,) = runs.resolved(spec, runs.run_of(spec))
        assert found.due_at == datetime(2026, 11, 30, 5, tzinfo=UTC)
        assert (found.course, found.assignment, found.exam) == ("statistics", "report", None)

    def test_names_what_has_impossible_dates(self):
        spec = cohort_spec(dates=[dated(opens={"at": "2026-12-01T10:00"}, due={"day": 0})])
        with pytest.raises(InvalidDates, match="assignment 'report' of 'statistics': 'due'"):
            runs.resolved(spec, runs.run_of(spec))


class TestCheck:
    def test_finds_nothing_wrong_with_a_right_cohort(self):
        runs.check(cohort_spec(dates=[dated(due={"day": 3})]))

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"run": {**AUCKLAND, "timeZone": "Pacific/Atlantis"}}, UnknownTimeZone),
            ({"run": {**AUCKLAND, "starts": "2026-02-30"}}, InvalidDates),
            ({"run": {**AUCKLAND, "ends": "2026-01-01"}}, Invalid),
            ({"dates": [dated(), dated()]}, Invalid),
            ({"dates": [{**dated(), "course": "other"}]}, Invalid),
        ],
    )
    def test_says_what_is_wrong(self, changes, error):
        with pytest.raises(error):
            runs.check(cohort_spec(schedule=[], **changes))


class TestAnnounced:
    def test_tells_siblings_the_run_with_instants(self):
        spec = cohort_spec(run=AUCKLAND, schedule=[], dates=[dated(closes={"day": 0})])
        event = runs.announced(UUID(int=1), "auckland", spec)
        assert (event.starts_on, event.time_zone) == (date(2026, 11, 16), "Pacific/Auckland")
        assert event.dates[0].closes_at == datetime(2026, 11, 16, 10, 59, tzinfo=UTC)
