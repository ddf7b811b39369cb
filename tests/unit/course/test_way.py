"""A learner's way through a course: what is open, and what comes next and why."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.course import LessonPath
from kourse.course.domain.study import Chapter, Content, LessonRef, Skill, Titles, read_gates
from kourse.course.domain.way import Footprint, Reason, Way
from kourse.rules.mastery import Band, Mastery, Thresholds

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = ["tables", "tables-again", "tables-more", "means", "coins"]
PATHS = {"tables-again": LessonPath.REMEDIATION, "tables-more": LessonPath.CHALLENGE}
SKILLS = {
    "tables": ("reading",),
    "tables-again": ("reading",),
    "tables-more": ("reading",),
    "means": ("summing",),
}
IDS = {key: UUID(int=number) for number, key in enumerate(KEYS, start=1)}
CONTENT = Content(
    chapters=(Chapter("data", "Data"), Chapter("chance", "Chance")),
    lessons=tuple(
        LessonRef(
            IDS[key],
            key,
            key.title(),
            "chance" if key == "coins" else "data",
            skills=SKILLS.get(key, ()),
            path=PATHS.get(key, LessonPath.MAIN),
        )
        for key in KEYS
    ),
    skills={
        "reading": Skill("reading", "Read a table", thresholds=Thresholds(0.7, 0.9)),
        "summing": Skill("summing", "Sum up", ("reading",)),
    },
)
GATES = read_gates('[["chance", [{"lesson": "means"}]]]')
LOW, MID, HIGH = (
    Mastery(0.4, 4, Band.REMEDIATION),
    Mastery(0.8, 4, Band.MAIN),
    Mastery(0.93, 4, Band.CHALLENGE),
)

lessons = st.frozensets(st.sampled_from(KEYS))
states = st.dictionaries(st.sampled_from(["reading", "summing"]), st.sampled_from([LOW, MID, HIGH]))


def way(completed=(), visited=(), **mastery):
    made = Footprint(
        completed={IDS[key]: NOW for key in completed},
        visited={IDS[key]: CONTENT.by_key[key].chapter for key in {*completed, *visited}},
        mastery=mastery,
    )
    return Way(CONTENT, GATES, Titles(CONTENT, {}), made)


def open_keys(found):
    return [lesson.key for lesson in CONTENT.lessons if not found.closed(lesson)]


class TestClosed:
    def test_leaves_the_main_path_to_somebody_new(self):
        assert open_keys(way()) == ["tables", "means"]

    def test_opens_remediation_to_those_who_need_it(self):
        assert open_keys(way(reading=LOW)) == ["tables", "tables-again", "means"]

    def test_opens_challenges_to_those_who_are_ready(self):
        assert open_keys(way(reading=HIGH)) == ["tables", "tables-more", "means"]

    def test_never_closes_what_was_begun(self):
        assert "tables-more" in open_keys(way(visited=["tables-more"], reading=LOW))

    def test_says_what_would_open_a_lesson_by_the_skills_own_bands(self):
        found = way(reading=MID)
        assert found.closed(CONTENT.by_key["tables-more"]) == [
            "Reach at least 90 % mastery of “Read a table” (you have 80 of 90 %)."
        ]
        assert found.closed(CONTENT.by_key["tables-again"]) == [
            "Opens when your mastery of “Read a table” falls below 70 % (you have 80 %)."
        ]
        assert found.closed(CONTENT.by_key["coins"]) == ["Complete the lesson “Means”."]

    @given(lessons, lessons, states)
    def test_never_closes_what_was_open_when_more_is_begun(self, completed, visited, known):
        now = way(completed, visited, **known)
        for key in open_keys(now):
            later = way(completed, {*visited, key})
            assert key in open_keys(later)


class TestNext:
    def test_is_the_first_lesson_at_the_start(self):
        found = way().next
        assert (found.lesson.key, found.reason) == ("tables", Reason.IN_ORDER)
        assert "first lesson" in found.because

    def test_follows_the_order_of_the_course(self):
        found = way(["tables"]).next
        assert (found.lesson.key, found.reason) == ("means", Reason.IN_ORDER)
        assert found.because == "It comes after “Tables”, which you have completed."

    def test_is_remediation_before_anything_else(self):
        found = way(["tables"], reading=LOW).next
        assert (found.lesson.key, found.reason) == ("tables-again", Reason.REMEDIATION)
        assert found.because == "Your mastery of “Read a table” is 40 %: go over it once more."

    def test_is_a_challenge_at_its_place(self):
        found = way(["tables"], reading=HIGH).next
        assert (found.lesson.key, found.reason) == ("tables-more", Reason.CHALLENGE)

    def test_lets_others_pass_a_lesson_that_builds_on_what_is_weak(self):
        found = way(["tables", "tables-again"], ["coins"], reading=LOW).next
        assert found.lesson.key == "coins"

    def test_comes_back_to_it_when_nothing_else_is_open(self):
        found = way(["tables", "tables-again"], reading=LOW).next
        assert found.lesson.key == "means"
        assert "Practise “Read a table” beside it" in found.because

    def test_is_none_when_all_that_is_open_is_done(self):
        assert way(["tables", "means", "coins"]).next is None

    @given(lessons, lessons, states)
    def test_is_open_not_done_the_same_each_time_and_there_while_the_main_path_is_not_done(
        self, completed, visited, known
    ):
        found = way(completed, visited, **known)
        following = found.next
        assert following == way(completed, visited, **known).next
        todo = {"tables", "means"} - completed
        if following is None:
            assert not todo
            return
        assert not found.closed(following.lesson)
        assert following.lesson.key not in completed
