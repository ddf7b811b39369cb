"""Plans of courses: what is said is what an apply then does, and nothing is written before."""

import pytest

from kourse.contracts import names
from kourse.contracts.events import CohortDeclared, GroupJoined
from kourse.contracts.resources import CourseSpec
from kourse.course.service import replicas
from kourse.kit.ids import new_id
from support.courses import (
    CSV_SHA256,
    LONG_TEXT_SHA256,
    course_document,
    lesson,
    with_assets,
)
from support.houses import LEARNER, OTHER_LEARNER, new_key

PLANS = "/v1/authoring/plans/courses"
TABLES = ("course", "course_version", "chapter", "lesson", "skill", "assignment", "gate", "asset")
GATE = [{"chapter": "chance", "requires": [{"lesson": "means"}]}]


@pytest.fixture
def plan(house):
    """Plans courses given as name and document; the answer's body."""

    async def ask(*documents, files=(), facts=(), roles=("planner",), **claims):
        body = {
            "documents": [
                {"kind": "Course", "name": name, "spec": spec} for name, spec in documents
            ],
            "files": list(files),
            "facts": list(facts),
        }
        answer = await house.post(PLANS, body, roles=list(roles), **claims)
        assert answer.status == 200, answer.body
        return answer.body

    return ask


@pytest.fixture
def only(plan):
    """Plans one course; what is said of it."""

    async def ask(spec, name="statistics", **more):
        (planned,) = (await plan((name, spec), **more))["objects"]
        return planned

    return ask


@pytest.fixture
def enrol(house):
    """A learner enrols by themselves."""

    async def enrol(who=LEARNER, course="statistics"):
        answer = await house.post(f"/v1/courses/{course}/enrolments", key=new_key(), who=who)
        assert answer.status == 201, answer.body

    return enrol


def people(planned):
    return {one["effect"]: (one["count"], one["sentence"]) for one in planned["people"]}


class TestPermission:
    async def test_is_needed(self, house):
        for roles in (["learner"], ["teacher"]):
            answer = await house.post(PLANS, {"documents": []}, roles=roles)
            assert (answer.status, answer.code) == (403, "forbidden")
        assert (await house.post(PLANS, {}, who=None)).status == 401

    async def test_of_a_scoped_author_ends_at_the_course(self, plan):
        said = await plan(
            ("algebra", course_document()),
            ("statistics", course_document()),
            roles=["learner"],
            scopes=["author@course:algebra"],
        )
        actions = {one["name"]: one["action"] for one in said["objects"]}
        assert actions == {"algebra": "create", "statistics": "refused"}

    async def test_shows_nothing_of_another_tenant(self, only, publish):
        await publish()
        planned = await only(course_document(), tenant="other")
        assert (planned["action"], planned["specBefore"]) == ("create", None)


class TestPlan:
    async def test_writes_nothing(self, plan, rows, publish):
        await publish()
        query = (
            "SELECT (SELECT count(*) FROM course.course), (SELECT count(*) FROM course.document),"
            " (SELECT count(*) FROM course.outbox), (SELECT max(generation) FROM course.document)"
        )
        before = rows(query)
        await plan(("statistics", course_document(title="Another")), ("algebra", course_document()))
        assert rows(query) == before

    async def test_says_what_would_be_new(self, only):
        planned = await only(course_document())
        assert (planned["action"], planned["versionAfter"]) == ("create", 1)
        inserted = {row["table"]: row["inserted"] for row in planned["rows"]}
        assert inserted["lesson"] == 4
        assert inserted["course_version"] == 1

    async def test_says_that_nothing_would_change(self, only, publish):
        await publish()
        planned = await only(course_document())
        assert (planned["action"], planned["changes"], planned["rows"]) == ("unchanged", [], [])

    async def test_names_each_field_that_would_change(self, only, publish):
        await publish()
        changed = course_document(visibility="Unlisted")
        changed["chapters"][0]["lessons"][1]["title"] = "Averages"
        planned = await only(changed)
        assert (planned["action"], planned["versionBefore"], planned["versionAfter"]) == (
            "update",
            1,
            2,
        )
        assert {one["path"]: (one["before"], one["after"]) for one in planned["changes"]} == {
            "spec.visibility": ("Listed", "Unlisted"),
            "spec.chapters[data].lessons[means].title": ("Lesson means", "Averages"),
        }

    async def test_says_what_drift_would_be_repaired(self, only, publish, rows):
        await publish()
        rows("UPDATE course.lesson SET title = 'by hand' WHERE key = 'coins' RETURNING key")
        planned = await only(course_document())
        assert (planned["action"], planned["changes"]) == ("repair", [])
        assert [row["table"] for row in planned["rows"]] == ["lesson"]

    async def test_takes_documents_of_the_same_request_for_present_in_any_order(self, plan):
        first = course_document(prerequisites=[{"courseRef": "basics"}])
        said = await plan(("advanced", first), ("basics", course_document()))
        assert {one["action"] for one in said["objects"]} == {"create"}

    async def test_names_what_is_missing(self, only):
        planned = await only(course_document(prerequisites=[{"courseRef": "basics"}]))
        (problem,) = planned["problems"]
        assert (planned["action"], problem["code"]) == ("wait", "prerequisite-unknown")
        assert "basics" in problem["message"]

    async def test_sees_a_circle_among_new_courses(self, plan):
        said = await plan(
            ("one", course_document(prerequisites=[{"courseRef": "two"}])),
            ("two", course_document(prerequisites=[{"courseRef": "one"}])),
        )
        codes = {one["problems"][0]["code"] for one in said["objects"]}
        assert "prerequisite-cycle" in codes

    async def test_names_problems_that_no_schema_sees(self, only):
        planned = await only(course_document(timeZone="Mars/Olympus"))
        assert planned["action"] == "refused"
        assert "Mars/Olympus" in planned["problems"][0]["message"]

    async def test_names_every_field_that_is_wrong(self, only):
        planned = await only(course_document(title="", lifecicle="Draft"))
        assert {one["field"] for one in planned["problems"]} == {"spec.title", "spec.lifecicle"}

    async def test_asks_for_adoption_of_what_the_api_made(self, house, only):
        document = course_document()
        path = "/v1/authoring/courses/statistics"
        assert (await house.put(path, document, roles=["author"])).status == 200
        planned = await only(document)
        assert planned["problems"][0]["code"] == "owned-by-api"

    async def test_waits_for_files_unless_they_would_be_sent(self, only):
        waiting = await only(with_assets())
        assert len(waiting["pending"]) == 1
        sent = await only(with_assets(), files=[CSV_SHA256, LONG_TEXT_SHA256])
        assert sent["pending"] == []

    async def test_tells_what_siblings_would_hear(self, plan):
        (fact, *_) = (await plan(("statistics", course_document())))["facts"]
        assert (fact["type"], fact["payload"]["course"]) == (
            "course.content.published",
            "statistics",
        )

    async def test_refuses_facts_that_are_none(self, house):
        facts = [{"type": "course.content.published", "payload": {}}]
        answer = await house.post(PLANS, {"facts": facts}, roles=["planner"])
        assert (answer.status, answer.code) == (422, "invalid")


class TestPeople:
    async def test_are_told_of_that_lose_a_lesson_to_a_gate(self, only, publish, enrol, house):
        await publish()
        await enrol(LEARNER)
        await enrol(OTHER_LEARNER)
        path = "/v1/courses/statistics/lessons/means/completion"
        assert (await house.post(path, key=new_key())).status == 200
        planned = await only(course_document(gates=GATE))
        assert people(planned) == {
            "lose-access": (1, "1 learner loses access to lessons: coins, dice")
        }

    async def test_who_began_a_chapter_keep_it(self, only, publish, enrol, house):
        await publish()
        await enrol()
        assert (await house.get("/v1/courses/statistics/lessons/coins")).status == 200
        assert people(await only(course_document(gates=GATE))) == {}

    async def test_gain_what_a_gate_no_longer_holds_back(self, only, publish, enrol):
        await publish(gates=GATE)
        await enrol()
        planned = await only(course_document())
        assert people(planned)["gain-access"][0] == 1

    async def test_are_judged_by_their_mastery_where_a_gate_asks_for_it(
        self, only, publish, enrol, master
    ):
        await publish()
        await enrol()
        await enrol(OTHER_LEARNER)
        await master("reading", 0.85, "main")
        gate = [{"chapter": "chance", "requires": [{"skill": "reading", "minPercent": 80}]}]
        assert people(await only(course_document(gates=gate))) == {
            "lose-access": (1, "1 learner loses access to lessons: coins, dice")
        }

    async def test_whose_band_decides_are_counted_apart(self, only, publish, enrol):
        await publish()
        await enrol()
        changed = course_document()
        beside = lesson("cards", path="Remediation", skills=["reading"])
        changed["chapters"][1]["lessons"].append(beside)
        assert set(people(await only(changed))) == {"undecided"}

    async def test_gain_new_lessons(self, only, publish, enrol):
        await publish()
        await enrol()
        changed = course_document()
        changed["chapters"][1]["lessons"].append(lesson("cards"))
        assert people(await only(changed)) == {
            "gain-access": (1, "1 learner gains access to the lesson cards")
        }

    async def test_stay_on_the_version_before_a_draft(self, only, publish, enrol):
        await publish()
        await enrol()
        planned = await only(course_document(title="Other", lifecycle="Draft"))
        assert people(planned) == {"keep-version": (1, "1 learner stays on version 1")}

    async def test_of_a_cohort_are_enrolled_in_what_it_adds(self, house, plan, publish):
        await publish()
        await publish("algebra")
        cohort = {
            "cohort_id": names.declared_id("demo", "Cohort", "evening"),
            "cohort": "evening",
            "title": "Evening",
            "courses": ["statistics"],
            "starts_on": "2026-11-02",
            "ends_on": "2027-06-30",
            "time_zone": "Europe/Lisbon",
        }
        joined = {name: cohort[name] for name in ("cohort_id", "cohort", "courses")}
        async with house.runtime.database.transaction("demo") as tx:
            await replicas.keep_cohort(tx, CohortDeclared(**cohort))
            for _ in range(3):
                await replicas.enrol_member(tx, GroupJoined(learner_id=new_id(), **joined))
        payload = CohortDeclared(**cohort | {"courses": ["statistics", "algebra"]})
        fact = {"type": "profile.cohort.declared", "payload": payload.model_dump(mode="json")}
        said = await plan(facts=[fact])
        (planned,) = said["objects"]
        assert (planned["kind"], planned["name"]) == ("Cohort", "evening")
        assert people(planned) == {"enrol": (3, "3 members are enrolled in algebra")}


VARIANTS = {
    "a lesson more": lambda spec: spec["chapters"][1]["lessons"].append(lesson("cards")),
    "a lesson less": lambda spec: spec["chapters"][1]["lessons"].pop(),
    "another text": lambda spec: spec["chapters"][0]["lessons"][0].update(text="New."),
    "a chapter moved": lambda spec: spec["chapters"].reverse(),
    "a gate": lambda spec: spec.update(gates=GATE),
    "a policy": lambda spec: spec.update(enrolment="Closed", visibility="Unlisted"),
    "a draft": lambda spec: spec.update(title="Other", lifecycle="Draft"),
    "an archive": lambda spec: spec.update(lifecycle="Archived"),
    "an assignment less": lambda spec: spec.update(assignments=[]),
    "nothing": lambda _: None,
}


class TestWhatAPlanSays:
    @pytest.mark.parametrize("change", VARIANTS.values(), ids=VARIANTS)
    async def test_is_what_the_apply_does(self, change, only, publish, enrol, house, rows):
        await publish()
        await enrol()
        document = course_document()
        change(document)
        planned = await only(document)
        before = {table: _count(rows, table) for table in TABLES}
        opened = await _open(house)
        applied = await publish(spec=CourseSpec.model_validate(document))
        assert applied.changed == (planned["action"] == "update")
        assert applied.version == planned["versionAfter"]
        told = {one["table"]: one["inserted"] - one["deleted"] for one in planned["rows"]}
        assert {table: _count(rows, table) - before[table] for table in TABLES} == {
            table: told.get(table, 0) for table in TABLES
        }
        after = await _open(house)
        moved = people(planned)
        assert ("gain-access" in moved) == bool(after - opened)
        assert ("lose-access" in moved) == bool(opened - after)


def _count(rows, table):
    return rows(f"SELECT count(*) FROM course.{table}")[0][0]


async def _open(house):
    """Lessons that the learner can read, by asking for each; looking begins a chapter."""
    progress = (await house.get("/v1/courses/statistics/progress")).body
    return {
        lesson["key"]
        for chapter in progress["chapters"]
        if not chapter["missing"]
        for lesson in chapter["lessons"]
    }
