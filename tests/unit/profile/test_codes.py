"""Join codes: random, readable, and found however they are typed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.profile.domain.codes import ALPHABET, digest_of, make_code


class TestMakeCode:
    def test_has_ten_characters_in_two_groups(self):
        code = make_code(random.Random(1).randrange)
        left, right = code.split("-")
        assert len(left) == len(right) == 5
        assert set(left + right) <= set(ALPHABET)

    def test_draws_every_character_on_its_own(self):
        drawn = iter(range(10))
        assert make_code(lambda below: next(drawn) % below) == "01234-56789"

    def test_has_fifty_bits(self):
        assert len(ALPHABET) == 32
        assert not set("ILOU") & set(ALPHABET)


class TestDigestOf:
    @pytest.mark.parametrize(
        "typed", ["7K3QX-M9ZT0", "7k3qx-m9zt0", " 7K3QXM9ZT0 ", "7K3QX M9ZTO", "7k3qx-m9zto"]
    )
    def test_is_the_same_however_it_is_typed(self, typed):
        assert digest_of(typed) == digest_of("7K3QXM9ZT0")

    def test_reads_letters_that_look_like_digits(self):
        assert digest_of("ILO") == digest_of("110")

    @given(st.text(max_size=40))
    def test_takes_anything(self, typed):
        assert len(digest_of(typed)) == 64

    @given(st.integers(0, 2**50 - 1), st.integers(0, 2**50 - 1))
    def test_tells_codes_apart(self, one, other):
        def code(number):
            return "".join(ALPHABET[number >> 5 * place & 31] for place in range(10))

        assert (digest_of(code(one)) == digest_of(code(other))) == (one == other)
