"""The arithmetic of the lockout against the vectors of Keycloak's documentation."""

from datetime import timedelta

import pytest

from kourse.identity.domain.lockout import LockoutPolicy

SLOW = timedelta(seconds=10)
DOCUMENTED = LockoutPolicy(
    failure_factor=5, wait_increment=timedelta(seconds=30), max_wait=timedelta(seconds=900)
)


class TestWait:
    @pytest.mark.parametrize(
        ("failures", "seconds"), [(1, 0), (4, 0), (5, 30), (9, 30), (10, 60), (14, 60), (15, 90)]
    )
    def test_grows_with_every_full_set_of_failures(self, failures, seconds):
        assert DOCUMENTED.wait(failures, SLOW) == timedelta(seconds=seconds)

    def test_has_an_upper_end(self):
        assert DOCUMENTED.wait(10_000, SLOW) == timedelta(seconds=900)

    def test_follows_at_once_when_two_failures_come_faster_than_people_type(self):
        assert DOCUMENTED.wait(2, timedelta(milliseconds=999)) == timedelta(seconds=60)

    def test_is_none_for_the_first_failure_of_all(self):
        assert DOCUMENTED.wait(1, timedelta.max) == timedelta(0)


class TestLockoutPolicy:
    def test_refuses_a_memory_shorter_than_its_longest_wait(self):
        with pytest.raises(ValueError, match="max_delta"):
            LockoutPolicy(max_delta=timedelta(seconds=900), max_wait=timedelta(seconds=900))

    def test_refuses_to_lock_without_a_failure(self):
        with pytest.raises(ValueError, match="failure_factor"):
            LockoutPolicy(failure_factor=0)
