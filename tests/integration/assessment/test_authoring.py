"""Pools and exams through both doors, on real servers: versions, conditions, events, deletion."""

import pytest

from kourse.assessment import authoring
from kourse.contracts.resources import DeletionPolicy
from kourse.kit.documents import Applied, Refused
from kourse.kit.ids import new_id
from support.exams import (
    EVERY_TYPE,
    exam_document,
    exam_spec,
    pool_document,
    pool_spec,
    right_answer,
    single,
)
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def code(result):
    assert isinstance(result, Refused), result
    return result.error.code


async def retire(house, kind, name, policy="Retain", uid="u1"):
    pending = await authoring.retire(
        house.operator, "demo", kind, name, uid, DeletionPolicy(policy)
    )
    return [one.reason for one in pending]


async def observe(house, kind, *names):
    return await authoring.observe(house.operator, "demo", kind, names)


async def woken(listener, *words):
    """Returns when a wake-up with all of these words was heard."""

    def heard():
        payloads = [note.payload for note in listener.notifies(timeout=0.05)]
        return any(all(word in payload for word in words) for payload in payloads)

    await until(heard)


class TestApplyPool:
    async def test_stores_questions_with_versions(self, house):
        await house.publish_course()
        result = await house.pool()
        assert isinstance(result, Applied)
        assert (result.changed, result.version, result.status) == (True, 1, {"questions": 6})
        assert await observe(house, "QuestionPool", "basics", "none") == {
            "basics": {"questions": 6},
            "none": {"questions": 0},
        }

    async def test_changes_nothing_when_applied_again(self, house):
        await house.publish_course()
        first = await house.pool()
        again = await house.pool()
        assert (again.changed, again.version, again.digest) == (False, 1, first.digest)

    async def test_makes_a_version_of_the_changed_question_only(self, house):
        await house.publish_course()
        await house.pool()
        changed = [single("single", prompt="Another"), *EVERY_TYPE[1:]]
        result = await house.pool(spec=pool_spec(*changed), generation=2)
        assert (result.changed, result.version) == (True, 2)
        assert house.rows("SELECT count(*) FROM assessment.question_version") == [(7,)]
        back = await house.pool(generation=3)
        assert back.version == 3
        assert house.rows("SELECT count(*) FROM assessment.question_version") == [(7,)]

    async def test_takes_removed_questions_out_and_back_in(self, house):
        await house.publish_course()
        await house.pool()
        await house.pool(spec=pool_spec(*EVERY_TYPE[:2]), generation=2)
        assert (await observe(house, "QuestionPool", "basics"))["basics"] == {"questions": 2}
        await house.pool(generation=3)
        assert (await observe(house, "QuestionPool", "basics"))["basics"] == {"questions": 6}

    async def test_mends_rows_that_were_changed_by_hand(self, house):
        await house.publish_course()
        await house.pool()
        house.run("DELETE FROM assessment.question WHERE key = 'single'")
        house.run("UPDATE assessment.question SET removed_at = now() WHERE key = 'numeric'")
        result = await house.pool()
        assert (result.changed, result.version) == (True, 1)
        assert (await observe(house, "QuestionPool", "basics"))["basics"] == {"questions": 6}

    async def test_waits_for_its_course_and_its_skills(self, house):
        assert code(await house.pool()) == "unknown-course"
        await house.publish_course()
        unknown = pool_spec(single("q", skills=["flying"]))
        refused = await house.pool(spec=unknown)
        assert code(refused) == "unknown-skill"
        assert "questions/q/skills" in refused.error.detail

    async def test_may_be_shared_in_the_tenant(self, house):
        await house.publish_course()
        shared = pool_spec(single("q", skills=["anything"]), courseRef=None)
        assert isinstance(await house.pool("shared", shared), Applied)

    async def test_refuses_contradictions_with_a_sentence(self, house):
        await house.publish_course()
        refused = await house.pool(spec=pool_spec(single("q", correct=["nothing"])))
        assert code(refused) == "invalid-pool"
        assert refused.error.detail == "questions/q: 'correct' names 'nothing', which is no option."

    async def test_refuses_to_move_to_another_course(self, house):
        await house.publish_course()
        await house.publish_course("algebra")
        await house.pool()
        moved = pool_spec(courseRef="algebra")
        assert code(await house.pool(spec=moved, generation=2)) == "invalid-pool"


class TestApplyExam:
    async def test_tells_of_it_and_what_it_came_to(self, house):
        await house.publish_course()
        await house.pool()
        opens = {"opens": {"at": "2027-03-01T09:00"}}
        result = await house.exam(spec=exam_spec(dates=opens))
        told = {"questions": 6, "points": 12, "opensAt": "2027-03-01T09:00:00Z", "closesAt": None}
        assert result.status == told
        (event,) = house.events("assessment.exam.scheduled")
        assert (event["exam"], event["version"]) == ("quiz", 1)
        assert event["opens_at"] == "2027-03-01T09:00:00Z"

    async def test_changes_nothing_when_applied_again(self, house):
        await house.publish_course()
        await house.pool()
        await house.exam()
        again = await house.exam()
        assert (again.changed, again.version) == (False, 1)
        assert len(house.events()) == 1

    async def test_makes_a_version_of_new_content_and_none_of_new_policy(self, house):
        await house.publish_course()
        await house.pool()
        await house.exam()
        content = await house.exam(spec=exam_spec(passMark=60), generation=2)
        policy = await house.exam(spec=exam_spec(passMark=60, timeLimitMinutes=9), generation=3)
        assert (content.version, policy.version, policy.changed) == (2, 2, True)
        assert [event["version"] for event in house.events("assessment.exam.scheduled")] == [1, 2]

    async def test_tells_of_a_new_window(self, house):
        await house.publish_course()
        await house.pool()
        await house.exam()
        closes = {"closes": {"at": "2027-03-01T09:00"}}
        await house.exam(spec=exam_spec(dates=closes), generation=2)
        assert [e["closes_at"] for e in house.events("assessment.exam.scheduled")] == [
            None,
            "2027-03-01T09:00:00Z",
        ]

    async def test_tells_of_the_dates_of_a_label(self, house):
        await house.publish_course()
        await house.pool()
        await house.exam()
        early = {"label": "early", "dates": {"opens": {"day": 3, "time": "09:00"}}}
        await house.exam(spec=exam_spec(overrides=[early]), generation=2)

        *_, event = house.events("assessment.exam.scheduled")
        assert event["overrides"][0]["label"] == "early"
        assert event["overrides"][0]["dates"]["opens"]["day"] == 3

    async def test_waits_for_everything_it_needs_and_says_for_what(self, house):
        assert code(await house.exam()) == "unknown-course"
        await house.publish_course(categories=[])
        assert code(await house.exam()) == "unknown-category"
        await house.publish_course()
        assert code(await house.exam()) == "unknown-pool"
        await house.pool(spec=pool_spec(*EVERY_TYPE[:4]))
        refused = await house.exam()
        assert code(refused) == "too-few-questions"
        assert refused.error.detail.startswith(
            "zones/main/draws/0: the pools hold 2 questions too few"
        )
        await house.pool(generation=2)
        assert isinstance(await house.exam(), Applied)

    async def test_is_woken_when_what_it_waits_for_arrives(self, house, scratch):
        with scratch.admin() as listener:
            listener.execute("LISTEN kourse_wake")
            await house.exam()
            assert not list(listener.notifies(timeout=0.2))
            await house.publish_course()
            await woken(listener, '"quiz"')
            await house.pool(spec=pool_spec(*EVERY_TYPE[:4]))
            await house.exam()
        with scratch.admin() as listener:
            listener.execute("LISTEN kourse_wake")
            await house.pool(generation=2)
            await woken(listener, '"quiz"')

    async def test_is_looked_at_again_when_a_pool_it_draws_from_changes(self, house, scratch):
        await house.quiz()
        with scratch.admin() as listener:
            listener.execute("LISTEN kourse_wake")
            await house.pool(spec=pool_spec(*EVERY_TYPE[:2]), generation=2)
            await woken(listener, '"ExamConfig"', '"quiz"')
        assert code(await house.exam()) == "too-few-questions"

    async def test_draws_by_label_and_refuses_pools_of_other_courses(self, house):
        await house.publish_course()
        await house.publish_course("algebra")
        await house.pool()
        await house.pool("foreign", pool_spec(courseRef="algebra"))

        def zone(draw):
            return [{"key": "z", "title": "Z", "draws": [draw]}]

        labelled = exam_spec(zones=zone({"poolLabel": "first-half", "count": 6}))
        assert isinstance(await house.exam(spec=labelled), Applied)
        foreign = exam_spec(zones=zone({"pools": ["foreign"], "count": 1}))
        assert code(await house.exam("other", foreign)) == "invalid-exam"

    async def test_refuses_impossible_dates(self, house):
        await house.publish_course()
        await house.pool()
        dates = {"opens": {"at": "2027-02-02T10:00"}, "closes": {"at": "2027-02-01T10:00"}}
        assert code(await house.exam(spec=exam_spec(dates=dates))) == "invalid-dates"


class TestRetire:
    async def test_retained_exams_vanish_with_their_attempts_kept(self, house):
        learner = await house.quiz()
        attempt = await house.sit(learner, right_answer)
        running = await house.started(learner)
        assert await retire(house, "ExamConfig", "quiz") == []
        assert (await house.get("/v1/exams/quiz", by=learner)).status == 404
        assert (await house.start(learner)).status == 404
        assert (await house.result(learner, attempt)).status == 200
        assert (await house.submit(learner, running["id"])).status == 200
        revived = await house.exam(uid="u2")
        assert revived.version == 1
        assert (await observe(house, "ExamConfig", "quiz"))["quiz"] == {"attempts": 2}

    async def test_deleting_waits_for_open_attempts_and_stops_new_ones(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        assert await retire(house, "ExamConfig", "quiz", "Delete") == ["AttemptsOpen"]
        assert (await house.start(await house.enrol())).status == 404
        await house.submit(learner, attempt["id"])
        assert await retire(house, "ExamConfig", "quiz", "Delete") == ["AttemptsOpen"]
        await house.grade(attempt["id"])
        assert await retire(house, "ExamConfig", "quiz", "Delete") == []
        assert house.rows("SELECT count(*) FROM assessment.attempt") == [(0,)]
        assert await retire(house, "ExamConfig", "quiz", "Delete") == []

    async def test_deleting_a_pool_waits_for_exams_and_attempts(self, house):
        learner = await house.quiz()
        await house.sit(learner, right_answer)
        assert await retire(house, "QuestionPool", "basics", "Delete") == ["PoolInUse"]
        await retire(house, "ExamConfig", "quiz")
        assert await retire(house, "QuestionPool", "basics", "Delete") == ["AttemptsKept"]
        await house.exam()
        await retire(house, "ExamConfig", "quiz", "Delete")
        assert await retire(house, "QuestionPool", "basics", "Delete") == []
        assert house.rows("SELECT count(*) FROM assessment.question") == [(0,)]

    async def test_leaves_alone_what_another_owner_holds(self, house):
        learner = await house.quiz()
        assert await retire(house, "ExamConfig", "quiz", uid="stranger") == []
        assert await retire(house, "QuestionPool", "basics", "Delete", uid="stranger") == []
        assert (await house.start(learner)).status == 201

    async def test_of_what_never_was_is_done(self, house):
        for kind in ("ExamConfig", "QuestionPool"):
            assert await retire(house, kind, "nothing", "Delete") == []


class TestRest:
    async def put(self, house, kind, name, body, roles=("author",)):
        path = f"/v1/authoring/{kind}/{name}"
        return await house.call("PUT", path, by=new_id(), roles=roles, json=body)

    async def test_is_for_authors(self, house):
        for roles, status in ((("learner",), 403), (("teacher",), 403)):
            answer = await self.put(house, "pools", "mine", pool_document(), roles)
            assert answer.status == status

    async def test_makes_reads_and_deletes_a_pool_and_an_exam(self, house):
        await house.publish_course()
        made = await self.put(house, "pools", "basics", pool_document())
        assert (made.status, made.body["version"], made.body["status"]) == (
            200,
            1,
            {"questions": 6},
        )
        assert (await self.put(house, "exams", "quiz", exam_document())).status == 200
        read = await house.get("/v1/authoring/exams/quiz", by=new_id(), roles=["author"])
        assert (read.body["source"], read.body["spec"]["courseRef"]) == ("api", "statistics")
        for path in ("exams/quiz", "pools/basics"):
            gone = await house.call(
                "DELETE", f"/v1/authoring/{path}", by=new_id(), roles=["author"]
            )
            assert gone.status == 204
            read = await house.get(f"/v1/authoring/{path}", by=new_id(), roles=["author"])
            assert read.status == 404

    async def test_deletes_only_what_there_is_and_what_was_read(self, house):
        author = {"by": new_id(), "roles": ["author"]}
        for path in ("exams/nothing", "pools/nothing"):
            gone = await house.call("DELETE", f"/v1/authoring/{path}", **author)
            assert (gone.status, gone.code) == (404, "not-found")
        await house.publish_course()
        seen = (await self.put(house, "pools", "basics", pool_document())).headers["ETag"]
        await self.put(house, "pools", "basics", pool_document(title="Other"))
        guarded = {"headers": {"If-Match": seen}, **author}
        kept = await house.call("DELETE", "/v1/authoring/pools/basics", **guarded)
        assert (kept.status, kept.code) == (412, "document-changed")

    async def test_tells_the_audit_trail_who_declared_and_who_deleted(self, house):
        await house.publish_course()
        await self.put(house, "pools", "basics", pool_document())
        person = new_id()
        path = "/v1/authoring/pools/basics"
        await house.call("DELETE", path, by=person, roles=["author"])
        found = house.rows(
            "SELECT action, actor FROM assessment.audit_entry ORDER BY id DESC LIMIT 2"
        )
        assert found[0] == ("questionpool.deleted", str(person))
        assert found[1][0] == "questionpool.declared"

    async def test_refuses_what_a_resource_declares(self, house):
        await house.quiz()
        answer = await self.put(house, "pools", "basics", pool_document(title="Mine"))
        assert (answer.status, answer.code) == (409, "owned-by-resource")
        assert answer.body["resource"] == "QuestionPool/basics"
        gone = await house.call("DELETE", "/v1/authoring/exams/quiz", by=new_id(), roles=["author"])
        assert (gone.status, gone.code) == (409, "owned-by-resource")

    async def test_keeps_a_resource_from_taking_a_name_unless_it_adopts(self, house):
        await house.publish_course()
        await self.put(house, "pools", "basics", pool_document())
        assert code(await house.pool()) == "owned-by-api"
        assert isinstance(await house.pool(adopt=True), Applied)

    async def test_answers_409_while_something_is_missing(self, house):
        answer = await self.put(house, "pools", "basics", pool_document())
        assert (answer.status, answer.code) == (409, "unknown-course")
        assert answer.headers["Retry-After"]

    @pytest.mark.parametrize(
        "changes",
        [{"title": ""}, {"questions": []}, {"unknown": 1}, {"labels": ["Not A Label"]}],
    )
    async def test_refuses_bad_fields(self, house, changes):
        answer = await self.put(house, "pools", "basics", pool_document() | changes)
        assert (answer.status, answer.code) == (422, "invalid")

    async def test_refuses_bad_names(self, house):
        assert (await self.put(house, "pools", "Bad.Name", pool_document())).status == 422
