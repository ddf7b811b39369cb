"""The grade book, a learner's own and a teacher's, on real servers."""

import csv
import io

import pytest

from kourse.assessment.service import gradebook
from kourse.kit.ids import new_id
from support.exams import exam_spec, right_answer, wrong_answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = "/v1/courses/statistics/gradebook"
ALL = "/v1/courses/statistics/gradebook/learners"
WHY = "/v1/courses/statistics/gradebook/explanation"
SHEET = "/v1/courses/statistics/gradebook/export"
CATEGORIES = [
    {"key": "work", "title": "Work", "weight": 40, "drop_lowest": 1},
    {"key": "tests", "title": "Tests", "weight": 60},
]


async def learners(house, by=None, query="", **claims):
    claims = {"roles": ["teacher"], **claims}
    roles = claims.pop("roles")
    return await house.get(ALL + query, by=by or new_id(), roles=roles, claims=claims)


async def sheet(house, **kwargs):
    """The lines of the exported grade book."""
    answer = await house.teach("GET", SHEET, **kwargs)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.body)))


class TestOwn:
    async def test_weighs_categories_and_drops_the_lowest(self, house):
        await house.publish_course(categories=CATEGORIES)
        await house.pool()
        for name in ("quiz-a", "quiz-b", "quiz-c"):
            await house.exam(name, exam_spec(title=name))
        await house.exam("final", exam_spec(category="tests", purpose="Exam"))
        await house.exam("warm-up", exam_spec(purpose="Practice", category=None))
        learner = await house.enrol()
        await house.sit(learner, right_answer, "quiz-a")
        await house.sit(learner, wrong_answer, "quiz-b")
        await house.sit(learner, wrong_answer, "warm-up")
        book = (await house.get(OWN, by=learner)).body
        work, tests = book["categories"]
        assert [(e["exam"], e["percent"], e["dropped"]) for e in work["entries"]] == [
            ("quiz-a", "100", False),
            ("quiz-b", "0", True),
            ("quiz-c", None, False),
        ]
        assert (work["percent"], tests["percent"], book["percent"]) == ("100", None, "100")
        await house.sit(learner, wrong_answer, "final")
        assert (await house.get(OWN, by=learner)).body["percent"] == "40"

    @pytest.mark.parametrize(
        ("counts", "percent"), [("Highest", "100"), ("Latest", "0"), ("First", "0")]
    )
    async def test_counts_the_attempt_that_the_exam_says(self, house, counts, percent):
        learner = await house.quiz(attempts={"maximum": 3, "counts": counts})
        for answer in (wrong_answer, right_answer, wrong_answer):
            await house.sit(learner, answer)
        (section,) = (await house.get(OWN, by=learner)).body["categories"]
        (entry,) = section["entries"]
        assert (entry["counts"], entry["graded"], entry["percent"]) == (counts, 3, percent)

    async def test_is_404_for_strangers(self, house):
        await house.quiz()
        assert (await house.get(OWN, by=new_id())).status == 404


class TestLearners:
    async def test_needs_the_teacher_role_somewhere(self, house):
        learner = await house.quiz()
        assert (await house.get(ALL)).status == 401
        answer = await house.get(ALL, by=learner)
        assert (answer.status, answer.code) == (403, "forbidden")

    async def test_shows_teachers_of_the_tenant_everybody_and_withheld_scores(self, house):
        first = await house.quiz(release={"scores": "Never", "answers": "Never"})
        second = await house.enrol(cohort="evening")
        await house.sit(first, right_answer)
        answer = await learners(house)
        assert [one["learnerId"] for one in answer.body["items"]] == [str(first), str(second)]
        entry = answer.body["items"][0]["categories"][0]["entries"][0]
        assert (entry["percent"], entry["released"]) == ("100", False)

    async def test_pages_by_learner(self, house):
        await house.quiz()
        everybody = [await house.enrol() for _ in range(4)]
        seen, after = [], ""
        for _ in range(5):
            answer = await learners(house, query=f"?limit=2{after}")
            seen += [one["learnerId"] for one in answer.body["items"]]
            if answer.body["next"] is None:
                break
            after = f"&after={answer.body['next']}"
        assert len(seen) == len(set(seen)) == 5
        assert {str(learner) for learner in everybody} < set(seen)
        assert (await learners(house, query="?after=nonsense")).status == 400

    async def test_shows_a_teacher_of_one_cohort_nobody_of_another(self, house):
        await house.quiz()
        mine = await house.enrol(cohort="evening")
        await house.enrol(cohort="morning")
        scopes = {"roles": ["learner"], "scopes": ["teacher@cohort:evening"]}
        answer = await learners(house, **scopes)
        assert [one["learnerId"] for one in answer.body["items"]] == [str(mine)]
        assert (await learners(house, query="?cohort=morning", **scopes)).status == 404

    async def test_shows_a_teacher_of_the_course_everybody_of_it_only(self, house):
        await house.quiz()
        await house.publish_course("algebra")
        scopes = {"roles": ["learner"], "scopes": ["teacher@course:statistics"]}
        assert len((await learners(house, **scopes)).body["items"]) == 1
        path = "/v1/courses/algebra/gradebook/learners"
        foreign = await house.get(
            path, by=new_id(), roles=["learner"], claims={"scopes": scopes["scopes"]}
        )
        assert foreign.status == 404

    async def test_narrows_to_one_cohort_when_asked(self, house):
        await house.quiz()
        evening = await house.enrol(cohort="evening")
        answer = await learners(house, query="?cohort=evening")
        assert [one["learnerId"] for one in answer.body["items"]] == [str(evening)]


class TestExplanation:
    async def test_tells_how_weights_means_and_dropped_scores_made_the_total(self, house):
        await house.publish_course(categories=CATEGORIES)
        await house.pool()
        for name in ("quiz-a", "quiz-b", "quiz-c"):
            await house.exam(name, exam_spec(title=name))
        await house.exam("final", exam_spec(category="tests", purpose="Exam"))
        learner = await house.enrol()
        await house.sit(learner, right_answer, "quiz-a")
        await house.sit(learner, wrong_answer, "quiz-b")
        told = (await house.get(WHY, by=learner)).body
        assert told["sentence"] == (
            "The total is 100 %: 100 (Work)."
            " Tests has no score yet, so the other weights are scaled up to 100."
        )
        work, tests = told["categories"]
        assert (work["share"], work["adds"], tests["adds"]) == ("100", "100", None)
        assert [(one["standing"], one["sentence"]) for one in work["entries"]] == [
            ("counts", "12 of 12 points are 100 %."),
            (
                "dropped",
                "0 of 12 points are 0 %; not counted, since the lowest score falls away.",
            ),
            ("nothing-yet", "There is no score that counts yet."),
        ]
        await house.sit(learner, wrong_answer, "final")
        told = (await house.get(WHY, by=learner)).body
        assert told["sentence"] == "The total is 40 %: 40 (Work) + 0 (Tests)."

    async def test_says_nothing_of_what_is_not_released(self, house):
        learner = await house.quiz(release={"scores": "Manual", "answers": "Never"})
        await house.sit(learner, right_answer)
        told = (await house.get(WHY, by=learner)).body
        assert told["sentence"] == "Nothing counts yet, so there is no total."
        assert told["categories"][0]["entries"][0]["standing"] == "nothing-yet"


class TestExport:
    async def test_has_a_line_for_each_learner_withheld_scores_included(self, house):
        await house.publish_course(categories=CATEGORIES)
        await house.pool()
        await house.exam(spec=exam_spec(release={"scores": "Never", "answers": "Never"}))
        first, second = await house.enrol(cohort="evening"), await house.enrol()
        await house.sit(first, right_answer)
        assert await sheet(house) == [
            [
                "learner",
                "cohort",
                "percent",
                "work percent",
                "work/exam:quiz points",
                "work/exam:quiz max",
                "work/exam:quiz percent",
                "work/exam:quiz state",
                "tests percent",
            ],
            [str(first), "evening", "100", "100", "12", "12", "100", "withheld", ""],
            [str(second), "", "", "", "", "", "", "", ""],
        ]

    async def test_reads_a_large_course_to_its_end(self, house, monkeypatch):
        monkeypatch.setattr(gradebook, "EXPORT_PAGE", 2)
        await house.quiz()
        everybody = [str(await house.enrol()) for _ in range(4)]
        told = [line[0] for line in (await sheet(house))[1:]]
        assert len(told) == len(set(told)) == 5
        assert set(everybody) < set(told)

    async def test_shows_a_teacher_of_one_cohort_nobody_of_another(self, house):
        await house.quiz()
        mine = await house.enrol(cohort="evening")
        await house.enrol(cohort="morning")
        scopes = {"scopes": ["teacher@cohort:evening"]}
        found = await sheet(house, roles=["learner"], claims=scopes)
        assert [line[0] for line in found[1:]] == [str(mine)]

    async def test_is_refused_to_learners_and_unknown_of_no_course(self, house):
        learner = await house.quiz()
        assert (await house.get(SHEET, by=learner)).status == 403
        path = "/v1/courses/nowhere/gradebook/export"
        assert (await house.teach("GET", path)).status == 404
