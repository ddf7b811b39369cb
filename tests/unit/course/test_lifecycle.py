"""Which version a document stands for, and which moves its lifecycle may make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources import Lifecycle
from kourse.course.domain.lifecycle import Decision, Version, decide, is_read_only
from kourse.course.errors import IllegalLifecycleMove

D, R, P, A = Lifecycle.DRAFT, Lifecycle.REVIEW, Lifecycle.PUBLISHED, Lifecycle.ARCHIVED


def version(number=1, digest="a", lifecycle=P, eligible=True):
    return Version(number, digest, lifecycle, eligible)


class TestDecide:
    @pytest.mark.parametrize(("wanted", "eligible"), [(D, False), (R, False), (P, True), (A, True)])
    def test_lets_a_new_version_start_anywhere(self, wanted, eligible):
        found = decide("a", wanted, current=None, live=None, highest=0)
        assert found == Decision(Version(1, "a", wanted, eligible), is_new=True)

    def test_keeps_the_version_of_the_same_content(self):
        found = decide("a", P, current=version(), live=version(), highest=1)
        assert found == Decision(version(), is_new=False)

    def test_makes_a_new_version_of_other_content(self):
        found = decide("b", D, current=version(), live=version(), highest=1)
        assert found == Decision(Version(2, "b", D, False), is_new=True)

    def test_goes_back_to_the_live_version_when_a_draft_is_taken_back(self):
        draft = version(2, "b", D, eligible=False)
        found = decide("a", P, current=draft, live=version(), highest=2)
        assert found == Decision(version(), is_new=False)

    def test_numbers_on_after_a_draft_that_was_taken_back(self):
        found = decide("c", P, current=version(), live=version(), highest=2)
        assert found.version.number == 3

    def test_makes_a_new_version_of_content_that_was_live_long_ago(self):
        newer = version(2, "b")
        found = decide("a", P, current=newer, live=newer, highest=2)
        assert found.version.number == 3

    @pytest.mark.parametrize(
        ("current", "wanted"), [(D, R), (D, P), (D, A), (R, D), (R, P), (R, A), (P, A), (A, P)]
    )
    def test_makes_legal_moves(self, current, wanted):
        before = version(lifecycle=current, eligible=False)
        found = decide("a", wanted, current=before, live=None, highest=1)
        assert found.version.lifecycle is wanted
        assert found.version.eligible is (wanted is P)

    @pytest.mark.parametrize(("current", "wanted"), [(P, D), (P, R), (A, D), (A, R)])
    def test_refuses_to_hide_what_learners_have_seen(self, current, wanted):
        with pytest.raises(IllegalLifecycleMove, match=f"is {current} and cannot become {wanted}"):
            decide("a", wanted, current=version(lifecycle=current), live=None, highest=1)

    def test_keeps_an_archived_version_for_those_who_had_it(self):
        found = decide("a", A, current=version(), live=version(), highest=1)
        assert found.version.eligible

    @given(st.sampled_from(Lifecycle), st.sampled_from(Lifecycle), st.booleans())
    def test_never_takes_eligibility_away(self, current, wanted, eligible):
        before = version(lifecycle=current, eligible=eligible)
        try:
            found = decide("a", wanted, current=before, live=None, highest=1)
        except IllegalLifecycleMove:
            return
        assert found.version.eligible >= eligible


class TestIsReadOnly:
    def test_of_archived_and_of_retired_courses(self):
        assert is_read_only(A, retired=False)
        assert is_read_only(P, retired=True)
        assert not is_read_only(P, retired=False)
        assert not is_read_only(D, retired=False)
