"""What people refuse, what they cannot refuse, and when mail waits, also where the clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.domain.preferences import OPTIONAL, Channel, Preferences, QuietHours

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7))
WINTER_NIGHT = datetime(2027, 1, 15, 23, tzinfo=UTC)
TIMES = st.times().map(lambda one: one.replace(second=0, microsecond=0))
SOME_DAY = datetime(2027, 1, 1, tzinfo=UTC)


class TestTakes:
    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in OPTIONAL])
    def test_security_messages_whatever_was_refused(self, kind):
        wanted = Preferences(
            wants_mail=False,
            refused=frozenset((kind, channel) for channel in Channel),
            quiet=QuietHours(time(0), time(0)),
        )

        assert wanted.takes(kind, Channel.EMAIL)
        assert wanted.silent_until(kind, WINTER_NIGHT, BERLIN) is None

    @pytest.mark.parametrize("kind", OPTIONAL)
    def test_every_other_kind_by_its_own_channels_until_refused(self, kind):
        assert Preferences().takes(kind, Channel.EMAIL) is RULES[kind].by_email
        for channel in Channel:
            wanted = Preferences(refused=frozenset({(kind, channel)}))
            assert not wanted.takes(kind, channel)

    def test_no_mail_of_any_kind_when_mail_is_refused(self):
        wanted = Preferences(wants_mail=False)

        assert not any(wanted.takes(kind, Channel.EMAIL) for kind in OPTIONAL)
        assert wanted.takes(Kind.EXAM_GRADED, Channel.FEED)


class TestQuietHours:
    def test_go_past_midnight(self):
        assert NIGHT.end_after(datetime(2027, 1, 15, 20, 59, tzinfo=UTC), BERLIN) is None
        ends_at = datetime(2027, 1, 16, 6, tzinfo=UTC)
        assert NIGHT.end_after(datetime(2027, 1, 15, 21, tzinfo=UTC), BERLIN) == ends_at
        assert NIGHT.end_after(ends_at - timedelta(seconds=1), BERLIN) == ends_at
        assert NIGHT.end_after(ends_at, BERLIN) is None

    def test_lie_within_a_day(self):
        noon = QuietHours(time(12), time(13))

        assert noon.end_after(datetime(2027, 1, 15, 11, 30, tzinfo=UTC), BERLIN) == datetime(
            2027, 1, 15, 12, tzinfo=UTC
        )
        assert noon.end_after(datetime(2027, 1, 15, 10, 30, tzinfo=UTC), BERLIN) is None

    def test_follow_the_person_into_another_zone(self):
        moment = datetime(2027, 1, 15, 12, tzinfo=UTC)

        assert NIGHT.end_after(moment, BERLIN) is None
        assert NIGHT.end_after(moment, ZoneInfo("Asia/Tokyo")) is None
        assert NIGHT.end_after(moment, ZoneInfo("Pacific/Auckland")) is not None

    @pytest.mark.parametrize(
        ("evening", "ends_at"),
        [
            (datetime(2027, 3, 27, 22, tzinfo=UTC), datetime(2027, 3, 28, 5, tzinfo=UTC)),
            (datetime(2027, 10, 30, 22, tzinfo=UTC), datetime(2027, 10, 31, 6, tzinfo=UTC)),
        ],
        ids=["shorter in spring", "longer in autumn"],
    )
    def test_end_by_the_wall_clock_when_the_clocks_change(self, evening, ends_at):
        assert NIGHT.end_after(evening, BERLIN) == ends_at

    def test_that_end_in_the_hour_that_comes_twice_end_the_first_time(self):
        quiet = QuietHours(time(22), time(2, 30))

        first, second = (datetime(2027, 10, 31, hour, 10, tzinfo=UTC) for hour in (0, 1))
        assert quiet.end_after(first, BERLIN) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
        assert quiet.end_after(second, BERLIN) is None

    @given(starts=TIMES, ends=TIMES, minutes=st.integers(0, 366 * 24 * 60))
    def test_end_after_now_within_a_day_and_an_hour_and_are_over_then(self, starts, ends, minutes):
        quiet = QuietHours(starts, ends)
        now = SOME_DAY + timedelta(minutes=minutes)

        ends_at = quiet.end_after(now, BERLIN)

        if ends_at is not None:
            assert now < ends_at <= now + timedelta(hours=25)
            assert starts == ends or quiet.end_after(ends_at, BERLIN) is None
