"""Which day a moment fell on for a learner."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kourse.notification.domain.calendars import Calendar

MOVED = datetime(2027, 3, 10, 12, tzinfo=UTC)
ZONES = st.sampled_from(["UTC", "Pacific/Auckland", "Pacific/Honolulu", "Europe/Lisbon"])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


class TestDayOf:
    def test_goes_by_utc_until_a_zone_is_named(self):
        assert Calendar().day_of(datetime(2027, 3, 9, 23, 30, tzinfo=UTC)) == date(2027, 3, 9)

    def test_goes_by_the_zone_of_that_time(self):
        calendar = Calendar.of([(MOVED, "Pacific/Auckland")])

        assert calendar.day_of(MOVED - timedelta(seconds=1)) == date(2027, 3, 10)
        assert calendar.day_of(MOVED) == date(2027, 3, 11)

    def test_follows_the_change_of_the_clocks(self):
        calendar = Calendar.of([(datetime(2027, 1, 1, tzinfo=UTC), "Europe/Lisbon")])

        assert calendar.day_of(datetime(2027, 7, 1, 23, 30, tzinfo=UTC)) == date(2027, 7, 2)
        assert calendar.day_of(datetime(2027, 1, 5, 23, 30, tzinfo=UTC)) == date(2027, 1, 5)

    @given(st.dictionaries(MOMENTS, ZONES), MOMENTS, st.randoms())
    def test_does_not_depend_on_the_order_in_which_changes_are_known(self, changes, at, random):
        shuffled = list(changes.items())
        random.shuffle(shuffled)

        assert Calendar.of(shuffled).day_of(at) == Calendar.of(changes.items()).day_of(at)

    @given(st.dictionaries(MOMENTS, ZONES, min_size=1), ZONES, MOMENTS)
    def test_is_not_changed_by_a_later_move(self, changes, zone, at):
        later = max(*changes, at, at) + timedelta(seconds=1)

        moved = Calendar.of([*changes.items(), (later, zone)])

        assert moved.day_of(at) == Calendar.of(changes.items()).day_of(at)
