"""iCalendar files: read back by the icalendar package, which shares no code with what writes them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from kourse.profile.domain.calendars import OCTETS, Entry, write

STARTS = datetime(2026, 11, 2, 18, 30, tzinfo=UTC)


def entry(**changes):
    values = {
        "source": "0192-class",
        "title": "Class",
        "starts_at": STARTS,
        "ends_at": STARTS + timedelta(minutes=90),
        "changed_at": datetime(2026, 10, 1, tzinfo=UTC),
    }
    return Entry(**{**values, **changes})


def read(*entries):
    return Calendar.from_ical(write("kourse", entries)).walk("VEVENT")


class TestWrite:
    def test_says_when_and_what(self):
        (event,) = read(entry())
        assert event["SUMMARY"] == "Class"
        assert event.decoded("DTSTART") == STARTS
        assert event.decoded("DTEND") == STARTS + timedelta(minutes=90)

    def test_names_every_occurrence_by_its_source_and_start(self):
        later = entry(starts_at=STARTS + timedelta(weeks=1), ends_at=STARTS + timedelta(weeks=2))
        names = [str(event["UID"]) for event in read(entry(), later)]
        assert names == [
            "0192-class-20261102T183000Z@kourse",
            "0192-class-20261109T183000Z@kourse",
        ]

    def test_ends_after_it_began_although_the_clocks_are_put_back(self):
        zone = ZoneInfo("Europe/Lisbon")
        starts_at = datetime(2026, 10, 25, 0, 50, tzinfo=UTC).astimezone(zone)
        ends_at = datetime(2026, 10, 25, 1, 20, tzinfo=UTC).astimezone(zone)
        (event,) = read(entry(starts_at=starts_at, ends_at=ends_at))
        assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=30)

    def test_gives_a_moment_no_end_and_blocks_no_time(self):
        (event,) = read(entry(ends_at=STARTS))
        assert "DTEND" not in event
        assert event["TRANSP"] == "TRANSPARENT"

    def test_is_a_calendar_without_entries_too(self):
        calendar = Calendar.from_ical(write("kourse", ()))
        assert (calendar["VERSION"], calendar["X-WR-CALNAME"]) == ("2.0", "kourse")
        assert calendar.errors == []

    @given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200))
    def test_keeps_every_title_in_lines_that_are_short_enough(self, title):
        data = write("kourse", [entry(title=title)])
        (event,) = Calendar.from_ical(data).walk("VEVENT")
        assert event["SUMMARY"] == title
        assert all(len(line) <= OCTETS for line in data.split(b"\r\n"))

    def test_lets_no_title_begin_a_line_of_its_own(self):
        (event,) = read(entry(title="Class\r\nDTSTART:19700101T000000Z\rX"))
        assert event.decoded("DTSTART") == STARTS
