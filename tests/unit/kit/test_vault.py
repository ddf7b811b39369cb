"""Secrets at rest."""

import pytest

from kourse.contracts.errors import Unavailable
from kourse.kit.vault import Vault

KEY = bytes(range(32))


class TestVault:
    def test_gives_back_what_it_sealed_and_shows_nothing_of_it(self):
        vault = Vault(KEY, "tests")
        sealed = vault.seal(b"a secret", bound_to="ana")

        assert b"a secret" not in sealed
        assert vault.open(sealed, bound_to="ana") == b"a secret"

    def test_seals_the_same_secret_differently_each_time(self):
        vault = Vault(KEY, "tests")

        assert vault.seal(b"a secret", bound_to="ana") != vault.seal(b"a secret", bound_to="ana")

    def test_opens_nothing_of_somebody_elses(self):
        vault = Vault(KEY, "tests")

        with pytest.raises(Unavailable):
            vault.open(vault.seal(b"a secret", bound_to="ana"), bound_to="bo")

    def test_opens_nothing_that_another_key_sealed(self):
        sealed = Vault(KEY, "tests").seal(b"a secret", bound_to="ana")

        with pytest.raises(Unavailable):
            Vault(KEY[::-1], "tests").open(sealed, bound_to="ana")

    def test_refuses_everything_without_a_key(self):
        with pytest.raises(Unavailable):
            Vault(None, "tests").seal(b"a secret", bound_to="ana")

    def test_refuses_a_key_that_could_be_guessed(self):
        with pytest.raises(ValueError, match="at least 32 bytes"):
            Vault(b"short", "tests")

    def test_opens_nothing_that_was_sealed_for_another_purpose(self):
        sealed = Vault(KEY, "tests").seal(b"a secret", bound_to="ana")

        with pytest.raises(Unavailable):
            Vault(KEY, "other").open(sealed, bound_to="ana")
