"""How secrets of programs look, for those who check them and those who scan for them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.identity.domain import program_secrets
from kourse.identity.domain.program_secrets import Kind, is_genuine, make


class TestMake:
    @pytest.mark.parametrize("kind", Kind)
    def test_gives_what_is_genuine_for_its_kind_alone(self, kind):
        secret = make(kind)

        assert [one for one in Kind if is_genuine(one, secret)] == [kind]

    @pytest.mark.parametrize("kind", Kind)
    def test_gives_what_a_scanner_finds_in_a_text(self, kind):
        secret = make(kind)

        assert re.search(program_secrets.PATTERN, f"export TOKEN={secret}\n")[0] == secret

    def test_gives_another_secret_each_time_of_the_same_length(self):
        made = {make(Kind.PERSONAL_TOKEN) for _ in range(200)}

        assert len(made) == 200
        assert {len(one) for one in made} == {60}


class TestIsGenuine:
    def test_knows_the_checksum_of_a_known_secret(self):
        """No later version changes the format of secrets that are in use."""
        body = "kourse_pat_" + "0" * 42 + "1"

        assert is_genuine(Kind.PERSONAL_TOKEN, body + "0YBcio")

    @given(st.integers(0, 59), st.sampled_from("0123456789ABCXYZabcxyz_"))
    def test_notices_every_single_changed_character(self, place, character):
        secret = make(Kind.PERSONAL_TOKEN)
        changed = secret[:place] + character + secret[place + 1 :]

        assert is_genuine(Kind.PERSONAL_TOKEN, changed) == (changed == secret)

    @given(st.text(max_size=80))
    def test_refuses_any_text_that_is_none(self, text):
        assert not is_genuine(Kind.PERSONAL_TOKEN, text)
        assert not is_genuine(Kind.PERSONAL_TOKEN, "kourse_pat_" + text)

    @pytest.mark.parametrize(
        "change", [str.upper, lambda s: s + "\n", lambda s: " " + s, lambda s: s[:-1]]
    )
    def test_refuses_a_secret_that_was_mistyped(self, change):
        assert not is_genuine(Kind.SERVICE_ACCOUNT, change(make(Kind.SERVICE_ACCOUNT)))
