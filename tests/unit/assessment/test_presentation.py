import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.assessment.domain.presentation import (
    Layout,
    layout_of,
    received,
    returned,
    shown,
    solution,
)
from kourse.contracts.resources.pool import Question
from kourse.rules.grading import AnswerMismatch, read_answer, share_earned

SEED = b"s" * 16
BASE = {"key": "q", "prompt": "Which?", "explanation": "CANARY-why", "hint": "Look up."}
OPTIONS = [{"key": f"CANARY-{key}".lower(), "text": f"Text {key}"} for key in "abcde"]
PAIRS = [{"key": f"canary-{key}", "left": f"Left {key}", "right": f"Right {key}"} for key in "abcd"]
KEYS = [option["key"] for option in OPTIONS]

QUESTIONS = {
    "SingleChoice": {"options": OPTIONS, "correct": [KEYS[2]]},
    "MultipleChoice": {"options": OPTIONS, "correct": KEYS[:2]},
    "Matching": {"pairs": PAIRS},
    "Ordering": {"options": OPTIONS},
    "Numeric": {"numeric": {"value": "31337", "tolerance": "1", "unit": "m"}},
    "ShortText": {"shortText": {"accepted": ["CANARY-accepted"]}},
}


def question(type_):
    return Question.model_validate({**BASE, "type": type_, **QUESTIONS[type_]})


def right_answer(type_):
    return {
        "SingleChoice": {"option": KEYS[2]},
        "MultipleChoice": {"options": KEYS[:2]},
        "Matching": {"pairs": {pair["key"]: pair["key"] for pair in PAIRS}},
        "Ordering": {"order": KEYS},
        "Numeric": {"value": "31337"},
        "ShortText": {"text": "canary-accepted"},
    }[type_]


types = st.sampled_from(sorted(QUESTIONS))
seeds = st.binary(min_size=1, max_size=64)


class TestShown:
    @given(types, seeds, st.booleans())
    def test_holds_no_key_no_explanation_and_no_answer(self, type_, seed, shuffle):
        of = question(type_)
        seen = repr(shown(of, layout_of(of, seed, "1", shuffle=shuffle), hint=False))
        assert "canary" not in seen.lower()
        assert "31337" not in seen

    def test_shows_every_text_once(self):
        of = question("Matching")
        seen = shown(of, layout_of(of, SEED, "1", shuffle=True), hint=False)
        assert sorted(entry.text for entry in seen.lefts) == [pair["left"] for pair in PAIRS]
        assert sorted(entry.text for entry in seen.rights) == [pair["right"] for pair in PAIRS]

    def test_gives_the_hint_only_when_asked(self):
        of = question("SingleChoice")
        layout = layout_of(of, SEED, "1", shuffle=True)
        assert shown(of, layout, hint=True).hint == "Look up."
        assert shown(of, layout, hint=False).hint is None


class TestLayoutOf:
    def test_keeps_the_declared_order_of_choices_unless_shuffled(self):
        of = question("SingleChoice")
        assert [key for _, key in layout_of(of, SEED, "1", shuffle=False).options] == KEYS

    @given(seeds, st.booleans())
    def test_never_starts_an_ordering_question_in_the_right_order(self, seed, shuffle):
        of = question("Ordering")
        order = [key for _, key in layout_of(of, seed, "1", shuffle=shuffle).options]
        assert order != KEYS
        assert sorted(order) == KEYS

    @given(seeds)
    def test_gives_ids_that_differ_between_sides(self, seed):
        layout = layout_of(question("Matching"), seed, "1", shuffle=False)
        ids = [id_ for id_, _ in layout.lefts + layout.rights]
        assert len(set(ids)) == 8

    @given(types, seeds, st.booleans())
    def test_survives_storage(self, type_, seed, shuffle):
        layout = layout_of(question(type_), seed, "1", shuffle=shuffle)
        assert Layout.from_stored(json.loads(json.dumps(layout.stored()))) == layout


class TestReceived:
    @given(types, seeds)
    def test_brings_back_what_was_stored(self, type_, seed):
        of = question(type_)
        layout = layout_of(of, seed, "7", shuffle=True)
        given_back = returned(of, layout, right_answer(type_))
        assert received(of, layout, given_back) == read_answer(of, right_answer(type_))
        assert share_earned(of, received(of, layout, given_back)) == 1

    @pytest.mark.parametrize("type_", ["SingleChoice", "MultipleChoice", "Matching", "Ordering"])
    def test_refuses_stable_keys(self, type_):
        of = question(type_)
        with pytest.raises(AnswerMismatch, match="no such"):
            received(of, layout_of(of, SEED, "1", shuffle=True), right_answer(type_))

    def test_refuses_ids_of_another_attempt(self):
        of = question("SingleChoice")
        other = layout_of(of, b"other", "1", shuffle=True).options[0][0]
        with pytest.raises(AnswerMismatch):
            received(of, layout_of(of, SEED, "1", shuffle=True), {"option": other})


class TestSolution:
    @pytest.mark.parametrize("type_", ["SingleChoice", "MultipleChoice", "Matching", "Ordering"])
    def test_is_an_answer_that_earns_everything(self, type_):
        of = question(type_)
        layout = layout_of(of, SEED, "1", shuffle=True)
        assert share_earned(of, received(of, layout, solution(of, layout))) == 1

    def test_tells_tolerance_and_accepted_texts(self):
        assert solution(question("Numeric"), Layout()) == {
            "value": "31337",
            "tolerance": "1",
            "toleranceKind": "Absolute",
        }
        assert solution(question("ShortText"), Layout()) == {"accepted": ["CANARY-accepted"]}
