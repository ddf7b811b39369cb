"""Denials on their way to the audit trail: folded, bounded, and none lost without a word."""

import pytest

from kourse.kit.audit.denials import DROPPED, MAX_TARGET_CHARS, REPEAT_S, Denials


class Watch:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def watch():
    return Watch()


def note(denials, *, actor="ana", tenant="demo", route="GET /v1/members", target=""):
    denials.note(tenant=tenant, actor=actor, target=target or route, route=route)


class TestDenials:
    def test_are_told_at_once(self, watch):
        denials = Denials("course", monotonic=watch)
        note(denials)
        (entry,) = denials.take()
        assert (entry.actor, entry.action, entry.outcome) == ("ana", "access.denied", "refused")
        assert entry.detail == {"route": "GET /v1/members", "code": "forbidden", "count": 1}
        assert denials.take() == []

    def test_of_the_same_kind_are_one_with_their_number(self, watch):
        denials = Denials("course", monotonic=watch)
        for cohort in ("autumn", "spring", "summer"):
            note(denials, route="GET /v1/cohorts/{cohort}", target=f"GET /v1/cohorts/{cohort}")
        (entry,) = denials.take()
        assert entry.target == "GET /v1/cohorts/autumn"
        assert entry.detail["count"] == 3
        assert "until" in entry.detail

    def test_of_different_people_are_told_singly(self, watch):
        denials = Denials("course", monotonic=watch)
        for actor in ("ana", "bo"):
            note(denials, actor=actor)
        assert [entry.actor for entry in denials.take()] == ["ana", "bo"]

    def test_that_repeat_are_told_of_once_a_minute(self, watch):
        denials = Denials("course", monotonic=watch)
        note(denials)
        assert len(denials.take()) == 1
        for _ in range(5):
            note(denials)
        watch.seconds = REPEAT_S - 1
        assert denials.take() == []
        watch.seconds = REPEAT_S
        (entry,) = denials.take()
        assert entry.detail["count"] == 5

    def test_that_repeat_are_told_at_the_end(self, watch):
        denials = Denials("course", monotonic=watch)
        note(denials)
        denials.take()
        note(denials)
        assert [entry.detail["count"] for entry in denials.take(all_=True)] == [1]

    def test_beyond_the_bound_are_counted_and_the_trail_is_told_how_many(self, watch):
        denials = Denials("course", most=2, monotonic=watch)
        for number in range(5):
            note(denials, actor=f"person {number}")
        told = denials.take()
        assert [entry.action for entry in told] == ["access.denied"] * 2 + [DROPPED]
        assert told[-1].detail == {"dropped": 3}
        assert told[-1].actor == "service:course"
        assert denials.take() == []

    def test_that_could_not_be_told_are_told_again_under_the_same_ids(self, watch):
        denials = Denials("course", most=2, monotonic=watch)
        for number in range(5):
            note(denials, actor=f"person {number}")
        first = denials.take()
        denials.give_back(first)
        again = denials.take()
        assert [entry.id for entry in again[:2]] == [entry.id for entry in first[:2]]
        assert again[-1].detail == {"dropped": 3}

    def test_that_are_given_back_beyond_the_bound_are_counted(self, watch):
        denials = Denials("course", most=2, monotonic=watch)
        for actor in ("ana", "bo"):
            note(denials, actor=actor)
        taken = denials.take()
        note(denials, actor="cy")
        denials.give_back(taken)
        told = denials.take()
        assert {entry.actor for entry in told if entry.action != DROPPED} == {"ana", "cy"}
        assert [entry.detail for entry in told if entry.action == DROPPED] == [{"dropped": 1}]

    def test_keep_a_bounded_part_of_what_was_asked_for(self, watch):
        denials = Denials("course", monotonic=watch)
        note(denials, target="GET /v1/" + "x" * 5000)
        (entry,) = denials.take()
        assert len(entry.target) == MAX_TARGET_CHARS
