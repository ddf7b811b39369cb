"""Gates: what is missing, in words."""

from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.course import Alternative, Requirement
from kourse.rules.gates import Asked, Missing, Standing, Wanted, asked_of, missing

REQUIRES = [
    Requirement(lesson="what-data-are"),
    Requirement(exam="quiz-1", min_percent=60),
    Requirement(skill="data-displays"),
    Requirement(chapter="describing", min_percent=50),
]
EITHER = Requirement(
    any_of=[Alternative(exam="quiz-1", min_percent=60), Alternative(skill="data-displays")]
)
MET = Standing(
    frozenset({"what-data-are"}), {"describing": 50.0}, {"quiz-1": 60.0}, {"data-displays": 0.8}
)

names = st.sampled_from(["a", "b"])
alternatives = st.one_of(
    *(
        st.builds(Alternative, **{asked.value: names}, min_percent=st.integers(0, 100))
        for asked in Asked
    )
)
requirements = st.one_of(
    alternatives.map(lambda one: Requirement.model_validate(one.model_dump())),
    st.builds(Requirement, any_of=st.lists(alternatives, min_size=1, max_size=3)),
)
percents = st.dictionaries(names, st.integers(0, 100).map(float))
standings = st.builds(
    Standing,
    lessons=st.frozensets(names),
    chapters=percents,
    exams=percents,
    skills=st.dictionaries(names, st.integers(0, 100).map(lambda percent: percent / 100)),
)


def plainly_met(requirement, standing):
    """What the manual says, one case after another."""
    met = False
    for one in requirement.any_of or [requirement]:
        if one.lesson is not None:
            met |= one.lesson in standing.lessons
        if one.chapter is not None:
            met |= standing.chapters.get(one.chapter, -1) >= one.min_percent
        if one.exam is not None:
            met |= standing.exams.get(one.exam, -1) >= one.min_percent
        if one.skill is not None:
            met |= round(standing.skills.get(one.skill, -1) * 100) >= one.min_percent
    return met


class TestMissing:
    def test_names_everything_to_somebody_who_has_done_nothing(self):
        assert [lack.wanted for lack in missing(REQUIRES, Standing())] == [
            (Wanted(Asked.LESSON, "what-data-are", 100),),
            (Wanted(Asked.EXAM, "quiz-1", 60),),
            (Wanted(Asked.SKILL, "data-displays", 80),),
            (Wanted(Asked.CHAPTER, "describing", 50),),
        ]

    def test_is_empty_when_all_is_reached_exactly(self):
        assert missing([*REQUIRES, EITHER], MET) == ()

    def test_says_how_far_the_learner_is(self):
        standing = Standing(exams={"quiz-1": 59.9})
        (lack,) = missing(REQUIRES[1:2], standing)
        assert lack == Missing((Wanted(Asked.EXAM, "quiz-1", 60, 59.9),))

    def test_has_no_lack_where_nothing_is_asked(self):
        assert missing([], Standing()) == ()

    def test_lets_any_one_of_several_do(self):
        assert missing([EITHER], Standing(skills={"data-displays": 0.8})) == ()
        (lack,) = missing([EITHER], Standing(skills={"data-displays": 0.79}))
        assert [one.asked for one in lack.wanted] == [Asked.EXAM, Asked.SKILL]

    @given(st.lists(requirements, max_size=4), standings)
    def test_agrees_with_the_manual_read_case_by_case(self, requires, standing):
        plainly = [entry for entry in requires if not plainly_met(entry, standing)]
        assert missing(requires, standing) == missing(plainly, standing)
        assert len(missing(requires, standing)) == len(plainly)

    @given(st.lists(requirements, max_size=4), standings, standings)
    def test_never_grows_when_the_learner_reaches_more(self, requires, now, more):
        later = Standing(
            now.lessons | more.lessons,
            *(
                {key: max(mine.get(key, 0), theirs.get(key, 0)) for key in {*mine, *theirs}}
                for mine, theirs in (
                    (now.chapters, more.chapters),
                    (now.exams, more.exams),
                    (now.skills, more.skills),
                )
            ),
        )
        assert len(missing(requires, later)) <= len(missing(requires, now))


class TestAskedOf:
    def test_lists_alternatives_one_by_one(self):
        assert [one.key for one in asked_of([REQUIRES[0], EITHER])] == [
            "what-data-are",
            "quiz-1",
            "data-displays",
        ]


class TestSentence:
    def test_tells_the_learner_what_to_do(self):
        lesson, exam, skill, chapter = missing(REQUIRES, Standing())
        assert lesson.sentence(lambda _: "What data are") == "Complete the lesson “What data are”."
        assert exam.sentence() == "Score at least 60 % in “quiz-1” (nothing yet)."
        assert skill.sentence(lambda _: "Displays") == (
            "Reach at least 80 % mastery of “Displays” (nothing yet)."
        )
        assert chapter.sentence() == (
            "Complete at least 50 % of the chapter “describing” (nothing yet)."
        )

    def test_names_the_alternatives_in_one_sentence(self):
        (lack,) = missing([EITHER], Standing(exams={"quiz-1": 40.0}))
        assert lack.sentence() == (
            "Do one of these: score at least 60 % in “quiz-1” (you have 40 of 60 %), "
            "or reach at least 80 % mastery of “data-displays” (nothing yet)."
        )

    def test_rounds_down_so_that_a_near_miss_does_not_read_as_met(self):
        lack = Missing((Wanted(Asked.EXAM, "quiz-1", 60, 59.9),))
        assert "you have 59 of 60 %" in lack.sentence()
