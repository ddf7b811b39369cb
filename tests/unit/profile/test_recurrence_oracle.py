"""Recurrence rules against a second implementation: slow, obvious, and written from RFC 5545 alone.

The oracle looks at every day of every period and asks whether the rule's parts allow it; instants are
searched for among all moments that show the wall-clock time.
"""

# ruff: noqa: DTZ001 -- wall-clock times carry no zone

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from kourse.profile.domain.recurrence import Meeting, between, irregular

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ZONES = ("UTC", "Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca")
HORIZON = date(2029, 1, 1)


def days_from(first, count):
    return [first + timedelta(days=number) for number in range(count)]


def periods(freq, first, interval, wkst):
    """The days of every period that the rule looks at, period by period."""
    if freq == "DAILY":
        for day in days_from(first, (HORIZON - first).days)[::interval]:
            yield [day]
    if freq == "WEEKLY":
        monday = first - timedelta(days=(first.weekday() - wkst) % 7)
        for begin in days_from(monday, (HORIZON - monday).days)[:: 7 * interval]:
            yield days_from(begin, 7)
    if freq == "MONTHLY":
        for number in range(0, 12 * (HORIZON.year - first.year), interval):
            year, month = divmod(first.month - 1 + number, 12)
            begin = date(first.year + year, month + 1, 1)
            yield days_from(begin, monthrange(begin.year, begin.month)[1])
    if freq == "YEARLY":
        for year in range(first.year, HORIZON.year, interval):
            yield days_from(date(year, 1, 1), (date(year + 1, 1, 1) - date(year, 1, 1)).days)


def is_allowed(day, rule, first, within):
    """Whether the parts of the rule but BYSETPOS, COUNT and UNTIL allow the day."""
    freq, by_day, by_month_day = rule["FREQ"], rule.get("BYDAY"), rule.get("BYMONTHDAY")
    if "BYMONTH" in rule and day.month not in rule["BYMONTH"]:
        return False
    if by_month_day and not any(at in by_month_day for at in places_in(day, month_of(day))):
        return False
    if by_day:
        span = month_of(day) if freq == "MONTHLY" or "BYMONTH" in rule else within
        same = [one for one in span if one.weekday() == day.weekday()]
        names = {DAYS[day.weekday()]}
        if freq in {"MONTHLY", "YEARLY"}:
            names |= {f"{at}{DAYS[day.weekday()]}" for at in places_in(day, same)}
        return bool(names & set(by_day))
    if by_month_day or freq == "DAILY":
        return True
    if freq == "WEEKLY":
        return day.weekday() == first.weekday()
    return day.day == first.day and (
        freq == "MONTHLY" or "BYMONTH" in rule or day.month == first.month
    )


def month_of(day):
    return days_from(day.replace(day=1), monthrange(day.year, day.month)[1])


def places_in(day, days):
    """Number of the day from the front and, negative, from the back."""
    at = days.index(day)
    return (at + 1, at - len(days))


def walls_by_hand(start, rule, exceptions, additions):
    found = []
    for within in periods(rule["FREQ"], start.date(), rule["INTERVAL"], rule.get("WKST", 0)):
        days = [day for day in within if is_allowed(day, rule, start.date(), within)]
        if "BYSETPOS" in rule:
            kept = [day for day in days if set(places_in(day, days)) & set(rule["BYSETPOS"])]
            days = kept
        found += [datetime.combine(day, start.time()) for day in days]
    found = [wall for wall in found if wall >= start]
    if "UNTIL" in rule:
        found = [wall for wall in found if wall.date() <= rule["UNTIL"]]
    if "COUNT" in rule:
        found = found[: rule["COUNT"]]
    return sorted((set(found) | set(additions)) - set(exceptions))


def instant_by_hand(wall, zone):
    """The first moment that shows this wall-clock time; in a gap, by the offset before it."""
    near = wall.replace(tzinfo=UTC)
    offsets = [(near + timedelta(hours=at)).astimezone(zone).utcoffset() for at in (-30, 30)]
    moments = sorted(near - offset for offset in offsets)
    shown = [one for one in moments if one.astimezone(zone).replace(tzinfo=None) == wall]
    return shown[0] if shown else near - offsets[0]


numbers = st.lists(st.sampled_from([1, 2, 5, -1, -2]), min_size=1, max_size=2, unique=True)


@st.composite
def rules(draw):
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    rule = {"FREQ": freq, "INTERVAL": draw(st.integers(1, 4))}
    if draw(st.booleans()):
        months = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True)
        rule["BYMONTH"] = draw(months)
    named = st.sampled_from(DAYS)
    if freq in {"MONTHLY", "YEARLY"} and draw(st.booleans()):
        named = st.builds("{}{}".format, st.sampled_from([1, 2, -1]), st.sampled_from(DAYS))
    parts = draw(st.sampled_from(["none", "days", "dates"]))
    if parts == "days":
        rule["BYDAY"] = draw(st.lists(named, min_size=1, max_size=3, unique=True))
    if parts == "dates" and freq in {"MONTHLY", "YEARLY"}:
        rule["BYMONTHDAY"] = draw(st.lists(st.sampled_from([1, 15, 28, 31, -1]), min_size=1))
        rule["BYMONTHDAY"] = list(dict.fromkeys(rule["BYMONTHDAY"]))
    if freq in {"MONTHLY", "YEARLY"} and parts != "none" and draw(st.booleans()):
        rule["BYSETPOS"] = draw(numbers)
    if freq == "WEEKLY":
        rule["WKST"] = draw(st.sampled_from([0, 6]))
    ends = draw(st.sampled_from(["never", "count", "until"]))
    if ends == "count":
        rule["COUNT"] = draw(st.integers(1, 30))
    if ends == "until":
        rule["UNTIL"] = draw(st.dates(date(2026, 6, 1), date(2028, 12, 31)))
    return rule


def written(rule):
    """The rule as RFC 5545 writes it."""

    def text(name, value):
        if name == "WKST":
            return DAYS[value]
        if name == "UNTIL":
            return f"{value:%Y%m%d}"
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)

    return ";".join(f"{name}={text(name, value)}" for name, value in rule.items())


starts = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(
    lambda moment: moment.replace(second=0, microsecond=0, fold=0)
)
NIGHTS = st.sampled_from(
    [datetime(2026, 3, 22, 1, 30), datetime(2026, 3, 1, 2, 30), datetime(2026, 10, 4, 2, 15)]
)
"""Starts whose weekly or monthly repetition meets a clock change."""


class TestAgainstASecondImplementation:
    @settings(max_examples=60, deadline=None)
    @given(starts | NIGHTS, rules(), st.sampled_from(ZONES), st.data())
    def test_takes_place_at_the_same_instants(self, start, rule, zone, data):
        additions = data.draw(st.lists(starts, max_size=3))
        plain = walls_by_hand(start, rule, (), additions)
        exceptions = data.draw(st.lists(st.sampled_from(plain), max_size=3)) if plain else []
        meeting = Meeting(
            "Class",
            start.isoformat(),
            30,
            written(rule),
            [wall.isoformat() for wall in exceptions],
            [wall.isoformat() for wall in additions],
        )
        zone = ZoneInfo(zone)
        since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 12, 1, tzinfo=UTC)

        found = list(between(meeting, zone, HORIZON, since, until))

        walls = walls_by_hand(start, rule, exceptions, additions)
        expected = [instant_by_hand(wall, zone) for wall in walls]
        length = timedelta(minutes=30)
        assert [one.starts_at.astimezone(UTC) for one in found] == [
            at for at in expected if at < until and at + length > since
        ]
        assert all(
            one.ends_at.astimezone(UTC) - one.starts_at.astimezone(UTC) == length for one in found
        )

    @settings(max_examples=30, deadline=None)
    @given(starts | NIGHTS, rules(), st.sampled_from(ZONES))
    def test_warns_of_exactly_those_times_that_are_not_one_instant(self, start, rule, zone):
        meeting, zone = Meeting("Class", start.isoformat(), 30, written(rule)), ZoneInfo(zone)

        found = irregular(meeting, zone, HORIZON, datetime(2025, 12, 1, tzinfo=UTC), 1000)

        def moments(wall):
            near = wall.replace(tzinfo=UTC)
            offsets = {
                (near + timedelta(hours=at)).astimezone(zone).utcoffset() for at in (-30, 30)
            }
            return [
                near - one
                for one in offsets
                if (near - one).astimezone(zone).replace(tzinfo=None) == wall
            ]

        walls = walls_by_hand(start, rule, (), ())
        expected = [instant_by_hand(wall, zone) for wall in walls if len(moments(wall)) != 1]
        assert [one.starts_at.astimezone(UTC) for one in found] == expected
