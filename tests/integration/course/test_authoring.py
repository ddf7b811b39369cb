"""Declaring courses, on a real PostgreSQL: versions, rows, events, and what is refused."""

import json

import pytest

from kourse.contracts.resources import CourseSpec, DeletionPolicy
from kourse.course import authoring
from kourse.kit.documents import Applied, Doc, Refused
from support.courses import course_document, course_spec, lesson, with_assets

TENANT = "demo"


def declared(spec, name="statistics", generation=1, uid="u1", **changes):
    document = spec if isinstance(spec, CourseSpec) else CourseSpec.model_validate(spec)
    return Doc(name, document, "resource", uid=uid, generation=generation, **changes)


async def apply(operator, doc, tenant=TENANT):
    (result,) = await authoring.apply_many(operator, tenant, "Course", [doc])
    return result


class TestApply:
    async def test_publishes_the_first_version_with_its_rows_and_events(self, operator, rows):
        result = await apply(operator, declared(course_spec()))
        assert isinstance(result, Applied)
        assert (result.changed, result.version, result.pending) == (True, 1, ())
        assert result.status == {"lifecycle": "Published", "publishedVersion": 1, "lessons": 4}
        assert rows("SELECT key FROM course.lesson ORDER BY position") == [
            ("tables",),
            ("means",),
            ("coins",),
            ("dice",),
        ]
        assert rows("SELECT type FROM course.outbox ORDER BY id") == [
            ("course.content.published",),
            ("course.assignment.created",),
        ]

    async def test_changes_nothing_when_applied_again(self, operator, rows):
        first = await apply(operator, declared(course_spec()))
        again = await apply(operator, declared(course_spec()))
        assert not again.changed
        assert (again.id, again.digest, again.version) == (first.id, first.digest, 1)
        assert rows("SELECT count(*) FROM course.outbox") == [(2,)]

    async def test_makes_a_new_version_of_new_content_and_keeps_the_old(self, operator, rows):
        await apply(operator, declared(course_spec()))
        result = await apply(operator, declared(course_spec(title="New"), generation=2))
        assert result.version == 2
        assert rows("SELECT number, title FROM course.course_version ORDER BY number") == [
            (1, "Statistics"),
            (2, "New"),
        ]
        assert rows("SELECT count(DISTINCT id) FROM course.lesson") == [(4,)]
        assert rows("SELECT count(*) FROM course.lesson") == [(8,)]

    async def test_tells_of_an_assignments_other_dates_without_a_new_version(self, operator, rows):
        await apply(operator, declared(course_spec()))
        document = course_document()
        document["assignments"][0]["dates"] = {"due": {"day": 20}}
        later = CourseSpec.model_validate(document)

        result = await apply(operator, declared(later, generation=2))
        await apply(operator, declared(later, generation=3))

        assert result.version == 1
        assert rows("SELECT type FROM course.outbox ORDER BY id OFFSET 2") == [
            ("course.assignment.changed",)
        ]

    async def test_makes_no_version_of_policy(self, operator, rows):
        await apply(operator, declared(course_spec()))
        changed = course_spec(
            visibility="Unlisted",
            gates=[{"chapter": "chance", "requires": [{"lesson": "tables"}]}],
        )
        result = await apply(operator, declared(changed, generation=2))
        assert (result.changed, result.version) == (True, 1)
        assert rows("SELECT visibility FROM course.course") == [("Unlisted",)]
        assert rows("SELECT chapter FROM course.gate") == [("chance",)]
        assert rows("SELECT count(*) FROM course.outbox") == [(2,)]

    async def test_keeps_what_is_live_while_the_next_version_is_a_draft(self, operator):
        await apply(operator, declared(course_spec()))
        draft = await apply(
            operator, declared(course_spec(title="Next", lifecycle="Draft"), generation=2)
        )
        assert (draft.version, draft.status["publishedVersion"]) == (2, 1)
        published = await apply(operator, declared(course_spec(title="Next"), generation=3))
        assert (published.version, published.status["publishedVersion"]) == (2, 2)

    async def test_goes_back_to_what_is_live_when_a_draft_is_taken_back(self, operator):
        await apply(operator, declared(course_spec()))
        await apply(operator, declared(course_spec(title="Next", lifecycle="Draft"), generation=2))
        back = await apply(operator, declared(course_spec(), generation=3))
        assert (back.version, back.status["publishedVersion"]) == (1, 1)
        third = await apply(operator, declared(course_spec(title="Third"), generation=4))
        assert third.version == 3

    async def test_refuses_to_make_what_learners_saw_a_draft_again(self, operator):
        await apply(operator, declared(course_spec()))
        result = await apply(operator, declared(course_spec(lifecycle="Draft"), generation=2))
        assert isinstance(result, Refused)
        assert result.error.code == "illegal-lifecycle-move"
        assert "Version 1 is Published and cannot become Draft" in result.error.detail

    async def test_repairs_rows_that_somebody_changed_by_hand(self, operator, rows, scratch):
        await apply(operator, declared(course_spec()))
        with scratch.admin() as connection:
            connection.execute("UPDATE course.lesson SET title = 'Hacked' WHERE key = 'coins'")
            connection.execute("DELETE FROM course.lesson WHERE key = 'dice'")
            connection.execute("UPDATE course.course SET visibility = 'Unlisted'")
        result = await apply(operator, declared(course_spec()))
        assert result.changed
        assert result.version == 1
        assert rows("SELECT title FROM course.lesson ORDER BY position") == [
            ("Lesson tables",),
            ("Lesson means",),
            ("Lesson coins",),
            ("Lesson dice",),
        ]
        assert not (await apply(operator, declared(course_spec()))).changed

    async def test_repairs_what_learners_have_while_the_next_version_is_a_draft(
        self, operator, rows, scratch
    ):
        await apply(operator, declared(course_spec()))
        draft = declared(course_spec(title="Next", lifecycle="Draft"), generation=2)
        await apply(operator, draft)
        with scratch.admin() as connection:
            connection.execute("DELETE FROM course.lesson WHERE version = 1 AND key = 'dice'")
        assert (await apply(operator, draft)).changed
        assert rows("SELECT count(*) FROM course.lesson WHERE version = 1") == [(4,)]

    async def test_refuses_an_older_generation_of_the_same_object(self, operator):
        await apply(operator, declared(course_spec(), generation=2))
        result = await apply(operator, declared(course_spec(title="Old"), generation=1))
        assert result.error.code == "stale-generation"

    async def test_takes_each_document_on_its_own(self, operator):
        bad = course_spec(timeZone="Mars/Olympus")
        results = await authoring.apply_many(
            operator,
            TENANT,
            "Course",
            [declared(bad, "bad", uid="b"), declared(course_spec(), "good", uid="g")],
        )
        assert [type(result) for result in results] == [Refused, Applied]
        assert results[0].error.code == "invalid"

    async def test_keeps_tenants_apart(self, operator, rows):
        here = await apply(operator, declared(course_spec()))
        there = await apply(operator, declared(course_spec(title="Other")), tenant="other")
        assert here.id != there.id
        assert there.version == 1
        assert rows("SELECT tenant, title FROM course.course_version ORDER BY tenant") == [
            ("demo", "Statistics"),
            ("other", "Other"),
        ]


class TestAssets:
    async def test_keep_a_version_from_going_live_until_they_are_stored(self, operator, rows):
        await apply(operator, declared(course_spec()))
        result = await apply(operator, declared(with_assets(), generation=2))
        (pending,) = result.pending
        assert pending.reason == "AssetsMissing"
        assert "assets/trips.csv, lessons/dice.md" in pending.message
        assert (result.version, result.status["publishedVersion"]) == (2, 1)
        assert rows("SELECT count(*) FROM course.outbox") == [(2,)]

    async def test_count_as_missing_again_when_the_bucket_was_lost(self, operator, scratch):
        await apply(operator, declared(with_assets()))
        with scratch.admin() as connection:
            connection.execute("UPDATE course.asset SET stored_at = now()")
        result = await apply(operator, declared(with_assets()))
        assert (result.pending, result.status["publishedVersion"]) == ((), 1)
        assert await authoring.forget_assets(operator, TENANT, "statistics") == 2
        assert await authoring.forget_assets(operator, TENANT, "statistics") == 0
        again = await apply(operator, declared(with_assets()))
        assert again.pending[0].reason == "AssetsMissing"
        assert again.status["publishedVersion"] == 1


class TestPrerequisites:
    def needing(self, *names):
        return course_spec(prerequisites=[{"courseRef": name} for name in names])

    async def test_wait_for_a_course_that_is_not_known(self, operator, rows):
        result = await apply(operator, declared(self.needing("algebra")))
        assert result.error.code == "prerequisite-unknown"
        assert "'algebra'" in result.error.detail
        assert rows("SELECT name FROM course.document_wait") == [("statistics",)]
        await apply(operator, declared(course_spec(), "algebra", uid="a"))
        assert rows("SELECT name FROM course.document_wait") == []
        assert isinstance(await apply(operator, declared(self.needing("algebra"))), Applied)

    async def test_refuse_a_course_that_needs_itself(self, operator):
        result = await apply(operator, declared(self.needing("statistics")))
        assert result.error.code == "invalid"
        assert "its own prerequisite" in result.error.detail

    async def test_refuse_a_circle_although_none_of_it_is_known_yet(self, operator):
        first = await apply(operator, declared(self.needing("b"), "a", uid="a"))
        assert first.error.code == "prerequisite-unknown"
        second = await apply(operator, declared(self.needing("a"), "b", uid="b"))
        assert second.error.code == "prerequisite-cycle"
        assert "b → a → b" in second.error.detail

    async def test_are_forgotten_with_a_course_that_never_came(self, operator, rows):
        await apply(operator, declared(self.needing("b"), "a", uid="a"))
        await authoring.retire(operator, TENANT, "Course", "a", "a", DeletionPolicy.RETAIN)
        assert rows("SELECT * FROM course.prerequisite") == []


class TestReferences:
    @pytest.mark.parametrize(
        ("changes", "code", "words"),
        [
            (
                {"skills": [{"key": "reading", "title": "R", "prerequisites": ["x"]}]},
                "invalid",
                "skills: every prerequisite",
            ),
            (
                {"gates": [{"chapter": "data", "requires": [{"lesson": "nothing"}]}]},
                "invalid",
                "'nothing'",
            ),
            (
                {"gates": [{"chapter": "data", "requires": [{"skill": "nothing"}]}]},
                "invalid",
                "'nothing'",
            ),
            (
                {
                    "chapters": [
                        {"key": "one", "title": "1", "lessons": [lesson("same")]},
                        {"key": "two", "title": "2", "lessons": [lesson("same")]},
                    ]
                },
                "invalid",
                "'same'",
            ),
            (
                {
                    "skills": [
                        {"key": "reading", "title": "R", "prerequisites": ["summing"]},
                        {"key": "summing", "title": "S", "prerequisites": ["reading"]},
                    ]
                },
                "invalid",
                "go round in a circle",
            ),
        ],
    )
    async def test_are_refused_with_a_sentence(self, operator, changes, code, words):
        result = await apply(operator, declared(course_spec(**changes)))
        assert result.error.code == code
        assert words in result.error.detail


class TestRetire:
    async def test_is_done_for_a_name_that_is_not_known(self, operator):
        assert await retire(operator, "nothing") == []

    async def test_keeps_everything_by_default_and_takes_it_up_again(self, operator, rows):
        first = await apply(operator, declared(course_spec()))
        assert await retire(operator) == []
        assert rows("SELECT retired_at IS NULL FROM course.course") == [(False,)]
        again = await apply(operator, declared(course_spec(), uid="u2"))
        assert (again.id, again.version) == (first.id, 1)
        assert rows("SELECT retired_at FROM course.course") == [(None,)]

    async def test_leaves_alone_what_belongs_to_another_object(self, operator, rows):
        await apply(operator, declared(course_spec(), uid="u1"))
        assert await retire(operator, uid="u0") == []
        assert rows("SELECT retired_at FROM course.course") == [(None,)]

    async def test_deletes_all_of_a_course_that_nobody_studied(self, operator, rows):
        await apply(operator, declared(course_spec()))
        assert await retire(operator, policy=DeletionPolicy.DELETE) == []
        assert rows("SELECT count(*) FROM course.lesson") == [(0,)]
        assert rows("SELECT count(*) FROM course.document") == [(0,)]

    async def test_waits_until_what_learners_made_is_deleted(self, operator, rows, scratch):
        result = await apply(operator, declared(course_spec()))
        with scratch.admin() as connection:
            connection.execute(
                "INSERT INTO course.enrolment (id, tenant, learner_id, course_id, run)"
                " VALUES (gen_random_uuid(), 'demo', gen_random_uuid(), %s, '-')",
                (result.id,),
            )
        (pending,) = await retire(operator, policy=DeletionPolicy.DELETE)
        assert pending.reason == "LearnersRemain"
        assert rows("SELECT purge_at IS NOT NULL FROM course.course") == [(True,)]
        with scratch.admin() as connection:
            connection.execute("DELETE FROM course.enrolment")
        assert await retire(operator, policy=DeletionPolicy.DELETE) == []


async def retire(operator, name="statistics", uid="u1", policy=DeletionPolicy.RETAIN):
    return await authoring.retire(operator, TENANT, "Course", name, uid, policy)


EXAM = (
    "INSERT INTO course.exam_replica"
    " (exam_id, tenant, exam, course, title, purpose, opens_at, closes_at)"
    " VALUES (gen_random_uuid(), 'demo', 'final', 'statistics', 'T', 'Exam', '{}', '{}')"
)
COHORT = (
    "INSERT INTO course.cohort_replica"
    " (cohort_id, tenant, cohort, title, courses, starts_on, ends_on, time_zone, dates)"
    " VALUES (gen_random_uuid(), 'demo', 'paris', 'T', '{{statistics,algebra}}',"
    " '{}', '2098-07-01', 'Europe/Paris', '{}')"
)
DUE = [
    {"course": "algebra", "due_at": "2095-01-01T09:00:00Z"},
    {"course": "statistics", "due_at": "2096-01-01T09:00:00Z"},
]


class TestObserve:
    async def test_counts_active_learners(self, operator, scratch):
        result = await apply(operator, declared(course_spec()))
        with scratch.admin() as connection:
            for status in ("active", "active", "suspended"):
                connection.execute(
                    "INSERT INTO course.enrolment"
                    " (id, tenant, learner_id, course_id, run, status)"
                    " VALUES (gen_random_uuid(), 'demo', gen_random_uuid(), %s, '-', %s)",
                    (result.id, status),
                )
        found = await authoring.observe(operator, TENANT, "Course", ["statistics", "unknown"])
        assert found == {"statistics": {"learners": 2, "nextDate": None}}

    @pytest.mark.parametrize(
        ("statement", "next_date"),
        [
            (EXAM.format("2020-01-01T09:00Z", "2098-01-01T09:00Z"), "2098-01-01T09:00:00+00:00"),
            (COHORT.format("2097-07-01", "[]"), "2097-06-30T22:00:00+00:00"),
            (COHORT.format("2020-07-01", json.dumps(DUE)), "2096-01-01T09:00:00+00:00"),
        ],
        ids=["closing", "start", "due"],
    )
    async def test_tells_what_comes_next(self, operator, scratch, statement, next_date):
        await apply(operator, declared(course_spec()))
        with scratch.admin() as connection:
            connection.execute(statement)
        found = await authoring.observe(operator, TENANT, "Course", ["statistics"])
        assert found["statistics"]["nextDate"] == next_date


class TestDoors:
    async def test_refuse_each_other_until_a_resource_adopts(self, operator):
        made = Doc("statistics", course_spec(), "api")
        first = await apply(operator, made)
        refused = await apply(operator, declared(course_spec()))
        assert refused.error.code == "owned-by-api"
        adopted = await apply(operator, declared(course_spec(), adopt=True))
        assert (adopted.id, adopted.version) == (first.id, 1)
        back = await apply(operator, made)
        assert back.error.code == "owned-by-resource"

    async def test_give_the_same_rows(self, operator, rows):
        columns = "key, id, chapter, position, title, minutes, skills, text"
        await apply(operator, declared(course_document()))
        by_resource = rows(f"SELECT {columns} FROM course.lesson ORDER BY key")
        await retire(operator, policy=DeletionPolicy.DELETE)
        await apply(operator, Doc("statistics", course_spec(), "api"))
        assert rows(f"SELECT {columns} FROM course.lesson ORDER BY key") == by_resource
