"""When meetings take place: wall clocks, daylight saving, exceptions, and rules that never end."""

# ruff: noqa: DTZ001 -- wall-clock times carry no zone

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.errors import InvalidDates
from kourse.profile.domain.recurrence import Meeting, check, next_occurrence
from kourse.profile.errors import InvalidRecurrence

LISBON = ZoneInfo("Europe/Lisbon")
END = date(2027, 6, 30)


def weekly(**changes):
    values = {"starts": "2026-10-19T18:30", "minutes": 90, "rrule": "FREQ=WEEKLY;BYDAY=MO"}
    return Meeting("Class", **{**values, **changes})


def upcoming(meeting, after, zone=LISBON, until=END):
    found = next_occurrence([meeting], zone, until, datetime.fromisoformat(after))
    return found and found.starts_at.isoformat()


class TestNextOccurrence:
    def test_keeps_its_wall_clock_over_a_clock_change(self):
        assert upcoming(weekly(), "2026-10-19T17:00:00Z") == "2026-10-19T18:30:00+01:00"
        assert upcoming(weekly(), "2026-10-20T00:00:00Z") == "2026-10-26T18:30:00+00:00"

    def test_is_none_after_the_last_day_of_the_run(self):
        assert upcoming(weekly(), "2027-06-28T18:00:00Z", until=date(2027, 6, 28)) is None
        assert upcoming(weekly(), "2027-06-28T17:00:00Z", until=date(2027, 6, 28)) == (
            "2027-06-28T18:30:00+01:00"
        )

    def test_skips_exceptions(self):
        meeting = weekly(exceptions=("2026-10-26T18:30",))
        assert upcoming(meeting, "2026-10-20T00:00:00Z") == "2026-11-02T18:30:00+00:00"

    def test_does_not_count_one_that_has_begun(self):
        assert upcoming(weekly(), "2026-10-19T17:30:00Z") == "2026-10-26T18:30:00+00:00"

    def test_happens_once_without_a_rule(self):
        once = weekly(rrule=None)
        assert upcoming(once, "2026-10-01T00:00:00Z") == "2026-10-19T18:30:00+01:00"
        assert upcoming(once, "2026-10-20T00:00:00Z") is None

    def test_reads_a_start_with_an_offset_in_the_runs_zone(self):
        meeting = weekly(starts="2026-10-19T17:30Z")
        assert upcoming(meeting, "2026-10-20T00:00:00Z") == "2026-10-26T18:30:00+00:00"

    def test_moves_a_time_that_does_not_occur_behind_the_gap(self):
        meeting = weekly(starts="2026-10-18T01:30", rrule="FREQ=WEEKLY;BYDAY=SU")
        assert upcoming(meeting, "2027-03-27T00:00:00Z") == "2027-03-28T02:30:00+01:00"

    def test_ends_with_an_until_in_utc(self):
        meeting = weekly(rrule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20261026T183000Z")
        assert upcoming(meeting, "2026-10-20T00:00:00Z") == "2026-10-26T18:30:00+00:00"
        assert upcoming(meeting, "2026-10-27T00:00:00Z") is None

    def test_counts_the_day_of_an_until_to_its_end(self):
        meeting = weekly(rrule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20261026")
        assert upcoming(meeting, "2026-10-20T00:00:00Z") == "2026-10-26T18:30:00+00:00"
        assert upcoming(meeting, "2026-10-27T00:00:00Z") is None

    def test_meets_on_leap_days(self):
        meeting = weekly(starts="2028-02-29T10:00", rrule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")
        assert upcoming(meeting, "2028-03-01T00:00:00Z", until=date(2040, 1, 1)) == (
            "2032-02-29T10:00:00+00:00"
        )

    def test_is_the_earliest_of_several_meetings(self):
        other = weekly(starts="2026-10-21T08:00", rrule=None)
        after = datetime.fromisoformat("2026-10-20T00:00:00Z")
        found = next_occurrence([weekly(), other], LISBON, END, after)
        assert found.starts_at == datetime(2026, 10, 21, 7, tzinfo=UTC)
        assert found.ends_at - found.starts_at == timedelta(minutes=90)

    @given(st.datetimes(datetime(2026, 10, 1), datetime(2027, 6, 1)), st.integers(1, 4))
    def test_agrees_with_counting_weeks_by_hand(self, moment, interval):
        meeting = weekly(rrule=f"FREQ=WEEKLY;INTERVAL={interval};BYDAY=MO")
        after = moment.replace(tzinfo=UTC)
        wall = datetime(2026, 10, 19, 18, 30)
        while wall.replace(tzinfo=LISBON).astimezone(UTC) <= after:
            wall += timedelta(weeks=interval)
        found = next_occurrence([meeting], LISBON, date(2028, 1, 1), after)
        assert found.starts_at.replace(tzinfo=None) == wall


class TestCheck:
    @pytest.mark.parametrize(
        "rrule",
        [
            "FREQ=WEEKLY;BYDAY=MO,WE,FR;WKST=SU",
            "FREQ=MONTHLY;BYDAY=2TU;COUNT=5",
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20261218",
            "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1",
            "FREQ=WEEKLY;BYDAY=MO;UNTIL=99991231T235959Z",
        ],
    )
    def test_takes_what_timetables_need(self, rrule):
        check(weekly(rrule=rrule), LISBON, END)

    @pytest.mark.parametrize(
        ("rrule", "words"),
        [
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
            ("FREQ=WEEKLY;INTERVAL=-1", "INTERVAL"),
            ("FREQ=DAILY;COUNT=100000", "COUNT"),
            ("FREQ=DAILY;BYHOUR=1", "BYHOUR"),
            ("FREQ=DAILY;BYSETPOS=300", "BYSETPOS"),
            ("FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2", "BYMONTHDAY"),
            ("FREQ=WEEKLY;FREQ=DAILY", "twice"),
            ("FREQ=MONTHLY;BYDAY=MO,1TU", "some days"),
            ("FREQ=WEEKLY;BYDAY=2TU", "neither a month"),
            ("FREQ=WEEKLY;BYDAY=XX", "cannot be read"),
            ("FREQ=WEEKLY;UNTIL=20269999T999999Z", "UNTIL"),
            ("FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2", "at no time of the run"),
            ("FREQ=YEARLY;BYMONTH=8;BYMONTHDAY=1", "at no time of the run"),
        ],
    )
    def test_refuses_what_cannot_be_or_never_is(self, rrule, words):
        with pytest.raises(InvalidRecurrence) as caught:
            check(weekly(rrule=rrule), LISBON, END)
        assert words in caught.value.detail

    @pytest.mark.parametrize(
        "rrule",
        [
            "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
            "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=WEEKLY;BYMONTH=2;BYDAY=2MO;INTERVAL=366",
        ],
    )
    def test_finds_out_soon_that_a_day_never_comes(self, rrule):
        started = time.process_time()
        with pytest.raises(InvalidRecurrence):
            check(weekly(rrule=rrule), LISBON, END)
        assert time.process_time() - started < 1

    def test_refuses_a_start_that_is_on_no_calendar(self):
        with pytest.raises(InvalidDates):
            check(weekly(starts="2026-02-30T10:00"), LISBON, END)

    def test_refuses_a_meeting_whose_only_occurrence_is_excepted(self):
        meeting = weekly(rrule=None, exceptions=("2026-10-19T18:30",))
        with pytest.raises(InvalidRecurrence):
            check(meeting, LISBON, END)
