"""One resolver of dates: wall clocks, day offsets and layers."""

# ruff: noqa: DTZ001 -- wall-clock times carry no zone

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.errors import InvalidDates, UnknownTimeZone
from kourse.contracts.resources.meta import Moment, Window
from kourse.rules import dates
from kourse.rules.dates import Dates, Frame, Irregularity, Layer, Run, Source

LISBON = ZoneInfo("Europe/Lisbon")
AUCKLAND = ZoneInfo("Pacific/Auckland")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestZoneOf:
    def test_finds_a_zone_by_its_iana_name(self):
        assert dates.zone_of("Europe/Lisbon").key == "Europe/Lisbon"

    @pytest.mark.parametrize("name", ["Mars/Olympus", "Europe", "localtime", "../etc/passwd", ""])
    def test_refuses_what_is_no_zone(self, name):
        with pytest.raises(UnknownTimeZone, match="IANA"):
            dates.zone_of(name)


class TestLocalise:
    def test_reads_a_time_in_the_spring_gap_with_the_offset_before_it(self):
        # New York, RFC 5545's own example: 2007-03-11 02:30 does not occur, it is 03:30 EDT.
        new_york = ZoneInfo("America/New_York")
        assert dates.localise(datetime(2007, 3, 11, 2, 30), new_york) == utc("2007-03-11T07:30")

    def test_reads_a_time_that_occurs_twice_as_its_first_occurrence(self):
        new_york = ZoneInfo("America/New_York")
        assert dates.localise(datetime(2007, 11, 4, 1, 30), new_york) == utc("2007-11-04T05:30")

    def test_ignores_a_fold_mark_of_the_caller(self):
        local = datetime(2026, 10, 25, 1, 30, fold=1)
        assert dates.localise(local, LISBON) == utc("2026-10-25T00:30")

    @given(
        st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
        st.sampled_from(["Europe/Lisbon", "Pacific/Auckland", "America/New_York", "Asia/Kolkata"]),
    )
    def test_reads_every_plain_time_back_unchanged(self, local, name):
        zone = ZoneInfo(name)
        back = dates.localise(local, zone).astimezone(zone).replace(tzinfo=None, fold=0)
        assert (back == local) == (dates.irregularity(local, zone) is not Irregularity.GAP)


class TestIrregularity:
    def test_names_gap_and_fold(self):
        assert dates.irregularity(datetime(2026, 3, 29, 1, 30), LISBON) is Irregularity.GAP
        assert dates.irregularity(datetime(2026, 10, 25, 1, 30), LISBON) is Irregularity.FOLD
        assert dates.irregularity(datetime(2026, 6, 1, 12), LISBON) is None


class TestInstant:
    def test_takes_a_wall_clock_time_in_the_objects_zone(self):
        frame = Frame(LISBON, Run(date(2026, 11, 2), AUCKLAND))
        assert dates.instant(Moment(at="2026-07-01T09:00"), frame) == utc("2026-07-01T08:00")

    def test_takes_an_offset_at_its_word(self):
        frame = Frame(AUCKLAND)
        assert dates.instant(Moment(at="2026-07-01T09:00+02:00"), frame) == utc("2026-07-01T07:00")

    def test_counts_days_in_the_runs_zone_and_over_a_clock_change(self):
        frame = Frame(LISBON, Run(date(2026, 10, 24), LISBON))
        assert dates.instant(Moment(day=0, time="09:00"), frame) == utc("2026-10-24T08:00")
        assert dates.instant(Moment(day=1, time="09:00"), frame) == utc("2026-10-25T09:00")

    def test_ends_a_day_that_names_no_time_at_its_last_minute(self):
        frame = Frame(LISBON, Run(date(2026, 12, 1), AUCKLAND))
        assert dates.instant(Moment(day=6), frame) == utc("2026-12-07T10:59")

    def test_is_none_without_a_run_to_count_from(self):
        assert dates.instant(Moment(day=3), Frame(LISBON)) is None
        assert dates.instant(None, Frame(LISBON)) is None

    def test_refuses_a_day_that_no_calendar_has(self):
        with pytest.raises(InvalidDates, match="2026-02-30"):
            dates.instant(Moment(at="2026-02-30T10:00"), Frame(LISBON))


class TestDatesOf:
    def test_resolves_all_three(self):
        window = Window(
            opens=Moment(at="2026-11-02T08:00"),
            due=Moment(day=7, time="18:00"),
            closes=Moment(day=9),
        )
        found = dates.dates_of(window, Frame(LISBON, Run(date(2026, 11, 2), LISBON)))
        assert found == Dates(
            utc("2026-11-02T08:00"), utc("2026-11-09T18:00"), utc("2026-11-11T23:59")
        )

    def test_refuses_a_window_that_is_due_before_it_opens(self):
        window = Window(opens=Moment(at="2026-11-02T08:00"), due=Moment(at="2026-11-01T08:00"))
        with pytest.raises(InvalidDates, match=r"'due' .* before 'opens'"):
            dates.dates_of(window, Frame(LISBON))


class TestEffective:
    def test_lets_stronger_layers_override_field_by_field(self):
        base = Dates(utc("2026-11-01T00:00"), utc("2026-11-08T00:00"), utc("2026-11-10T00:00"))
        found = dates.effective(
            [
                Layer(Source.COHORT, Dates(due_at=utc("2026-11-09T00:00"))),
                Layer(Source.DEFAULT, base),
            ]
        )
        assert found.dates == Dates(base.opens_at, utc("2026-11-09T00:00"), base.closes_at)
        assert found.sources == {
            "opens_at": Source.DEFAULT,
            "due_at": Source.COHORT,
            "closes_at": Source.DEFAULT,
        }

    def test_takes_the_close_along_with_an_extension(self):
        base = Dates(due_at=utc("2026-11-08T00:00"), closes_at=utc("2026-11-10T00:00"))
        late = utc("2026-11-20T00:00")
        found = dates.effective(
            [Layer(Source.DEFAULT, base), Layer(Source.PERSONAL, Dates(due_at=late))]
        )
        assert found.dates.closes_at == late
        assert found.sources["closes_at"] is Source.PERSONAL

    def test_keeps_a_stronger_close(self):
        found = dates.effective(
            [
                Layer(Source.DEFAULT, Dates(due_at=utc("2026-11-20T00:00"))),
                Layer(Source.COHORT, Dates(closes_at=utc("2026-11-10T00:00"))),
            ]
        )
        assert found.dates.closes_at == utc("2026-11-10T00:00")

    def test_is_empty_without_layers(self):
        assert dates.effective([]).dates == Dates()

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(Source),
                st.lists(st.none() | st.integers(0, 400), min_size=3, max_size=3),
            ),
            max_size=8,
        )
    )
    def test_agrees_with_a_slow_and_obvious_search(self, drawn):
        start = utc("2026-01-01T00:00")
        layers = [
            Layer(
                source, Dates(*(None if h is None else start + timedelta(hours=h) for h in hours))
            )
            for source, hours in drawn
        ]
        found = dates.effective(layers)
        for name in ("opens_at", "due_at"):
            said = [
                value
                for source in reversed(Source)
                for layer in reversed(layers)
                if layer.source is source and (value := getattr(layer.dates, name)) is not None
            ]
            assert getattr(found.dates, name) == (said[0] if said else None)
        assert found.dates.closes_at == obvious_close(layers, found.dates.due_at)


def obvious_close(layers, due):
    """The last close that was said, unless a stronger source said that it is due later than that."""
    strength = list(Source)
    closes = [layer for layer in layers if layer.dates.closes_at is not None]
    if not closes:
        return None
    strongest = max(strength.index(layer.source) for layer in closes)
    close = [layer for layer in closes if layer.source is strength[strongest]][-1].dates.closes_at
    stronger = any(
        layer.dates.due_at is not None and strength.index(layer.source) > strongest
        for layer in layers
    )
    return max(close, due) if stronger else close


class TestProlonged:
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([Source.DEFAULT, Source.COHORT, Source.LABEL]),
                st.lists(st.none() | st.integers(0, 400), min_size=3, max_size=3),
            ),
            max_size=5,
        ),
        st.integers(1, 400),
        st.none() | st.integers(0, 900),
    )
    def test_moves_both_ends_and_gives_way_to_an_extension_of_ones_own(self, drawn, hours, own):
        start, by = utc("2026-01-01T00:00"), timedelta(hours=hours)
        layers = [
            Layer(source, Dates(*(None if h is None else start + timedelta(hours=h) for h in said)))
            for source, said in drawn
        ]
        without = dates.effective(layers).dates
        with_it = [*layers, dates.prolonged(layers, by)]

        found = dates.effective(with_it).dates

        assert found.opens_at == without.opens_at
        assert found.due_at == (without.due_at and without.due_at + by)
        assert found.closes_at == (without.closes_at and without.closes_at + by)
        if own is not None:
            due = start + timedelta(hours=own)
            theirs = dates.effective([*with_it, Layer(Source.PERSONAL, Dates(due_at=due))])
            assert theirs.dates.due_at == due


class TestCutOff:
    """Nothing is taken so many hours after the due time, whoever set it."""

    DUE = datetime(2027, 3, 1, 12, tzinfo=UTC)

    def closes(self, *layers, hours=24):
        return dates.cut_off(dates.effective(layers), hours)

    def test_closes_what_had_no_end_or_a_later_one(self):
        for late in (None, self.DUE + timedelta(days=9)):
            found = self.closes(Layer(Source.DEFAULT, Dates(due_at=self.DUE, closes_at=late)))
            assert found.dates.closes_at == self.DUE + timedelta(hours=24)

    def test_leaves_an_earlier_close(self):
        early = self.DUE + timedelta(hours=2)
        found = self.closes(Layer(Source.DEFAULT, Dates(due_at=self.DUE, closes_at=early)))
        assert found.dates.closes_at == early

    def test_moves_with_an_extension(self):
        later = self.DUE + timedelta(days=3)
        found = self.closes(
            Layer(Source.DEFAULT, Dates(due_at=self.DUE)),
            Layer(Source.PERSONAL, Dates(due_at=later)),
        )
        assert found.dates.closes_at == later + timedelta(hours=24)
        assert found.sources["closes_at"] is Source.PERSONAL

    def test_gives_way_to_a_close_of_ones_own(self):
        own = self.DUE + timedelta(days=9)
        found = self.closes(
            Layer(Source.DEFAULT, Dates(due_at=self.DUE)),
            Layer(Source.PERSONAL, Dates(closes_at=own)),
        )
        assert found.dates.closes_at == own

    def test_needs_a_due_time_and_hours(self):
        assert self.closes(Layer(Source.DEFAULT, Dates())).dates.closes_at is None
        assert self.closes(
            Layer(Source.DEFAULT, Dates(due_at=self.DUE)), hours=None
        ).dates == Dates(due_at=self.DUE)
