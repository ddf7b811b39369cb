"""Days of study in a row."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kourse.notification.domain.streaks import FREEZE_EVERY, MOST_FREEZES, Streak, streak

MONDAY = date(2027, 3, 1)


def day(number):
    return MONDAY + timedelta(days=number)


def days(*numbers):
    return [day(number) for number in numbers]


NUMBERS = st.sets(st.integers(0, 60))


def lived_through(numbers, until):
    """The same rules told day by day, as a learner sees them."""
    length = longest = freezes = 0
    frozen = []
    for number in range(until + 1):
        if number in numbers:
            length += 1
            longest = max(longest, length)
            if length % FREEZE_EVERY == 0 and freezes < MOST_FREEZES:
                freezes += 1
        elif number == until or not any(one < number for one in numbers):
            continue
        elif freezes:
            freezes -= 1
            frozen.append(day(number))
        else:
            length = 0
    return length, longest, freezes, frozen


class TestStreak:
    def test_is_nothing_before_the_first_day_of_study(self):
        assert streak([], MONDAY) == Streak()

    def test_counts_days_in_a_row_once_each(self):
        assert streak(days(2, 0, 1, 1), day(2)).days == 3

    def test_lasts_while_today_can_still_be_studied(self):
        assert streak(days(0, 1), day(2)).days == 2

    def test_is_over_after_a_missed_day(self):
        found = streak(days(0, 1), day(3))

        assert (found.days, found.longest) == (0, 2)

    def test_begins_anew_after_a_missed_day(self):
        found = streak(days(0, 1, 2, 4), day(4))

        assert (found.days, found.longest) == (1, 3)

    def test_puts_a_freeze_day_by_for_every_seventh_day_and_two_at_most(self):
        assert [streak(days(*range(n)), day(n)).freezes for n in (6, 7, 13, 14, 35)] == [
            0,
            1,
            1,
            2,
            2,
        ]

    def test_is_kept_and_not_lengthened_by_a_freeze_day(self):
        found = streak(days(*range(7), 8), day(8))

        assert (found.days, found.freezes, found.frozen) == (8, 0, (day(7),))

    def test_is_over_when_more_is_missed_than_was_put_by(self):
        found = streak(days(*range(7), 9), day(9))

        assert (found.days, found.longest, found.freezes) == (1, 7, 0)
        assert found.frozen == (day(7),)

    def test_counts_a_day_that_lies_ahead_after_a_flight_to_the_west(self):
        assert streak(days(0, 1), day(0)).days == 2

    @given(NUMBERS, st.integers(0, 10), st.randoms())
    def test_does_not_depend_on_the_order_in_which_days_are_known(self, numbers, later, random):
        known = days(*numbers)
        today = max(known, default=MONDAY) + timedelta(days=later)
        shuffled = random.sample(known, len(known)) + known

        assert streak(shuffled, today) == streak(known, today)

    @given(NUMBERS, st.integers(0, 10))
    def test_is_what_a_learner_sees_day_by_day(self, numbers, later):
        until = max(numbers, default=0) + later

        found = streak(days(*numbers), day(until))

        seen = (found.days, found.longest, found.freezes, list(found.frozen))
        assert seen == lived_through(numbers, until)
