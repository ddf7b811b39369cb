"""Every objective type against a second, slow way to grade it, written down as teachers would say it."""

import re
import unicodedata
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.pool import Question, QuestionType
from kourse.rules.grading import REVIEWED, read_answer, share_earned

BASE = {"key": "q", "prompt": "?", "explanation": "!"}
PARTIAL = st.sampled_from(["None", "Proportional"])
keys = st.lists(st.sampled_from("abcdefghijkl"), unique=True, min_size=3)


def question(type_, **fields):
    return Question.model_validate({**BASE, "type": type_, **fields})


def entries(of):
    return [{"key": key, "text": f"text {key}"} for key in of]


def counted(met, of, partial):
    """A share of things met, or all or nothing."""
    return Fraction(met, of) if partial == "Proportional" else Fraction(met == of)


@st.composite
def single_choice(draw):
    of = draw(keys)
    right, chosen = draw(st.sampled_from(of)), draw(st.sampled_from(of))
    asked = question("SingleChoice", options=entries(of), correct=[right])
    return asked, {"option": chosen}, Fraction(int(right == chosen))


@st.composite
def multiple_choice(draw):
    of, partial = draw(keys), draw(PARTIAL)
    right = draw(st.lists(st.sampled_from(of), unique=True, min_size=1))
    chosen = draw(st.lists(st.sampled_from(of), unique=True))
    asked = question("MultipleChoice", options=entries(of), correct=right, partialCredit=partial)
    balance = 0
    for key in of:
        if key in chosen:
            balance += 1 if key in right else -1
    met = max(0, balance)
    if partial == "None":
        met = len(right) if all((key in right) == (key in chosen) for key in of) else 0
    return asked, {"options": chosen}, Fraction(met, len(right))


def plain(places):
    """A decimal as people write it, with up to four places."""
    return f"{places // 10_000 if places >= 0 else -(-places // 10_000)}.{abs(places) % 10_000:04d}"


numbers = st.integers(-(10**7), 10**7).filter(lambda n: n >= 0 or abs(n) >= 10_000)


@st.composite
def numeric(draw):
    right, near = draw(numbers), draw(st.integers(-30_000, 30_000))
    given_ = draw(st.sampled_from([right, right + near, draw(numbers)]))
    if -10_000 < given_ < 0:
        given_ = 0
    tolerance = draw(st.integers(0, 40_000))
    kind = draw(st.sampled_from(["Absolute", "Percent"]))
    key = {"value": plain(right), "tolerance": plain(tolerance), "toleranceKind": kind}
    with localcontext() as exact:
        exact.prec = 60
        bound = Decimal(plain(tolerance))
        if kind == "Percent":
            bound = bound * Decimal(plain(right)).copy_abs() / 100
        distance = (Decimal(plain(given_)) - Decimal(plain(right))).copy_abs()
        expected = Fraction(int(distance <= bound))
    return question("Numeric", numeric=key), {"value": plain(given_)}, expected


words = st.text(st.sampled_from("aäA\u0308éE\u0301ß s\t\u00a0"), min_size=1, max_size=8)


@st.composite
def short_text(draw):
    accepted = draw(st.lists(words.filter(str.strip), min_size=1, max_size=3))
    mode = draw(st.sampled_from(["Exact", "IgnoreCase"]))
    some = st.sampled_from(accepted)
    text = draw(st.one_of(words, some, some.map(str.upper), some.map(lambda one: f"  {one}\n")))

    def seen(one):
        one = re.sub(r"\s+", " ", unicodedata.normalize("NFC", one)).strip()
        return one.casefold() if mode == "IgnoreCase" else one

    asked = question("ShortText", shortText={"accepted": accepted, "matching": mode})
    return asked, {"text": text}, Fraction(int(any(seen(text) == seen(one) for one in accepted)))


@st.composite
def matching(draw):
    of, partial = draw(keys), draw(PARTIAL)
    rights = [draw(st.sampled_from(["x", "y", "z", key])) for key in of]
    pairs = [
        {"key": key, "left": f"left {key}", "right": right}
        for key, right in zip(of, rights, strict=True)
    ]
    chosen = draw(st.dictionaries(st.sampled_from(of), st.sampled_from(of)))
    met = 0
    for key, right in zip(of, rights, strict=True):
        if key in chosen and rights[of.index(chosen[key])] == right:
            met += 1
    asked = question("Matching", pairs=pairs, partialCredit=partial)
    return asked, {"pairs": chosen}, counted(met, len(of), partial)


@st.composite
def ordering(draw):
    of, partial = draw(keys), draw(PARTIAL)
    order = draw(st.permutations(of))
    met = 0
    for place in range(len(of) - 1):
        if order.index(of[place + 1]) - order.index(of[place]) == 1:
            met += 1
    asked = question("Ordering", options=entries(of), partialCredit=partial)
    return asked, {"order": order}, counted(met, len(of) - 1, partial)


CASES = {
    QuestionType.SINGLE_CHOICE: single_choice(),
    QuestionType.MULTIPLE_CHOICE: multiple_choice(),
    QuestionType.NUMERIC: numeric(),
    QuestionType.SHORT_TEXT: short_text(),
    QuestionType.MATCHING: matching(),
    QuestionType.ORDERING: ordering(),
}
"""Type to a question of it, an answer, and the share that it earns."""


class TestShare:
    @pytest.mark.parametrize("type_", CASES)
    def test_is_what_the_slow_way_gives(self, type_):
        @given(CASES[type_])
        def agree(case):
            asked, payload, expected = case
            assert share_earned(asked, read_answer(asked, payload)) == expected

        agree()

    def test_is_held_against_it_for_every_type_that_a_rule_grades(self):
        graded_by_programs = {one for one in QuestionType if one.name == "CODE"}
        assert set(CASES) == set(QuestionType) - REVIEWED - graded_by_programs
