"""When a learner is at risk."""

from datetime import UTC, datetime, timedelta

import pytest

from kourse.contracts.resources.course import AtRisk
from kourse.rules.at_risk import Due, Policy, Reason, Standing, next_change, risks

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
POLICY = Policy.of(AtRisk())


def days(count):
    return timedelta(days=count)


def standing(**changes):
    return Standing(**{"active_at": NOW - days(1), **changes})


def reasons(found, policy=POLICY):
    return [one.reason for one in risks(found, policy, NOW)]


class TestPolicy:
    def test_is_by_default_what_a_course_declares_that_says_nothing(self):
        assert Policy() == POLICY


class TestInactive:
    def test_applies_from_seven_days_without_study(self):
        assert reasons(standing(active_at=NOW - days(7))) == [Reason.INACTIVE]

    def test_does_not_apply_a_second_before(self):
        assert reasons(standing(active_at=NOW - days(7) + timedelta(seconds=1))) == []

    def test_follows_what_the_course_declares(self):
        policy = Policy.of(AtRisk(inactive_days=3))

        assert reasons(standing(active_at=NOW - days(3)), policy) == [Reason.INACTIVE]

    def test_says_since_when(self):
        (risk,) = risks(standing(active_at=NOW - days(9)), POLICY, NOW)

        assert risk.because == "Nothing done since 2026-11-14."


class TestMasteryBeforeDue:
    REPORT = Due("Report", NOW + days(7))

    def test_applies_below_the_mark_with_something_due_within_the_week(self):
        found = standing(mastery=0.59, due=[self.REPORT])

        assert reasons(found) == [Reason.MASTERY_BEFORE_DUE]

    @pytest.mark.parametrize("mastery", [0.60, None])
    def test_does_not_apply_from_the_mark_on_or_where_nothing_is_known(self, mastery):
        assert reasons(standing(mastery=mastery, due=[self.REPORT])) == []

    @pytest.mark.parametrize("at", [NOW, NOW + days(7) + timedelta(seconds=1)])
    def test_does_not_apply_when_what_is_due_was_before_or_is_later(self, at):
        assert reasons(standing(mastery=0.1, due=[Due("Report", at)])) == []

    def test_names_what_is_due_first(self):
        due = [Due("Later", NOW + days(5)), Due("First", NOW + days(2))]
        (risk,) = risks(standing(mastery=0.48, due=due), POLICY, NOW)

        assert risk.because == "Mastery is 48%, below 60%, and “First” is due on 2026-11-25."


class TestScoresFall:
    def test_applies_when_three_are_fifteen_points_below_the_three_before(self):
        assert reasons(standing(scores=[80, 80, 80, 65, 65, 65])) == [Reason.SCORES_FALL]

    def test_does_not_apply_when_they_fell_by_less(self):
        assert reasons(standing(scores=[80, 80, 80, 65, 65, 66])) == []

    def test_needs_six_scores(self):
        assert reasons(standing(scores=[90, 90, 0, 0, 0])) == []

    def test_looks_at_the_newest_six(self):
        assert reasons(standing(scores=[100, 100, 100, 60, 60, 60, 60, 60, 60])) == []

    def test_says_how_far(self):
        (risk,) = risks(standing(scores=[80, 80, 80, 60, 62, 64]), POLICY, NOW)

        assert risk.because == (
            "The last 3 scores are 62 % on average, 18 points below the 3 before."
        )


class TestMissed:
    def test_applies_from_two(self):
        assert reasons(standing(missed=2)) == [Reason.MISSED]

    def test_does_not_apply_to_one(self):
        assert reasons(standing(missed=1)) == []


class TestRisks:
    def test_names_every_rule_that_applies(self):
        found = standing(
            active_at=NOW - days(8),
            mastery=0.2,
            due=[Due("Report", NOW + days(1))],
            scores=[90, 90, 90, 50, 50, 50],
            missed=3,
        )

        assert reasons(found) == list(Reason)


class TestNextChange:
    def test_is_when_somebody_becomes_inactive(self):
        assert next_change(standing(), POLICY, NOW) == NOW + days(6)

    def test_is_when_a_date_comes_near_if_that_is_earlier(self):
        found = standing(due=[Due("Report", NOW + days(9))])

        assert next_change(found, POLICY, NOW) == NOW + days(2)

    def test_is_when_a_date_passes(self):
        found = standing(due=[Due("Report", NOW + days(3))])

        assert next_change(found, POLICY, NOW) == NOW + days(3)

    def test_is_never_for_somebody_inactive_with_nothing_due(self):
        assert next_change(standing(active_at=NOW - days(30)), POLICY, NOW) is None

    def test_changes_nothing_before_it_comes(self):
        found = standing(mastery=0.1, due=[Due("Report", NOW + days(9))])
        at = next_change(found, POLICY, NOW)

        assert risks(found, POLICY, at - timedelta(seconds=1)) == []
        assert risks(found, POLICY, at) != []
