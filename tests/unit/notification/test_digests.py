"""When weekly digests come, and what they sum up."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from kourse.notification.domain.digests import digested, next_digest
from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.preferences import Channel, DigestTime, Preferences

MAIL_OF_LESSONS = (Kind.LESSON_COMPLETED, Channel.EMAIL)


class TestNextDigest:
    @pytest.mark.parametrize(
        ("zone", "after", "comes"),
        [
            ("UTC", "2027-03-03T12:00", "2027-03-08T08:00"),
            ("UTC", "2027-03-08T07:59", "2027-03-08T08:00"),
            ("UTC", "2027-03-08T08:00", "2027-03-15T08:00"),
            ("Europe/Berlin", "2027-03-24T12:00", "2027-03-29T06:00"),
            ("Europe/Berlin", "2027-03-22T08:00", "2027-03-29T06:00"),
            ("America/New_York", "2027-11-03T12:00", "2027-11-08T13:00"),
            ("Pacific/Kiritimati", "2027-03-07T17:00", "2027-03-07T18:00"),
            ("Pacific/Pago_Pago", "2027-03-08T12:00", "2027-03-08T19:00"),
        ],
    )
    def test_comes_on_monday_at_eight_where_the_learner_is_unless_they_chose(
        self, zone, after, comes
    ):
        after = datetime.fromisoformat(after).replace(tzinfo=UTC)

        found = next_digest(after, ZoneInfo(zone), DigestTime())

        assert found == datetime.fromisoformat(comes).replace(tzinfo=UTC)

    @pytest.mark.parametrize(
        ("zone", "wanted", "after", "comes"),
        [
            ("UTC", DigestTime(6, time(18)), "2027-03-03T12:00", "2027-03-07T18:00"),
            ("UTC", DigestTime(6, time(18)), "2027-03-07T18:00", "2027-03-14T18:00"),
            ("UTC", DigestTime(2, time(12, 30)), "2027-03-03T12:00", "2027-03-03T12:30"),
            # 02:30 is not on that clock: the instant that it would have been, half past three in summer
            ("Europe/Berlin", DigestTime(6, time(2, 30)), "2027-03-27T12:00", "2027-03-28T01:30"),
            # 02:30 is there twice: the first time
            ("Europe/Berlin", DigestTime(6, time(2, 30)), "2027-10-30T12:00", "2027-10-31T00:30"),
            ("Pacific/Kiritimati", DigestTime(0, time(0)), "2027-03-07T09:00", "2027-03-07T10:00"),
        ],
    )
    def test_comes_when_the_learner_chose(self, zone, wanted, after, comes):
        after = datetime.fromisoformat(after).replace(tzinfo=UTC)

        found = next_digest(after, ZoneInfo(zone), wanted)

        assert found == datetime.fromisoformat(comes).replace(tzinfo=UTC)

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
    def test_comes_once_in_each_week_of_a_year(self, zone):
        zone, at = ZoneInfo(zone), datetime(2027, 1, 1, tzinfo=UTC)
        days = []
        for _ in range(52):
            at = next_digest(at, zone, DigestTime())
            days.append(at.astimezone(zone).replace(tzinfo=None))

        assert {(day.weekday(), day.hour) for day in days} == {(0, 8)}
        assert {later - day for day, later in pairwise(days)} == {timedelta(days=7)}


class TestDigested:
    def test_are_kinds_of_which_mail_was_refused(self):
        wanted = Preferences(refused=frozenset({MAIL_OF_LESSONS}))

        assert digested(wanted) == {Kind.LESSON_COMPLETED}

    def test_are_none_for_those_who_get_everything_at_once(self):
        assert digested(Preferences()) == frozenset()

    def test_are_none_for_those_who_want_no_mail_or_no_digest(self):
        no_digest = (Kind.WEEKLY_DIGEST, Channel.EMAIL)

        assert not digested(Preferences(wants_mail=False, refused=frozenset({MAIL_OF_LESSONS})))
        assert not digested(Preferences(refused=frozenset({MAIL_OF_LESSONS, no_digest})))

    def test_leave_out_what_is_not_wanted_in_the_feed_either(self):
        nowhere = frozenset({MAIL_OF_LESSONS, (Kind.LESSON_COMPLETED, Channel.FEED)})

        assert digested(Preferences(refused=nowhere)) == frozenset()
