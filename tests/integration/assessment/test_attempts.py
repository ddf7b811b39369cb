"""Taking an exam over HTTP on real servers: windows, starts, saves, submission and the clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from kourse.assessment.repository import saving
from kourse.kit.ids import new_id
from support.exams import exam_spec, pool_spec, right_answer, single, wrong_answer

pytestmark = pytest.mark.asyncio(loop_scope="module")


def when(hours):
    """Wall-clock time in UTC, so many hours from now."""
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class TestListExams:
    async def test_needs_a_token_and_the_learner_role(self, house):
        assert (await house.get("/v1/courses/statistics/exams")).status == 401
        answer = await house.get("/v1/courses/statistics/exams", by=new_id(), roles=[])
        assert (answer.status, answer.code) == (403, "forbidden")

    async def test_shows_the_learners_own_window_and_attempts(self, house):
        learner = await house.quiz(dates={"closes": {"at": when(2)}}, timeLimitMinutes=30)
        answer = await house.get("/v1/courses/statistics/exams", by=learner)
        (exam,) = answer.body["items"]
        assert exam["name"] == "quiz"
        assert (exam["questions"], exam["points"]) == (6, 12)
        assert exam["attempts"] == {"maximum": 2, "used": 0, "left": 2}
        assert exam["timeLimitMinutes"] == 30
        assert exam["closesAt"] > exam["serverNow"]

    async def test_hides_exams_that_are_not_open_yet(self, house):
        learner = await house.quiz(dates={"opens": {"at": when(1)}})
        answer = await house.get("/v1/courses/statistics/exams", by=learner)
        assert answer.body == {"items": []}
        assert (await house.get("/v1/exams/quiz", by=learner)).status == 404

    async def test_is_the_same_404_for_strangers_and_unknown_courses(self, house):
        await house.quiz()
        foreign = await house.get("/v1/courses/statistics/exams", by=new_id())
        unknown = await house.get("/v1/courses/nowhere/exams", by=new_id())
        assert (
            (foreign.status, foreign.code) == (unknown.status, unknown.code) == (404, "not-found")
        )

    async def test_asks_to_come_again_while_an_enrolment_is_on_its_way(self, house):
        await house.quiz()
        learner = new_id()
        house.course.enrolled[learner] = ["statistics"]
        for path in ("/v1/courses/statistics/exams", "/v1/exams/quiz"):
            answer = await house.get(path, by=learner)
            assert (answer.status, answer.code) == (409, "dependency-not-ready")
            assert int(answer.headers["Retry-After"]) >= 1
        await house.enrol(learner)
        assert (await house.get("/v1/exams/quiz", by=learner)).status == 200

    async def test_follows_cohort_and_label_dates(self, house):
        overrides = [{"label": "extra", "timeLimitMinutes": 90, "attempts": 9}]
        await house.quiz(dates={"opens": {"at": when(5)}}, overrides=overrides)
        dates = [{"course": "statistics", "exam": "quiz", "opens_at": when(-1)}]
        await house.declare_cohort("evening", dates)
        learner = await house.enrol(cohort="evening", labels=["extra"])
        exam = (await house.get("/v1/exams/quiz", by=learner)).body
        assert (exam["timeLimitMinutes"], exam["attempts"]["maximum"]) == (90, 9)


class TestStartAttempt:
    async def test_is_told_once_however_often_it_is_asked_for(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        await house.started(learner)
        (told,) = house.events("assessment.attempt.started")
        assert (told["attempt_id"], told["number"]) == (attempt["id"], 1)

    async def test_needs_an_idempotency_key(self, house):
        learner = await house.quiz()
        answer = await house.call("POST", "/v1/exams/quiz/attempts", by=learner)
        assert (answer.status, answer.code) == (400, "idempotency-key-missing")

    async def test_draws_distinct_questions_and_tells_the_time(self, house):
        learner = await house.quiz(timeLimitMinutes=30)
        answer = await house.start(learner)
        attempt = answer.body
        assert answer.status == 201
        assert attempt["state"] == "IN_PROGRESS"
        assert [question["slot"] for question in attempt["questions"]] == [1, 2, 3, 4, 5, 6]
        assert len({question["prompt"] for question in attempt["questions"]}) == 6
        started, ends = map(datetime.fromisoformat, (attempt["startedAt"], attempt["deadlineAt"]))
        assert ends - started == timedelta(minutes=30)
        assert attempt["serverNow"] >= attempt["startedAt"]

    async def test_is_bounded_by_the_close(self, house):
        learner = await house.quiz(dates={"closes": {"at": when(0.1)}}, timeLimitMinutes=30)
        attempt = await house.started(learner)
        exam = (await house.get("/v1/exams/quiz", by=learner)).body
        assert attempt["deadlineAt"] == exam["closesAt"]

    async def test_gives_the_running_attempt_to_a_second_start(self, house):
        learner = await house.quiz()
        first, second = await house.start(learner), await house.start(learner)
        assert (first.status, second.status) == (201, 200)
        assert first.body["id"] == second.body["id"]
        assert first.body["questions"] == second.body["questions"]

    async def test_repeats_its_answer_for_the_same_key(self, house):
        learner = await house.quiz()
        key = str(uuid4())
        first, again = await house.start(learner, key=key), await house.start(learner, key=key)
        assert (again.status, again.body) == (first.status, first.body)
        assert again.headers["Idempotency-Replayed"] == "true"

    async def test_stops_when_the_attempts_are_used_up(self, house):
        learner = await house.quiz(attempts={"maximum": 1})
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        answer = await house.start(learner)
        assert (answer.status, answer.code) == (409, "attempts-used-up")

    async def test_begins_anew_with_a_new_enrolment(self, house):
        learner = await house.quiz(attempts={"maximum": 1})
        await house.sit(learner, right_answer)
        assert (await house.start(learner)).code == "attempts-used-up"
        await house.enrol(learner, cohort="next-year")
        again = await house.start(learner)
        assert (again.status, again.body["number"]) == (201, 2)
        gradebook = (await house.get("/v1/courses/statistics/gradebook", by=learner)).body
        assert gradebook["percent"] is None

    async def test_is_refused_after_the_close(self, house):
        learner = await house.quiz(dates={"closes": {"at": when(-1)}})
        answer = await house.start(learner)
        assert (answer.status, answer.code) == (409, "exam-closed")

    async def test_is_the_same_404_for_strangers_unopened_and_unknown_exams(self, house):
        learner = await house.quiz(dates={"opens": {"at": when(1)}})
        answers = [
            await house.start(new_id()),
            await house.start(learner),
            await house.start(learner, "nothing"),
        ]
        assert [(answer.status, answer.code) for answer in answers] == [(404, "not-found")] * 3

    async def test_is_refused_when_the_pool_has_lost_questions(self, house):
        learner = await house.quiz()
        await house.pool(spec=pool_spec(single("single"), single("other")), generation=2)
        answer = await house.start(learner)
        assert (answer.status, answer.code) == (409, "exam-incomplete")

    async def test_twenty_parallel_starts_make_one_attempt(self, house):
        learner = await house.quiz(attempts={"maximum": 1})
        answers = await asyncio.gather(*(house.start(learner) for _ in range(20)))
        assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
        assert len({answer.body["id"] for answer in answers}) == 1
        assert house.rows("SELECT count(*) FROM assessment.attempt") == [(1,)]

    async def test_parallel_tries_never_exceed_the_maximum(self, house):
        learner = await house.quiz(attempts={"maximum": 3})

        async def start_and_submit():
            started = await house.start(learner)
            if started.status in {200, 201}:
                await house.submit(learner, started.body["id"])

        await asyncio.gather(*(start_and_submit() for _ in range(20)))
        numbers = house.rows("SELECT number FROM assessment.attempt ORDER BY number")
        assert numbers == [(1,), (2,), (3,)]
        assert (await house.start(learner)).code == "attempts-used-up"

    async def test_keeps_its_questions_when_pool_and_exam_change(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        changed = [
            single(key, prompt="Changed") for key in ("single", "multiple", "x", "y", "z", "w")
        ]
        await house.pool(spec=pool_spec(*changed), generation=2)
        await house.exam(spec=exam_spec(count=2, title="Changed"), generation=2)
        again = (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body
        assert again["questions"] == attempt["questions"]
        assert again["title"] == "A quiz"


class TestGetAttempt:
    async def test_is_404_for_anybody_else(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        other = await house.enrol()
        for path in ("", "/result"):
            answer = await house.get(f"/v1/attempts/{attempt['id']}{path}", by=other)
            assert (answer.status, answer.code) == (404, "not-found")
        claims = {"tenant": "elsewhere"}
        answer = await house.get(f"/v1/attempts/{attempt['id']}", by=learner, claims=claims)
        assert answer.status == 404

    async def test_brings_back_what_was_saved(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        for question in attempt["questions"]:
            await house.save(learner, attempt["id"], question["slot"], right_answer(question), 7)
        again = (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body
        for question, before in zip(again["questions"], attempt["questions"], strict=True):
            assert (question["seq"], question["answer"]) == (7, right_answer(before))

    async def test_hides_the_questions_once_it_is_submitted(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        again = (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body
        assert (again["state"], again["questions"]) == ("SUBMITTED", [])

    async def test_ends_an_overdue_attempt_without_any_sweeper(self, house):
        learner = await house.quiz(timeLimitMinutes=30)
        attempt = await house.started(learner)
        house.overrun(attempt["id"], 63)
        again = (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body
        assert (again["state"], again["cause"]) == ("SUBMITTED", "clock")
        assert again["submittedAt"] == again["deadlineAt"]
        assert house.events().count("assessment.attempt.submitted") == 1


@pytest.fixture(params=["remembered", "forgotten"])
def slots(request, monkeypatch):
    """A process that knows what its slots ask, and one that has to look each time."""
    if request.param == "forgotten":
        monkeypatch.setattr(saving, "MOST", 0)


@pytest.mark.usefixtures("slots")
class TestSaveAnswer:
    async def test_accepts_every_type(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        for question in attempt["questions"]:
            answer = await house.save(
                learner, attempt["id"], question["slot"], right_answer(question)
            )
            assert answer.status == 200
            assert answer.body["seq"] == 1

    async def test_is_harmless_when_repeated(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        question = attempt["questions"][0]
        for _ in range(3):
            answer = await house.save(learner, attempt["id"], 1, right_answer(question), 5)
            assert answer.status == 200
        assert house.rows("SELECT count(*) FROM assessment.answer_revision") == [(1,)]

    async def test_refuses_an_older_answer_and_tells_the_newer(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        question = attempt["questions"][0]
        newer = right_answer(question)
        await house.save(learner, attempt["id"], 1, newer, 5)
        for seq in (4, 5):
            answer = await house.save(learner, attempt["id"], 1, wrong_answer(question), seq)
            assert (answer.status, answer.code) == (409, "stale-answer")
            assert (answer.body["seq"], answer.body["answer"]) == (5, newer)

    async def test_can_clear_an_answer(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        await house.save(learner, attempt["id"], 1, right_answer(attempt["questions"][0]), 1)
        await house.save(learner, attempt["id"], 1, None, 2)
        again = (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body
        assert (again["questions"][0]["seq"], again["questions"][0]["answer"]) == (2, None)

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"option": "canary-c"},
            {"option": "zzzzzzzzzzzz"},
            {"option": 5},
            {"options": []},
            {"option": "x", "more": 1},
        ],
    )
    async def test_refuses_what_does_not_fit_the_question(self, house, wrong):
        await house.publish_course()
        await house.pool(spec=pool_spec(single("only")))
        await house.exam(spec=exam_spec(count=1))
        learner = await house.enrol()
        attempt = await house.started(learner)
        answer = await house.save(learner, attempt["id"], 1, wrong)
        assert (answer.status, answer.code) == (422, "invalid-answer")
        assert house.rows("SELECT count(*) FROM assessment.answer") == [(0,)]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"answer": {"value": "1"}}, 422),
            ({"seq": 0, "answer": None}, 422),
            ({"seq": 2**60, "answer": None}, 422),
            ({"seq": 1}, 422),
            ({"seq": 1, "answer": [1]}, 422),
            ({"seq": 1, "answer": None, "slot": 2}, 422),
        ],
    )
    async def test_refuses_malformed_bodies(self, house, body, status):
        learner = await house.quiz()
        attempt = await house.started(learner)
        path = f"/v1/attempts/{attempt['id']}/answers/1"
        assert (await house.call("PUT", path, by=learner, json=body)).status == status

    async def test_is_404_for_foreign_attempts_and_unknown_slots(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        other = await house.enrol()
        assert (await house.save(other, attempt["id"], 1, None)).status == 404
        assert (await house.save(learner, attempt["id"], 99, None)).status == 404

    async def test_is_accepted_within_the_grace_and_not_after(self, house):
        learner = await house.quiz(timeLimitMinutes=30)
        attempt = await house.started(learner)
        house.overrun(attempt["id"], 10)
        assert (await house.save(learner, attempt["id"], 1, None, 1)).status == 200
        house.overrun(attempt["id"], 61)
        answer = await house.save(learner, attempt["id"], 1, None, 2)
        assert (answer.status, answer.code) == (409, "attempt-closed")

    async def test_is_refused_after_submission(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        answer = await house.save(learner, attempt["id"], 1, None)
        assert (answer.status, answer.code) == (409, "attempt-closed")

    async def test_of_twenty_tabs_the_highest_number_wins(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        slot = next(q["slot"] for q in attempt["questions"] if q["type"] == "ShortText")
        answers = await asyncio.gather(
            *(
                house.save(learner, attempt["id"], slot, {"text": f"tab {seq}"}, seq)
                for seq in range(1, 21)
            )
        )
        assert {answer.status for answer in answers} <= {200, 409}
        assert answers[-1].status == 200
        again = (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body
        stored = again["questions"][slot - 1]
        assert (stored["seq"], stored["answer"]) == (20, {"text": "tab 20"})
        accepted = sum(answer.status == 200 for answer in answers)
        assert house.rows("SELECT count(*) FROM assessment.answer_revision") == [(accepted,)]


class TestSubmitAttempt:
    async def test_fifty_parallel_submissions_are_one(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        answers = await asyncio.gather(*(house.submit(learner, attempt["id"]) for _ in range(50)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.body["submittedAt"] for answer in answers}) == 1
        assert house.events().count("assessment.attempt.submitted") == 1

    async def test_tells_of_it_in_the_same_transaction(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        await house.submit(learner, attempt["id"])
        (payload,) = house.events("assessment.attempt.submitted")
        assert payload["attempt_id"] == attempt["id"]
        assert payload["learner_id"] == str(learner)
        assert payload["cause"] == "learner"

    async def test_is_404_for_anybody_else(self, house):
        learner = await house.quiz()
        attempt = await house.started(learner)
        assert (await house.submit(await house.enrol(), attempt["id"])).status == 404
        assert (await house.submit(learner, str(uuid4()))).status == 404

    async def test_counts_as_ended_by_the_clock_after_the_grace(self, house):
        learner = await house.quiz(timeLimitMinutes=30)
        attempt = await house.started(learner)
        house.overrun(attempt["id"], 61)
        answer = await house.submit(learner, attempt["id"])
        assert (answer.status, answer.body["cause"]) == (200, "clock")

    async def test_a_save_is_either_graded_or_refused(self, house):
        learner = await house.quiz(attempts={"maximum": 100})
        for _ in range(10):
            attempt = await house.started(learner)
            slot = next(q["slot"] for q in attempt["questions"] if q["type"] == "ShortText")
            saves = [
                house.save(learner, attempt["id"], slot, {"text": f"{seq}"}, seq)
                for seq in range(1, 6)
            ]
            *saved, submitted = await asyncio.gather(*saves, house.submit(learner, attempt["id"]))
            accepted = [seq for seq, answer in enumerate(saved, 1) if answer.status == 200]
            stored = house.rows(
                "SELECT seq FROM assessment.answer WHERE attempt_id = %s", attempt["id"]
            )
            assert submitted.status == 200
            assert stored == ([(max(accepted),)] if accepted else [])
            for answer in saved:
                assert answer.status == 200 or answer.code in {"attempt-closed", "stale-answer"}


class TestExpiry:
    async def test_ends_what_is_overdue_and_nothing_else(self, house):
        learner = await house.quiz(timeLimitMinutes=30)
        late, in_grace, running = [
            await house.started(one) for one in (learner, await house.enrol(), await house.enrol())
        ]
        house.overrun(late["id"], 63)
        house.overrun(in_grace["id"], 10)
        await house.sweep()
        ended = house.rows("SELECT id::text FROM assessment.attempt WHERE state <> 'IN_PROGRESS'")
        assert ended == [(late["id"],)]
        assert {in_grace["state"], running["state"]} == {"IN_PROGRESS"}
        assert house.events("assessment.attempt.submitted")[0]["cause"] == "clock"

    async def test_and_submission_at_once_end_it_once(self, house):
        learner = await house.quiz(timeLimitMinutes=30)
        attempt = await house.started(learner)
        house.overrun(attempt["id"], 63)
        await asyncio.gather(
            *(house.sweep() for _ in range(4)),
            *(house.submit(learner, attempt["id"]) for _ in range(4)),
            *(house.get(f"/v1/attempts/{attempt['id']}", by=learner) for _ in range(4)),
        )
        assert house.events().count("assessment.attempt.submitted") == 1

    async def test_of_the_last_attempt_makes_room_for_the_next(self, house):
        learner = await house.quiz(timeLimitMinutes=30)
        first = await house.started(learner)
        house.overrun(first["id"], 63)
        second = await house.start(learner)
        assert (second.status, second.body["number"]) == (201, 2)


class TestPolicyChange:
    async def test_lengthens_running_attempts_and_never_shortens_them(self, house):
        learner = await house.quiz(timeLimitMinutes=30)
        attempt = await house.started(learner)

        async def deadline_after(generation, minutes):
            await house.exam(spec=exam_spec(timeLimitMinutes=minutes), generation=generation)
            await house.sweep()
            return (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body["deadlineAt"]

        before = datetime.fromisoformat(attempt["deadlineAt"])
        longer = datetime.fromisoformat(await deadline_after(2, 60))
        assert longer - before == timedelta(minutes=30)
        assert datetime.fromisoformat(await deadline_after(3, 10)) == longer

    async def test_makes_no_new_version(self, house):
        await house.quiz()
        again = await house.exam(spec=exam_spec(timeLimitMinutes=5), generation=2)
        assert (again.changed, again.version) == (True, 1)

    async def test_of_a_cohorts_dates_reaches_running_attempts(self, house):
        await house.quiz()

        def dates(hours):
            return [{"course": "statistics", "exam": "quiz", "closes_at": when(hours)}]

        await house.declare_cohort("evening", dates(1))
        learner = await house.enrol(cohort="evening")
        attempt = await house.started(learner)
        await house.declare_cohort("evening", dates(3))
        await house.sweep()
        again = (await house.get(f"/v1/attempts/{attempt['id']}", by=learner)).body
        gained = datetime.fromisoformat(again["deadlineAt"]) - datetime.fromisoformat(
            attempt["deadlineAt"]
        )
        assert gained > timedelta(hours=1, minutes=59)
