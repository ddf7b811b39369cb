from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.pool import Question
from kourse.rules import grading
from kourse.rules.grading import AnswerMismatch, read_answer, share_earned

BASE = {"key": "q", "prompt": "?", "explanation": "!"}
OPTIONS = [{"key": key, "text": key.upper()} for key in "abcde"]


def question(type_, partial="None", **fields):
    return Question.model_validate({**BASE, "type": type_, "partialCredit": partial, **fields})


def single():
    return question("SingleChoice", options=OPTIONS, correct=["c"])


def multiple(partial="Proportional", correct=("a", "b", "c")):
    return question("MultipleChoice", partial, options=OPTIONS, correct=list(correct))


def numeric(value, tolerance="0", kind="Absolute"):
    return question(
        "Numeric", numeric={"value": value, "tolerance": tolerance, "toleranceKind": kind}
    )


def short(*accepted, matching="IgnoreCase"):
    return question("ShortText", shortText={"accepted": list(accepted), "matching": matching})


def matching(partial="Proportional", rights="wxyz"):
    pairs = [
        {"key": key, "left": f"left {key}", "right": right}
        for key, right in zip("abcd", rights, strict=True)
    ]
    return question("Matching", partial, pairs=pairs)


def ordering(partial="Proportional"):
    return question("Ordering", partial, options=OPTIONS)


def share(of, payload):
    return share_earned(of, read_answer(of, payload))


class TestSingleChoice:
    @pytest.mark.parametrize(("option", "earned"), [("c", 1), ("a", 0)])
    def test_is_right_or_wrong(self, option, earned):
        assert share(single(), {"option": option}) == earned


class TestMultipleChoice:
    @pytest.mark.parametrize(
        ("chosen", "earned"),
        [
            ("abc", Fraction(1)),
            ("ab", Fraction(2, 3)),
            ("abd", Fraction(1, 3)),
            ("abcde", Fraction(1, 3)),
            ("de", Fraction(0)),
            ("", Fraction(0)),
        ],
    )
    def test_pays_right_choices_less_wrong_ones(self, chosen, earned):
        assert share(multiple(), {"options": list(chosen)}) == earned

    def test_is_all_or_nothing_without_partial_credit(self):
        assert share(multiple("None"), {"options": ["a", "b"]}) == 0
        assert share(multiple("None"), {"options": ["c", "b", "a"]}) == 1

    def test_accepts_none_where_none_is_right(self):
        nothing = multiple(correct=())
        assert share(nothing, {"options": []}) == 1
        assert share(nothing, {"options": ["a"]}) == 0


class TestNumeric:
    @pytest.mark.parametrize(
        ("key", "value", "earned"),
        [
            (numeric("9.81", "0.01"), "9.82", 1),
            (numeric("9.81", "0.01"), "9.8201", 0),
            (numeric("0.3"), "0.30", 1),
            (numeric("0.3"), "3e-1", 1),
            (numeric("200", "5", "Percent"), "210", 1),
            (numeric("200", "5", "Percent"), "210.001", 0),
            (numeric("-200", "5", "Percent"), "-190", 1),
            (numeric("0", "5", "Percent"), "0.001", 0),
            (numeric("21", "-0.05"), "21.05", 1),
        ],
    )
    def test_compares_exactly_within_the_tolerance(self, key, value, earned):
        assert share(key, {"value": value}) == earned

    @pytest.mark.parametrize("value", ["", "1,5", "NaN", "1e999", "0x10", "½", "1.5.2", "9" * 40])
    def test_refuses_what_is_no_plain_decimal(self, value):
        with pytest.raises(AnswerMismatch, match=r"answer\.value"):
            read_answer(numeric("1"), {"value": value})


class TestShortText:
    @pytest.mark.parametrize("text", ["loan", "  A   Loan\t", "LOAN"])
    def test_ignores_case_and_white_space(self, text):
        assert share(short("loan", "a loan"), {"text": text}) == 1

    def test_minds_case_when_exact(self):
        key = short("Na Cl", matching="Exact")
        assert share(key, {"text": "  Na  Cl "}) == 1
        assert share(key, {"text": "na cl"}) == 0

    def test_takes_composed_and_decomposed_letters_as_equal(self):
        assert share(short("café"), {"text": "cafe\u0301"}) == 1
        assert share(short("STRASSE"), {"text": "straße"}) == 1


class TestMatching:
    @pytest.mark.parametrize(
        ("pairs", "earned"),
        [
            ({"a": "a", "b": "b", "c": "c", "d": "d"}, Fraction(1)),
            ({"a": "a", "b": "c", "c": "b", "d": "d"}, Fraction(1, 2)),
            ({"a": "a"}, Fraction(1, 4)),
            ({}, Fraction(0)),
        ],
    )
    def test_pays_each_pair(self, pairs, earned):
        assert share(matching(), {"pairs": pairs}) == earned

    def test_lets_equal_right_sides_stand_for_each_other(self):
        pairs = {"a": "b", "b": "a", "c": "c", "d": "d"}
        assert share(matching(rights="xxyz"), {"pairs": pairs}) == 1


class TestOrdering:
    @pytest.mark.parametrize(
        ("order", "earned"),
        [
            ("abcde", Fraction(1)),
            ("bcdea", Fraction(3, 4)),
            ("edcba", Fraction(0)),
            ("bacde", Fraction(1, 2)),
        ],
    )
    def test_pays_neighbours_in_sequence(self, order, earned):
        assert share(ordering(), {"order": list(order)}) == earned

    def test_is_all_or_nothing_without_partial_credit(self):
        assert share(ordering("None"), {"order": list("bcdea")}) == 0


class TestReadAnswer:
    @pytest.mark.parametrize(
        ("of", "payload", "says"),
        [
            (single(), {}, "answer.option"),
            (single(), {"option": "z"}, "no such option"),
            (single(), {"option": "a", "extra": 1}, "answer.extra"),
            (single(), {"option": 3}, "answer.option"),
            (multiple(), {"options": ["a", "a"]}, "once"),
            (multiple(), {"options": ["z"]}, "no such option"),
            (multiple(), {"options": "a"}, "answer.options"),
            (numeric("1"), {"value": 1}, "answer.value"),
            (short("x"), {"text": None}, "answer.text"),
            (short("x"), {"text": "x" * 1001}, "answer.text"),
            (matching(), {"pairs": {"z": "a"}}, "no such left"),
            (matching(), {"pairs": {"a": "z"}}, "no such right"),
            (ordering(), {"order": list("abcd")}, "exactly once"),
            (ordering(), {"order": list("abcdd")}, "exactly once"),
        ],
    )
    def test_says_what_does_not_fit(self, of, payload, says):
        with pytest.raises(AnswerMismatch, match=says):
            read_answer(of, payload)


keys = st.sampled_from("abcde")
questions_and_answers = st.one_of(
    st.tuples(st.just(single()), st.builds(lambda o: {"option": o}, keys)),
    st.tuples(
        st.builds(multiple, st.sampled_from(["None", "Proportional"]), st.sets(keys, min_size=1)),
        st.builds(lambda o: {"options": sorted(o)}, st.sets(keys)),
    ),
    st.tuples(
        st.builds(matching, st.sampled_from(["None", "Proportional"])),
        st.builds(
            lambda p: {"pairs": p},
            st.dictionaries(st.sampled_from("abcd"), st.sampled_from("abcd")),
        ),
    ),
    st.tuples(
        st.builds(ordering, st.sampled_from(["None", "Proportional"])),
        st.builds(lambda p: {"order": p}, st.permutations(list("abcde"))),
    ),
    st.tuples(
        st.builds(lambda v: numeric(str(v), "2"), st.integers(-99, 99)),
        st.builds(lambda v: {"value": str(v)}, st.integers(-99, 99)),
    ),
    st.tuples(st.just(short("a", "b")), st.builds(lambda t: {"text": t}, st.text(max_size=3))),
)


class TestShareEarned:
    @given(questions_and_answers)
    def test_lies_between_nothing_and_all_and_repeats(self, case):
        of, payload = case
        earned = share(of, payload)
        assert 0 <= earned <= 1
        assert share(of, payload) == earned

    @given(questions_and_answers)
    def test_is_whole_without_partial_credit(self, case):
        of, payload = case
        if of.partial_credit.value == "None":
            assert share(of, payload) in {0, 1}

    def test_is_nothing_without_an_answer(self):
        assert share_earned(single(), None) == 0

    def test_covers_every_question_type(self):
        assert set(grading.ANSWERS) == set(grading.QuestionType)
