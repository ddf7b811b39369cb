"""The storm is repeatable, and a check that looked at nothing or found something has not passed."""

import json
from itertools import islice

from hack.chaos.__main__ import report, table
from hack.chaos.campaign import Outcome
from hack.chaos.mails import _explained
from hack.chaos.postbox import Mail
from hack.chaos.storm import DECK, Fault, storm
from hack.chaos.striking import Struck
from hack.chaos.verdict import SHOWN, judge


class TestStorm:
    def test_is_the_same_for_the_same_seed(self):
        assert list(islice(storm(7, 2.0), 200)) == list(islice(storm(7, 2.0), 200))

    def test_differs_with_the_seed(self):
        assert list(islice(storm(7, 2.0), 50)) != list(islice(storm(8, 2.0), 50))

    def test_deals_everything_in_each_round(self):
        dealt = list(islice(storm(7, 2.0), 2 * len(DECK)))
        everything = sorted(fault.name for fault in DECK)
        assert sorted(fault.name for fault in dealt[: len(DECK)]) == everything
        assert sorted(fault.name for fault in dealt[len(DECK) :]) == everything

    def test_keeps_its_pace(self):
        assert all(1.0 <= fault.after_s <= 3.0 for fault in islice(storm(7, 2.0), 100))


class TestReport:
    def test_is_json_with_every_fault_and_every_verdict(self):
        outcome = Outcome(seed=7, journeys=2, verdicts=[judge("p", 1, ["b"])])
        outcome.tally.answers[200] += 3
        outcome.faults.append(Struck(Fault("kill", "course", 1.5), 100.0, 101.0).row())

        found = json.loads(report(outcome))

        assert (found["seed"], found["passed"]) == (7, False)
        assert found["faults"][0]["target"] == "course"
        assert found["verdicts"][0]["breaches"] == 1
        assert found["tally"]["answers"] == {"200": 3}

    def test_is_a_table_for_people(self):
        outcome = Outcome(seed=7, journeys=2, verdicts=[judge("it holds", 1, ["b"])])
        assert "✗ it holds: 1 of 1" in table(outcome)


class TestVerdict:
    def test_is_kept_when_nothing_breaks_it(self):
        assert judge("p", 3, []).kept

    def test_is_not_kept_when_nothing_was_looked_at(self):
        assert not judge("p", 0, []).kept

    def test_counts_every_breach_and_shows_the_first(self):
        verdict = judge("p", 100, range(50))
        assert (verdict.kept, verdict.breaches, len(verdict.examples)) == (False, 50, SHOWN)


def copies(*times):
    return [Mail("<1@kourse.example>", "ana@example.org", "Welcome", time) for time in times]


class TestRepeatedMail:
    STRUCK = (Struck(Fault("kill", "notification"), 100.0, 102.0),)

    def test_is_explained_by_the_loss_of_its_sender_just_after(self):
        assert _explained(copies(99.5, 120.0), 2, self.STRUCK)

    def test_is_not_explained_by_a_fault_elsewhere(self):
        assert not _explained(copies(99.5, 120.0), 2, (Struck(Fault("kill", "course"), 100, 102),))

    def test_is_not_explained_by_a_fault_at_another_time(self):
        assert not _explained(copies(50.0, 120.0), 2, self.STRUCK)

    def test_is_not_explained_when_it_was_tried_once_only(self):
        assert not _explained(copies(99.5, 99.6), 1, self.STRUCK)

    def test_that_came_once_needs_no_explanation(self):
        assert _explained(copies(50.0), 1, ())
