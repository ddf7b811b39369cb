"""Places on a leaderboard, and the days that count there."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.notification.domain.leaderboards import Run, ranked

POINTS = st.dictionaries(st.uuids(), st.integers(0, 5))


def ranks(*points):
    return [one.rank for one in ranked({UUID(int=n): worth for n, worth in enumerate(points)})]


class TestRanked:
    @pytest.mark.parametrize(
        ("points", "expected"),
        [
            ((), []),
            ((5,), [1]),
            ((5, 3, 9), [1, 2, 3]),
            ((9, 5, 5, 3), [1, 2, 2, 4]),
            ((9, 9, 9, 3), [1, 1, 1, 4]),
            ((0, 0), [1, 1]),
        ],
    )
    def test_shares_ranks_as_competitions_do(self, points, expected):
        assert ranks(*points) == expected

    @given(POINTS)
    def test_is_one_more_than_those_who_have_more(self, points):
        for place in ranked(points):
            better = sum(worth > place.points for worth in points.values())

            assert place.rank == better + 1

    @given(POINTS, st.randoms())
    def test_places_everybody_once_whatever_the_order_they_come_in(self, points, random):
        shuffled = dict(random.sample(list(points.items()), len(points)))

        places = ranked(shuffled)

        assert places == ranked(points)
        assert {one.learner_id: one.points for one in places} == points

    @given(POINTS)
    def test_puts_the_best_first(self, points):
        places = ranked(points)

        assert places == sorted(places, key=lambda one: one.rank)
        assert [one.points for one in places] == sorted(points.values(), reverse=True)


class TestRun:
    def test_lasts_from_the_first_midnight_to_the_end_of_the_last_day_where_it_takes_place(self):
        run = Run(("c",), date(2027, 3, 1), date(2027, 3, 31), "Europe/Lisbon")

        assert run.begins_at == datetime(2027, 3, 1, tzinfo=UTC)
        assert run.over_at == datetime(2027, 3, 31, 23, tzinfo=UTC)
