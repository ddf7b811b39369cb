"""Handing in over HTTP, with a real store and a real database."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from kourse.contracts import names
from kourse.course.service import collecting, expiring
from kourse.kit import faults
from support.handing_in import WORK, hand_in_course
from support.houses import LEARNER, OTHER_LEARNER, new_key

TEACHER = UUID(int=77)
HOUR = timedelta(hours=1)


def teach(house, method, path, body=None, **how):
    return house.call(method, f"{WORK}/{path}", body, who=TEACHER, roles=["teacher"], **how)


async def extend(house, assignment="report", **order):
    body = {"reason": "Ill, with a note.", **order}
    return await teach(house, "POST", f"{assignment}/extensions", body, key=new_key())


class TestAnnounce:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"name": "report.exe"}, "endings are: pdf, csv"),
            ({"size": 2 * 1024 * 1024}, "at most 1 MiB"),
        ],
    )
    async def test_refuses_what_the_assignment_does_not_take(self, desk, change, words):
        answer = await desk.announce(b"x", **change)
        assert (answer.status, answer.code) == (422, "file-refused")
        assert words in answer.body["detail"]

    async def test_refuses_more_files_than_the_assignment_takes(self, desk):
        for name in ("a.pdf", "b.pdf"):
            assert (await desk.announce(b"x", name=name)).status == 201
        assert (await desk.announce(b"x", name="c.pdf")).code == "file-refused"

    async def test_gives_a_link_for_that_content_alone(self, desk):
        offer = (await desk.announce(b"right")).body
        assert await desk.send(offer, b"wrong") >= 400
        assert await desk.send(offer, b"right") == 200

    async def test_is_for_those_enrolled(self, desk):
        answer = await desk.announce(b"x", who=UUID(int=99))
        assert (answer.status, answer.code) == (403, "not-enrolled")


class TestConfirm:
    async def test_wants_the_file_first(self, desk):
        offer = (await desk.announce(b"x")).body
        answer = await desk.confirm(offer["id"])
        assert (answer.status, answer.code) == (409, "file-missing")

    async def test_computes_the_digest_of_what_was_stored(self, desk, house, bucket):
        """A store that compares no checksums would have taken it."""
        offer = (await desk.announce(b"right")).body
        await house.runtime.store.put(bucket, names.draft_key(UUID(offer["id"])), b"wrong")
        assert (await desk.confirm(offer["id"])).code == "file-missing"
        assert await house.runtime.store.list(bucket, "submissions") == []

    async def test_changes_nothing_when_it_is_repeated(self, desk):
        file = await desk.bring(b"x")
        again = await desk.confirm(file["id"])
        assert (again.status, again.body) == (200, file)

    async def test_knows_no_file_of_another(self, desk):
        file = await desk.bring(b"x")
        assert (await desk.confirm(file["id"], who=OTHER_LEARNER)).status == 404
        assert (await desk.hand_in([file["id"]], who=OTHER_LEARNER)).status == 404
        assert (await desk.withdraw(file["id"], who=OTHER_LEARNER)).status == 404

    async def test_cut_short_after_the_store_is_done_again(self, desk, house, rows):
        offer = (await desk.announce(b"x")).body
        await desk.send(offer, b"x")

        async def cut():
            raise RuntimeError

        faults.arm("hand-in.taken-over", cut)
        try:
            assert (await desk.confirm(offer["id"])).status == 500
        finally:
            faults.disarm()
        assert rows("SELECT count(*) FROM course.draft_file WHERE stored_at IS NOT NULL") == [(0,)]
        assert (await desk.hand_in([offer["id"]])).code == "file-missing"
        assert (await desk.confirm(offer["id"])).status == 200
        assert (await desk.hand_in([offer["id"]])).status == 201


class TestHandIn:
    async def test_needs_an_idempotency_key(self, desk, house):
        answer = await house.post(f"{WORK}/report/hand-ins", {"files": []})
        assert (answer.status, answer.code) == (400, "idempotency-key-missing")

    async def test_gives_a_receipt_that_fixes_what_was_sent(self, desk, rows):
        file = await desk.bring(b"my report")
        receipt = (await desk.hand_in([file["id"]])).body
        (kept,) = receipt["files"]
        assert kept["sha256"] == hashlib.sha256(b"my report").hexdigest()
        assert kept["versionId"]
        assert (receipt["number"], receipt["late"], receipt["members"]) == (
            1,
            False,
            [str(LEARNER)],
        )
        assert kept["sha256"] in receipt["document"]
        assert await desk.download(kept["url"]) == b"my report"
        ((payload,),) = rows(
            "SELECT payload FROM course.outbox WHERE type = 'course.assignment.submitted'"
        )
        assert payload["submission_id"] == receipt["submissionId"]
        assert (payload["number"], payload["late_by_s"]) == (1, 0)

    async def test_keeps_the_version_whatever_is_stored_afterwards(self, desk, house, bucket):
        file = await desk.bring(b"first")
        receipt = (await desk.hand_in([file["id"]])).body
        (stored,) = await house.runtime.store.list(bucket, "submissions")
        await house.runtime.store.put(bucket, stored.key, b"overwritten")
        path = f"/v1/submissions/{receipt['submissionId']}/receipts/1"
        again = (await house.get(path)).body
        assert await desk.download(again["files"][0]["url"]) == b"first"
        assert again["files"][0]["versionId"] == receipt["files"][0]["versionId"]

    async def test_keeps_receipts_that_not_even_the_service_can_change(self, desk, scratch):
        file = await desk.bring(b"x")
        await desk.hand_in([file["id"]])
        with (
            psycopg.connect(scratch.url("kourse_course").replace("+psycopg", "")) as own,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            own.execute("UPDATE course.hand_in SET late = false")

    async def test_gives_the_first_answer_again_for_the_same_key(self, desk, rows):
        file = await desk.bring(b"x")
        key = new_key()
        first = await desk.hand_in([file["id"]], key=key)
        again = await desk.hand_in([file["id"]], key=key)
        assert (again.status, again.body) == (201, first.body)
        assert rows("SELECT count(*) FROM course.hand_in") == [(1,)]

    async def test_numbers_hand_ins_and_ends_at_the_last(self, desk):
        file = await desk.bring(b"x")
        numbers = [(await desk.hand_in([file["id"]])).body["number"] for _ in range(3)]
        assert numbers == [1, 2, 3]
        assert (await desk.hand_in([file["id"]])).code == "hand-ins-used-up"
        assert (await desk.announce(b"y", name="y.pdf")).code == "hand-ins-used-up"

    async def test_numbers_those_at_once_one_by_one(self, desk, rows):
        file = await desk.bring(b"x")
        answers = await asyncio.gather(*(desk.hand_in([file["id"]]) for _ in range(6)))
        assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 3
        assert rows("SELECT number FROM course.hand_in ORDER BY number") == [(1,), (2,), (3,)]

    async def test_wants_a_file_for_an_upload_and_no_words(self, desk):
        assert (await desk.hand_in([])).code == "hand-in-refused"
        file = await desk.bring(b"x")
        assert (await desk.hand_in([file["id"]], statement="Look!")).code == "hand-in-refused"

    async def test_takes_words_and_a_link_for_a_project(self, desk):
        empty = await desk.hand_in([], assignment="study")
        assert empty.code == "hand-in-refused"
        made = await desk.hand_in(
            [], assignment="study", statement="See there.", link="https://example.org/study"
        )
        assert (made.status, made.body["link"]) == (201, "https://example.org/study")

    async def test_keeps_what_was_handed_in_from_being_withdrawn(self, desk):
        file, spare = await desk.bring(b"x"), await desk.bring(b"y", name="y.pdf")
        await desk.hand_in([file["id"]])
        assert (await desk.withdraw(file["id"])).status == 409
        assert (await desk.withdraw(spare["id"])).status == 204


class TestDates:
    async def test_marks_what_comes_after_the_due_time(self, desk, rows):
        desk.dates(rows, due=-2 * HOUR, closes=HOUR)
        file = await desk.bring(b"x")
        receipt = (await desk.hand_in([file["id"]])).body
        assert receipt["late"] is True
        assert 7200 <= receipt["lateBySeconds"] < 7200 + 600

    async def test_takes_nothing_after_the_close(self, desk, rows):
        file = await desk.bring(b"x")
        desk.dates(rows, due=-2 * HOUR, closes=-HOUR)
        assert (await desk.hand_in([file["id"]])).code == "assignment-closed"
        assert (await desk.announce(b"y", name="y.pdf")).code == "assignment-closed"

    async def test_is_not_known_before_it_opens(self, desk, rows):
        desk.dates(rows, opens=HOUR)
        assert (await desk.announce(b"x")).status == 404
        assert (await desk.read()).status == 404

    async def test_takes_nothing_in_an_archived_course(self, desk, publish):
        file = await desk.bring(b"x")
        await publish(spec=hand_in_course(lifecycle="Archived"))
        assert (await desk.hand_in([file["id"]])).code == "course-read-only"


class TestExtensions:
    async def test_reopen_what_was_closed_and_show_what_they_enforce(self, desk, house, rows):
        file = await desk.bring(b"x")
        desk.dates(rows, due=-2 * HOUR, closes=-HOUR)
        later = datetime.now(UTC) + HOUR
        given = await extend(house, learner=str(LEARNER), dueAt=later.isoformat())
        assert given.status == 201, given.body
        shown = (await desk.read()).body["assignment"]
        assert datetime.fromisoformat(shown["dueAt"]) == later
        assert shown["sources"]["dueAt"] == "personal"
        made = await desk.hand_in([file["id"]])
        assert (made.status, made.body["late"]) == (201, False)
        assert (await desk.hand_in([], who=OTHER_LEARNER)).code == "assignment-closed"

    async def test_are_told_and_kept_in_the_audit_trail(self, desk, house, rows):
        later = (datetime.now(UTC) + 60 * 24 * HOUR).isoformat()
        await extend(house, learner=str(LEARNER), dueAt=later)
        ((payload,),) = rows(
            "SELECT payload FROM course.outbox WHERE type = 'course.assignment.extended'"
        )
        assert (payload["learner_id"], payload["actor_id"]) == (str(LEARNER), str(TEACHER))
        ((action, detail),) = rows(
            "SELECT action, detail FROM course.audit_entry ORDER BY id DESC LIMIT 1"
        )
        assert (action, detail["reason"]) == ("assignment.extend", "Ill, with a note.")
        listed = await teach(house, "GET", "report/extensions")
        assert [one["learnerId"] for one in listed.body["items"]] == [str(LEARNER)]

    async def test_never_take_time_away(self, desk, house):
        sooner = (datetime.now(UTC) + HOUR).isoformat()
        answer = await extend(house, learner=str(LEARNER), dueAt=sooner)
        assert (answer.status, answer.code) == (422, "extension-shortens")

    async def test_are_given_by_teachers_of_the_cohort_alone(self, desk, house):
        later = (datetime.now(UTC) + 60 * 24 * HOUR).isoformat()
        body = {"learner": str(LEARNER), "dueAt": later, "reason": "Because."}
        theirs = {"who": TEACHER, "roles": [], "scopes": ["teacher@cohort:evening"]}
        answer = await house.post(f"{WORK}/report/extensions", body, key=new_key(), **theirs)
        assert answer.status == 404
        refused = await house.post(f"{WORK}/report/extensions", body, key=new_key())
        assert refused.status == 403


class TestGroups:
    async def put(self, house, *members, name="blue", assignment="study"):
        body = {"members": [str(one) for one in members]}
        return await teach(house, "PUT", f"{assignment}/groups/{name}", body, key=new_key())

    async def test_hand_in_as_one_and_each_member_sees_it(self, desk, house, rows):
        assert (await self.put(house, LEARNER, OTHER_LEARNER)).status == 200
        made = await desk.hand_in([], assignment="study", statement="Ours.")
        assert sorted(made.body["members"]) == sorted(map(str, (LEARNER, OTHER_LEARNER)))
        seen = await desk.read("study", who=OTHER_LEARNER)
        assert [one["statement"] for one in seen.body["receipts"]] == ["Ours."]
        path = f"/v1/submissions/{made.body['submissionId']}/receipts/1"
        assert (await house.get(path, who=OTHER_LEARNER)).status == 200
        assert (await house.get(path, who=UUID(int=9))).status == 404
        ((payload,),) = rows(
            "SELECT payload FROM course.outbox WHERE type = 'course.assignment.submitted'"
        )
        assert len(payload["members"]) == len(payload["enrolments"]) == 2

    async def test_number_hand_ins_of_two_members_at_once(self, desk, house):
        await self.put(house, LEARNER, OTHER_LEARNER)
        answers = await asyncio.gather(
            *(
                desk.hand_in([], assignment="study", statement="Mine.", who=who)
                for who in (LEARNER, OTHER_LEARNER)
            )
        )
        assert sorted(one.body["number"] for one in answers) == [1, 2]

    async def test_stay_as_they_are_once_they_handed_in(self, desk, house):
        await self.put(house, LEARNER, OTHER_LEARNER)
        await desk.hand_in([], assignment="study", statement="Ours.")
        assert (await self.put(house, LEARNER)).code == "group-fixed"
        dissolved = await teach(house, "DELETE", "study/groups/blue")
        assert dissolved.code == "group-fixed"

    async def test_take_nobody_twice_and_not_too_many(self, desk, house):
        await self.put(house, LEARNER)
        assert (await self.put(house, LEARNER, name="red")).code == "group-fixed"
        assert (await self.put(house, LEARNER, assignment="report")).status == 200
        many = await self.put(house, LEARNER, OTHER_LEARNER, assignment="report")
        assert many.code == "hand-in-refused"
        assert (await self.put(house, uuid4(), name="none")).status == 404

    async def test_are_as_late_as_their_latest_extension(self, desk, house, rows):
        await self.put(house, LEARNER, OTHER_LEARNER)
        desk.dates(rows, "study", due=-2 * HOUR, closes=-HOUR)
        later = (datetime.now(UTC) + HOUR).isoformat()
        await extend(house, "study", learner=str(OTHER_LEARNER), dueAt=later)
        made = await desk.hand_in([], assignment="study", statement="Ours.")
        assert (made.status, made.body["late"]) == (201, False)

    async def test_can_be_dissolved_before(self, desk, house):
        await self.put(house, LEARNER, OTHER_LEARNER)
        assert (await teach(house, "DELETE", "study/groups/blue")).status == 204
        assert (await teach(house, "GET", "study/groups")).body["items"] == []


class TestGraders:
    async def test_see_what_was_handed_in_and_nothing_that_waits(self, desk, house):
        file = await desk.bring(b"x")
        assert (await teach(house, "GET", "report/submissions")).body["items"] == []
        made = (await desk.hand_in([file["id"]])).body
        (item,) = (await teach(house, "GET", "report/submissions")).body["items"]
        assert (item["id"], item["handIns"]) == (made["submissionId"], 1)
        detail = await teach(house, "GET", f"report/submissions/{item['id']}")
        assert await desk.download(detail.body["receipts"][0]["files"][0]["url"]) == b"x"

    async def test_of_another_cohort_see_nothing(self, desk, house):
        file = await desk.bring(b"x")
        made = (await desk.hand_in([file["id"]])).body
        theirs = {"who": TEACHER, "roles": [], "scopes": ["grader@cohort:evening"]}
        listed = await house.get(f"{WORK}/report/submissions", **theirs)
        assert listed.body["items"] == []
        path = f"{WORK}/report/submissions/{made['submissionId']}"
        assert (await house.get(path, **theirs)).status == 404


class TestExpiry:
    def expired(self, rows):
        return rows(
            "SELECT payload ->> 'learner_id' FROM course.outbox"
            " WHERE type = 'course.assignment.expired' ORDER BY id"
        )

    async def test_is_told_once_of_those_who_handed_in_nothing(self, desk, house, rows):
        await desk.hand_in([(await desk.bring(b"x"))["id"]])
        desk.dates(rows, due=-2 * HOUR, closes=-timedelta(seconds=1), joined=-3 * HOUR)
        for _ in range(3):
            await expiring.sweep(house.runtime)
        assert self.expired(rows) == [(str(OTHER_LEARNER),)]

    async def test_is_told_once_by_sweepers_at_once(self, desk, house, rows):
        desk.dates(rows, due=-2 * HOUR, closes=-timedelta(seconds=1), joined=-3 * HOUR)
        await asyncio.gather(*(expiring.sweep(house.runtime) for _ in range(4)))
        await expiring.sweep(house.runtime)
        assert len(self.expired(rows)) == 2

    async def test_follows_an_extension(self, desk, house, rows):
        desk.dates(rows, due=-2 * HOUR, closes=-timedelta(seconds=1), joined=-3 * HOUR)
        await expiring.sweep(house.runtime)
        later = (datetime.now(UTC) + HOUR).isoformat()
        await extend(house, learner=str(LEARNER), dueAt=later)
        await expiring.sweep(house.runtime)
        assert rows("SELECT count(*) FROM course.expiry") == [(1,)]
        assert (await desk.hand_in([(await desk.bring(b"x"))["id"]])).status == 201

    async def test_spares_who_enrolled_afterwards(self, desk, house, rows):
        desk.dates(rows, due=-2 * HOUR, closes=-HOUR)
        await expiring.sweep(house.runtime)
        assert self.expired(rows) == []


class TestCollecting:
    async def test_takes_what_nothing_refers_to_and_nothing_else(self, desk, house, bucket, rows):
        handed_in = await desk.bring(b"handed in")
        await desk.hand_in([handed_in["id"]])
        waiting = await desk.bring(b"waits", name="waits.pdf")
        gone = await desk.bring(b"gone", name="gone.pdf")
        await desk.withdraw(gone["id"])
        unsent = (await desk.announce(b"unsent", name="unsent.pdf")).body
        await desk.send(unsent, b"unsent")
        assert await collecting.collect(house.runtime, "demo", "statistics", HOUR) == 0
        assert await collecting.collect(house.runtime, "demo", "statistics", -HOUR) == 2
        kept = rows("SELECT key FROM course.draft_file ORDER BY key")
        left = {info.key for info in await house.runtime.store.list(bucket)}
        assert left == {key for (key,) in kept}
        assert {waiting["id"], handed_in["id"]} == {
            str(id_) for (id_,) in rows("SELECT id FROM course.draft_file")
        }

    async def test_keeps_lessons_files_of_every_version(self, desk, house, bucket, publish, rows):
        from kourse.contracts.resources import CourseSpec
        from support.courses import CSV_SHA256, with_assets

        await publish(spec=CourseSpec.model_validate(with_assets()))
        await publish(spec=hand_in_course())
        await house.runtime.store.put(bucket, names.content_key(CSV_SHA256), b"csv")
        await house.runtime.store.put(bucket, names.content_key("f" * 64), b"stray")
        assert await collecting.collect(house.runtime, "demo", "statistics", -HOUR) == 1
        (left,) = await house.runtime.store.list(bucket, "content")
        assert left.key == names.content_key(CSV_SHA256)
