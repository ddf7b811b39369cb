"""Gates: what is missing, in words."""

from kourse.contracts.resources.course import Requirement
from kourse.rules.gates import Asked, Missing, Standing, missing

REQUIRES = [
    Requirement(lesson="what-data-are"),
    Requirement(exam="quiz-1", min_percent=60),
    Requirement(skill="data-displays"),
]


class TestMissing:
    def test_names_everything_to_somebody_who_has_done_nothing(self):
        assert missing(REQUIRES, Standing()) == (
            Missing(Asked.LESSON, "what-data-are", 100),
            Missing(Asked.EXAM, "quiz-1", 60),
            Missing(Asked.SKILL, "data-displays", 80),
        )

    def test_is_empty_when_all_is_reached_exactly(self):
        standing = Standing(frozenset({"what-data-are"}), {"quiz-1": 60.0}, {"data-displays": 80.0})
        assert missing(REQUIRES, standing) == ()

    def test_says_how_far_the_learner_is(self):
        standing = Standing(frozenset({"what-data-are"}), {"quiz-1": 59.9}, {"data-displays": 95})
        (lack,) = missing(REQUIRES, standing)
        assert lack == Missing(Asked.EXAM, "quiz-1", 60, 59.9)

    def test_has_no_lack_where_nothing_is_asked(self):
        assert missing([], Standing()) == ()


class TestSentence:
    def test_tells_the_learner_what_to_do(self):
        lesson, exam, skill = missing(REQUIRES, Standing())
        assert lesson.sentence("What data are") == "Complete the lesson “What data are”."
        assert exam.sentence() == "Score at least 60 % in “quiz-1” (nothing yet)."
        assert skill.sentence("Displays") == (
            "Reach at least 80 % mastery of “Displays” (nothing yet)."
        )

    def test_rounds_down_so_that_a_near_miss_does_not_read_as_met(self):
        lack = Missing(Asked.EXAM, "quiz-1", 60, 59.9)
        assert "59 % so far" in lack.sentence()
