"""Conditions follow the API conventions, and kstatus and kubectl wait read them rightly."""

from datetime import UTC, datetime, timedelta

import pytest

from kourse.contracts import errors
from kourse_operator import conditions
from kourse_operator.conditions import Condition, Finding, Reason, Type, finding_of
from kourse_operator.errors import BindingMismatch
from support.kstatus import kstatus, wait_for_ready

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
GOOD = Finding(Reason.RECONCILED, "There.", ok=True)
DOWN = Finding(Reason.BACKEND_UNAVAILABLE, "The database is not available right now.")
WRONG = Finding(Reason.INVALID_SPEC, "Wrong.", stalled=True)


def written(found, generation=1, before=(), at=AT, keep=()):
    return conditions.merged(before, found, generation=generation, at=at, keep=keep)


def shown(found, generation=1, observed=1):
    status = {"conditions": written(found, observed), "observedGeneration": observed}
    return {"metadata": {"generation": generation}, "status": status}


def judged(found, **more):
    return kstatus(shown(found, **more)), wait_for_ready(shown(found, **more))


class TestVerdicts:
    def test_everything_in_place_is_current(self):
        found = conditions.ready({Type.ROWS_SYNCED: GOOD}, [], "Live.")
        assert judged(found) == ("Current", True)

    def test_a_new_generation_is_in_progress(self):
        found = conditions.ready({Type.ROWS_SYNCED: GOOD}, [], "Live.")
        assert judged(found, generation=2) == ("InProgress", False)

    def test_a_back_end_that_is_down_is_in_progress(self):
        found = conditions.ready({Type.ROWS_SYNCED: DOWN}, [], "")
        assert judged(found) == ("InProgress", False)

    def test_what_only_its_author_can_mend_has_failed(self):
        found = conditions.ready({Type.ROWS_SYNCED: WRONG}, [], "")
        assert judged(found) == ("Failed", False)

    def test_missing_assets_are_in_progress(self):
        missing = Finding(Reason.ASSETS_MISSING, "a.csv is missing.")
        found = conditions.ready({Type.ROWS_SYNCED: GOOD}, [missing], "")
        assert judged(found) == ("InProgress", False)
        assert found[0].reason == "AssetsMissing"

    def test_a_slow_generation_is_in_progress(self):
        assert judged(conditions.progressing(1)) == ("InProgress", False)

    def test_what_stalls_is_named_before_what_passes(self):
        found = conditions.ready({Type.ROWS_SYNCED: DOWN, Type.BINDINGS_READY: WRONG}, [], "")
        assert found[0].reason == "InvalidSpec"


class TestMerged:
    def test_moves_the_time_only_when_the_status_flips(self):
        first = written([Condition(Type.READY, "False", "A", "a")])
        same = written([Condition(Type.READY, "False", "B", "b")], before=first, at=LATER)
        flipped = written([Condition(Type.READY, "True", "C", "c")], before=same, at=LATER)
        assert same[0]["lastTransitionTime"] == "2026-11-22T10:00:00Z"
        assert same[0]["reason"] == "B"
        assert flipped[0]["lastTransitionTime"] == "2026-11-22T11:00:00Z"

    def test_drops_what_is_no_longer_true(self):
        before = written(conditions.not_ready(WRONG))
        after = written([Condition(Type.READY, "True", "Reconciled", "ok")], before=before)
        assert [item["type"] for item in after] == ["Ready"]

    def test_keeps_what_was_not_looked_at(self):
        before = written([Condition(Type.BUCKET_READY, "True", "Reconciled", "ok")])
        after = written(
            conditions.not_ready(DOWN), generation=2, before=before, keep=(Type.BUCKET_READY,)
        )
        kept = conditions.find(after, Type.BUCKET_READY)
        assert kept["observedGeneration"] == 1

    def test_has_a_fixed_order(self):
        found = [
            Condition(Type.BINDINGS_READY, "True", "R", ""),
            Condition(Type.READY, "True", "R", ""),
        ]
        assert [item["type"] for item in written(found)] == ["Ready", "BindingsReady"]

    def test_shortens_long_messages(self):
        made = written([Condition(Type.READY, "False", "R", "x" * 5000)])
        assert len(made[0]["message"]) == 2000


class TestFindingOf:
    @pytest.mark.parametrize(
        ("error", "reason", "stalled"),
        [
            (errors.Invalid("no"), "InvalidSpec", True),
            (errors.TooLarge("big"), "TooLarge", True),
            (errors.OwnedByApi("taken"), "OwnedByApi", True),
            (errors.Conflict("no"), "Conflict", True),
            (BindingMismatch("other"), "BindingMismatch", True),
            (errors.StaleGeneration("old"), "StaleGeneration", False),
            (errors.DependencyNotReady("wait"), "DependencyNotReady", False),
            (errors.Unavailable("down"), "BackendUnavailable", False),
            (errors.KourseError("odd"), "InternalError", False),
            (RuntimeError("bug"), "InternalError", False),
        ],
    )
    def test_tells_what_stalls_from_what_passes(self, error, reason, stalled):
        found = finding_of(error)
        assert (found.reason, found.stalled, found.ok) == (reason, stalled, False)

    def test_shows_nothing_of_an_unknown_error(self):
        assert "secret" not in finding_of(RuntimeError("secret")).message
