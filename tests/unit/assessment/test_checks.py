import pytest

from kourse.assessment.domain.checks import exam_problems, pool_problems
from kourse.contracts.errors import InvalidDates
from kourse.contracts.resources.exam import ExamConfigSpec
from kourse.contracts.resources.pool import QuestionPoolSpec
from kourse.rules.dates import Frame, zone_of

LISBON = Frame(zone_of("Europe/Lisbon"))
OPTIONS = [{"key": key, "text": key} for key in "abc"]
CHOICE = {"type": "SingleChoice", "options": OPTIONS, "correct": ["a"]}
PAIRS = [{"key": key, "left": key, "right": key} for key in "ab"]
NUMERIC = {"value": "1"}


def pool(*questions):
    return QuestionPoolSpec.model_validate(
        {
            "title": "Pool",
            "questions": [
                {"key": "q", "prompt": "?", "explanation": "!", **question}
                for question in questions
            ],
        }
    )


def exam(**fields):
    zone = {"key": "z", "title": "Z", "draws": [{"pools": ["a"], "count": 1}]}
    return ExamConfigSpec.model_validate(
        {"title": "Quiz", "courseRef": "c", "category": "k", "zones": [zone], **fields}
    )


class TestPoolProblems:
    @pytest.mark.parametrize(
        "question",
        [
            CHOICE,
            {"type": "MultipleChoice", "options": OPTIONS, "correct": []},
            {"type": "Numeric", "numeric": NUMERIC},
            {"type": "ShortText", "shortText": {"accepted": ["x"]}},
            {"type": "Matching", "pairs": PAIRS, "partialCredit": "Proportional"},
            {"type": "Ordering", "options": OPTIONS, "partialCredit": "Proportional"},
        ],
    )
    def test_finds_none_in_a_sound_question(self, question):
        assert list(pool_problems(pool(question))) == []

    @pytest.mark.parametrize(
        ("question", "says"),
        [
            ({**CHOICE, "correct": ["z"]}, "names 'z'"),
            ({**CHOICE, "correct": ["a", "b"]}, "exactly one"),
            ({**CHOICE, "correct": None}, "at least two 'options'"),
            ({**CHOICE, "options": OPTIONS[:1]}, "at least two 'options'"),
            ({**CHOICE, "options": [*OPTIONS, OPTIONS[0]]}, "key 'a' stands there 2 times"),
            ({**CHOICE, "options": [*OPTIONS, {"key": "d", "text": "a"}]}, "the text 'a'"),
            ({**CHOICE, "partialCredit": "Proportional"}, "leave out 'partialCredit'"),
            ({**CHOICE, "numeric": NUMERIC}, "'numeric' goes with"),
            ({**CHOICE, "pairs": PAIRS}, "'pairs' goes with"),
            ({"type": "MultipleChoice", "options": OPTIONS, "correct": ["a", "a"]}, "2 times"),
            ({"type": "Numeric"}, "'numeric' goes with"),
            ({"type": "Numeric", "numeric": {"value": "1", "tolerance": "-1"}}, "negative"),
            ({"type": "Numeric", "numeric": NUMERIC, "options": OPTIONS}, "'options' goes with"),
            ({"type": "ShortText", "shortText": {"accepted": [" "]}}, "empty text"),
            ({"type": "Matching", "pairs": PAIRS[:1]}, "at least two 'pairs'"),
            ({"type": "Ordering", "options": OPTIONS[:2]}, "at least three"),
            ({"type": "Ordering", "options": OPTIONS, "correct": ["a"]}, "'correct' goes with"),
        ],
    )
    def test_names_the_question_and_what_is_wrong(self, question, says):
        problems = list(pool_problems(pool(question)))
        assert any(says in problem for problem in problems), problems
        assert all(problem.startswith("questions/q: ") for problem in problems)

    def test_finds_keys_used_twice(self):
        assert list(pool_problems(pool(CHOICE, CHOICE))) == [
            "questions: the key 'q' stands there 2 times"
        ]


class TestExamProblems:
    def test_finds_none_in_a_sound_exam(self):
        assert list(exam_problems(exam(), LISBON)) == []

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"category": None}, "category: a quiz or an exam"),
            ({"overrides": [{"label": "x"}, {"label": "x"}]}, "overrides: the key 'x'"),
            (
                {"dates": {"opens": {"at": "2027-01-01T10:00", "day": 1}}},
                "dates/opens: give either",
            ),
            ({"dates": {"opens": {}}}, "dates/opens: give either"),
            (
                {
                    "overrides": [
                        {
                            "label": "x",
                            "dates": {"due": {"at": "2027-01-01T10:00", "time": "10:00"}},
                        }
                    ]
                },
                "overrides/x/dates/due: 'time' goes",
            ),
        ],
    )
    def test_names_the_field_and_what_is_wrong(self, fields, says):
        problems = list(exam_problems(exam(**fields), LISBON))
        assert any(problem.startswith(says) for problem in problems), problems

    @pytest.mark.parametrize(
        ("draw", "says"),
        [
            ({"count": 1}, "not both"),
            ({"pools": ["a"], "poolLabel": "b", "count": 1}, "not both"),
            ({"pools": ["a"], "count": 1, "minDifficulty": 4, "maxDifficulty": 2}, "minDifficulty"),
        ],
    )
    def test_names_the_draw(self, draw, says):
        zone = {"key": "z", "title": "Z", "draws": [draw]}
        (problem,) = exam_problems(exam(zones=[zone]), LISBON)
        assert problem.startswith("zones/z/draws/0: ")
        assert says in problem

    def test_allows_practice_without_category(self):
        assert list(exam_problems(exam(purpose="Practice", category=None), LISBON)) == []

    @pytest.mark.parametrize(
        "dates",
        [
            {"opens": {"at": "2027-02-30T10:00"}},
            {"opens": {"at": "2027-02-02T10:00"}, "closes": {"at": "2027-02-01T10:00"}},
        ],
    )
    def test_raises_on_dates_that_cannot_be(self, dates):
        with pytest.raises(InvalidDates):
            list(exam_problems(exam(dates=dates), LISBON))
