"""Which passwords are good enough, and that the same text is the same password."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.identity.domain.passwords import MAXIMUM_LENGTH, faults, prepared
from kourse.identity.errors import WeakPassword
from kourse.identity.service import passwords


def found(password: str, *, common: tuple[str, ...] = (), context: tuple[str, ...] = ()):
    return faults(password, minimum_length=12, context=context, is_common=set(common).__contains__)


class TestFaults:
    @pytest.mark.parametrize(
        "password",
        [
            "lantern over quiet water",
            "ключ под синим ковром",
            "q8#Lm!x2Vt0z",
            "    spaces    count   ",
        ],
    )
    def test_are_none_for_length_and_surprise_of_any_script(self, password):
        assert found(password) == []

    def test_name_a_password_that_is_too_short(self):
        assert found("q8#Lm!x2Vt0") == ["Use at least 12 characters."]

    def test_name_one_that_is_too_long(self):
        assert found("ab" * MAXIMUM_LENGTH) == ["Use at most 256 characters."]

    @pytest.mark.parametrize(
        "password", ["Correct-Horse", "correct-horse99!", "CORRECT-HORSE 2027"]
    )
    def test_name_a_common_one_in_any_case_and_with_a_usual_tail(self, password):
        assert found(password, common=("correct-horse",)) != []

    @pytest.mark.parametrize(
        "password", ["aaaaaaaaaaaaaa", "abababababab", "abcabcabcabc", "11111111111111"]
    )
    def test_name_a_repetition(self, password):
        assert found(password) != []

    def test_name_a_common_word_written_twice(self):
        assert found("elephantineelephantine", common=("elephantine",)) != []

    def test_name_the_words_of_the_place(self):
        assert found("anna.lindqvist", context=("anna.lindqvist",)) != []

    def test_ignore_context_words_that_are_too_short_to_matter(self):
        assert found("xyz 0123456789", context=("xyz",)) == []

    @given(st.text(max_size=300))
    def test_never_fail_whatever_is_typed(self, password):
        assert isinstance(found(password), list)


class TestPrepared:
    def test_is_the_same_for_composed_and_decomposed_accents(self):
        assert prepared("caf\u00e9 au lait") == prepared("cafe\u0301 au lait")

    def test_keeps_case_and_spaces(self):
        assert prepared(" Two  Spaces ") == " Two  Spaces "


class TestEnsureGood:
    @pytest.mark.parametrize(
        "password", ["password1234", "Qwerty123456", "1qaz2wsx3edc", "welcomewelcome"]
    )
    def test_refuses_what_leaked_lists_are_full_of(self, password):
        with pytest.raises(WeakPassword) as refusal:
            passwords.ensure_good(
                password,
                minimum_length=12,
                email="ana@school.example",
                display_name="Ana",
                tenant="demo",
            )

        assert refusal.value.extensions["errors"][0]["pointer"] == "#/password"

    def test_refuses_the_persons_own_name_and_address(self):
        for password in ("ana.lindqvist@school.example", "AnaLindqvist2027"):
            with pytest.raises(WeakPassword):
                passwords.ensure_good(
                    password,
                    minimum_length=12,
                    email="ana.lindqvist@school.example",
                    display_name="Ana Lindqvist",
                    tenant="demo",
                )

    def test_tells_nothing_of_the_password_in_its_message(self):
        with pytest.raises(WeakPassword) as refusal:
            passwords.ensure_good(
                "qwertz", minimum_length=12, email="a@b.example", display_name="A", tenant="demo"
            )

        assert "qwertz" not in str(refusal.value)
