"""Hundreds of learners under a storm of faults: nothing lost, nothing twice, nothing out of order.

The same campaign as ``make soak``, shorter, and with the same storm each time; ``KOURSE_CHAOS_SEED`` draws
another, ``KOURSE_CHAOS_JOURNEYS`` changes the number of learners. The report lies beside the stack's state.
"""

import asyncio
import os
from pathlib import Path

import pytest

from hack.chaos.__main__ import report, table
from hack.chaos.campaign import Campaign
from hack.chaos.storm import DECK
from hack.stack.lifecycle import stop

JOURNEYS = 500
SEED = "1"
GAP_S = 3.0


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    """What came of one campaign on a stack of its own."""
    kept = os.environ.get("KOURSE_TEST_STATE")
    state = Path(kept) / "chaos" if kept else tmp_path_factory.mktemp("chaos")
    seed = int(os.environ.get("KOURSE_CHAOS_SEED", SEED))
    journeys = int(os.environ.get("KOURSE_CHAOS_JOURNEYS", JOURNEYS))
    campaign = Campaign(state, seed=seed, journeys=journeys, gap_s=GAP_S, say=lambda _line: None)
    try:
        outcome = asyncio.run(campaign.run())
    finally:
        if not kept:
            stop(state)
    (state / "report.json").write_text(report(outcome))
    return outcome


@pytest.mark.timeout(2400)
class TestJourneysUnderFaults:
    def test_all_come_to_their_end(self, outcome):
        assert outcome.stuck == []

    def test_keep_every_promise(self, outcome):
        broken = [verdict for verdict in outcome.verdicts if not verdict.kept]
        assert broken == [], table(outcome)

    def test_meet_every_fault_of_the_deck(self, outcome):
        assert {fault.name for fault in DECK} <= set(outcome.struck)
        assert outcome.flushes > 0

    def test_leave_writes_whose_outcome_nobody_knows(self, outcome):
        assert outcome.tally.unknown_writes > 0
