"""Joining by code, and what members and teachers see, over HTTP."""

import asyncio
from uuid import UUID

import grpc.aio
import pytest

from kourse.contracts.events import InvitationAccepted
from kourse.profile import consumers
from kourse_rpc.profile.v1 import profile_pb2, profile_pb2_grpc
from support.courses import cohort_document
from support.houses import LEARNER, OTHER_LEARNER, new_key
from support.waiting import until

TEACHER = {"who": UUID(int=100), "roles": ["teacher"]}
JOIN = "/v1/cohorts/join"
LEAVE = "/v1/cohorts/lisbon/leave"
TENANT = "demo"


async def code_of(house, cohort="lisbon"):
    return (await house.get(f"/v1/cohorts/{cohort}/code", **TEACHER)).body["code"]


async def join(house, code, who=LEARNER):
    return await house.post(JOIN, {"code": code}, who=who)


class TestCode:
    async def test_is_for_those_who_teach_the_cohort(self, house, declare):
        await declare()
        await declare("porto")
        assert (await house.get("/v1/cohorts/lisbon/code")).code == "forbidden"
        scoped = {"scopes": ["teacher@cohort:lisbon"]}
        assert (await house.get("/v1/cohorts/lisbon/code", **scoped)).status == 200
        assert (await house.get("/v1/cohorts/porto/code", **scoped)).code == "not-found"

    async def test_stays_until_it_is_renewed(self, house, declare, rows):
        await declare()
        first = await code_of(house)
        assert await code_of(house) == first
        renewed = await house.post("/v1/cohorts/lisbon/code", **TEACHER)
        assert renewed.body["code"] != first
        assert (await join(house, first)).code == "code-unknown"
        assert (await join(house, renewed.body["code"])).status == 200
        assert rows("SELECT action FROM profile.audit_entry ORDER BY id") == [
            ("cohort.code.made",),
            ("cohort.code.rotated",),
        ]

    async def test_is_the_same_for_two_teachers_who_ask_at_once(self, house, declare):
        await declare()
        codes = await asyncio.gather(*(code_of(house) for _ in range(5)))
        assert len(set(codes)) == 1

    async def test_opens_nothing_once_it_has_expired(self, house, declare, rows):
        await declare()
        code = await code_of(house)
        rows("UPDATE profile.join_code SET expires_at = now() - interval '1 s' RETURNING 1")
        assert (await join(house, code)).code == "code-unknown"
        assert await code_of(house) != code

    async def test_is_none_where_nobody_joins_by_code(self, house, declare):
        await declare(join={"policy": "Closed"})
        answer = await house.get("/v1/cohorts/lisbon/code", **TEACHER)
        assert (answer.status, answer.code) == (409, "cohort-closed")


class TestJoin:
    async def test_makes_a_member_and_says_so(self, house, declare, rows):
        await declare()
        answer = await join(house, (await code_of(house)).lower().replace("-", " "))
        assert (answer.status, answer.body["cohort"]) == (200, "lisbon")
        assert answer.body["courses"] == ["statistics"]
        ((payload,),) = rows(
            "SELECT payload FROM profile.outbox WHERE type = 'profile.group.joined'"
        )
        assert (payload["learner_id"], payload["courses"]) == (str(LEARNER), ["statistics"])

    async def test_changes_nothing_for_a_member(self, house, declare, rows):
        await declare(seats=1)
        code = await code_of(house)
        assert (await join(house, code)).status == (await join(house, code)).status == 200
        assert rows("SELECT taken FROM profile.seat_count") == [(1,)]
        assert rows("SELECT count(*) FROM profile.outbox WHERE type = 'profile.group.joined'") == [
            (1,)
        ]

    async def test_gives_no_seat_twice(self, house, declare, rows):
        await declare(seats=3)
        code = await code_of(house)
        people = [UUID(int=200 + number) for number in range(12)]
        answers = await asyncio.gather(*(join(house, code, who) for who in people * 2))
        assert {answer.status for answer in answers} == {200, 409}
        assert {answer.code for answer in answers if answer.status == 409} == {"cohort-full"}
        assert rows("SELECT count(*) FROM profile.membership") == [(3,)]
        assert rows("SELECT taken FROM profile.seat_count") == [(3,)]

    async def test_answers_every_wrong_code_alike(self, house, declare):
        await declare()
        for code in ("AAAAA-AAAAA", "no code at all", "🙂"):
            answer = await join(house, code, OTHER_LEARNER)
            assert (answer.status, answer.code) == (404, "code-unknown")

    async def test_ends_guessing_even_when_guesses_come_at_once(self, house, declare):
        await declare()
        code = await code_of(house)
        answers = await asyncio.gather(*(join(house, f"WRONG{number}") for number in range(8)))
        assert sorted(answer.status for answer in answers) == [404] * 3 + [429] * 5
        late = await join(house, code)
        assert (late.status, late.code) == (429, "quota-exceeded")
        assert int(late.headers["retry-after"]) > 0
        assert (await join(house, code, OTHER_LEARNER)).status == 200

    async def test_works_while_the_cache_is_down(self, house, declare, cache):
        await declare()
        code = await code_of(house)
        cache.stop()
        assert (await join(house, "WRONG")).code == "code-unknown"
        assert (await join(house, code)).status == 200

    async def test_counts_only_wrong_codes(self, house, declare):
        await declare()
        code = await code_of(house)
        for _ in range(5):
            assert (await join(house, code)).status == 200

    async def test_counts_no_right_code_that_opens_nothing_now(self, house, declare):
        await declare(seats=1)
        code = await code_of(house)
        assert (await join(house, code, OTHER_LEARNER)).status == 200
        for _ in range(5):
            assert (await join(house, code)).code == "cohort-full"

    async def test_is_refused_when_the_run_is_over(self, house, declare):
        await declare(run={"starts": "2020-01-01", "ends": "2020-06-30"}, schedule=[])
        assert (await join(house, await code_of(house))).code == "run-over"

    async def test_is_refused_after_the_cohort_was_deleted(self, house, declare, rows):
        await declare()
        code = await code_of(house)
        rows("UPDATE profile.cohort SET retired_at = now() RETURNING 1")
        assert (await join(house, code)).code == "code-unknown"

    async def test_works_in_one_tenant_only(self, house, declare):
        await declare()
        code = await code_of(house)
        answer = await house.post(JOIN, {"code": code}, tenant="other")
        assert answer.code == "code-unknown"


class TestLeave:
    async def test_ends_the_membership_frees_the_seat_and_says_so(self, house, declare, rows):
        await declare(seats=1)
        code = await code_of(house)
        await join(house, code)
        assert (await house.post(LEAVE)).status == 204
        assert (await house.get("/v1/cohorts/lisbon")).code == "not-found"
        ((payload,),) = rows("SELECT payload FROM profile.outbox WHERE type = 'profile.group.left'")
        assert payload["learner_id"] == payload["actor_id"] == str(LEARNER)
        assert payload["courses"] == ["statistics"]
        assert (await join(house, code, OTHER_LEARNER)).status == 200

    async def test_is_announced_once_however_often_and_fast_it_is_asked_for(
        self, house, declare, rows
    ):
        await declare(seats=2)
        code = await code_of(house)
        await join(house, code)
        await join(house, code, OTHER_LEARNER)
        answers = await asyncio.gather(*(house.post(LEAVE) for _ in range(6)))
        assert sorted(answer.status for answer in answers) == [204] + [404] * 5
        assert rows("SELECT taken FROM profile.seat_count") == [(1,)]
        assert rows("SELECT count(*) FROM profile.outbox WHERE type = 'profile.group.left'") == [
            (1,)
        ]

    async def test_answers_a_repeat_with_its_key_as_the_first_time(self, house, declare):
        await declare()
        await join(house, await code_of(house))
        key = new_key()
        first = await house.post(LEAVE, key=key)
        again = await house.post(LEAVE, key=key)
        assert (first.status, again.status) == (204, 204)

    async def test_lets_one_come_back(self, house, declare, rows):
        await declare(seats=1)
        code = await code_of(house)
        for _ in range(2):
            assert (await join(house, code)).status == 200
            assert (await house.post(LEAVE)).status == 204
        assert (
            rows(
                "SELECT type FROM profile.outbox WHERE type <> 'profile.cohort.declared' ORDER BY id"
            )
            == [
                ("profile.group.joined",),
                ("profile.group.left",),
            ]
            * 2
        )

    async def test_knows_no_cohort_of_which_one_is_no_member(self, house, declare):
        await declare()
        there, nowhere = [
            await house.post(f"/v1/cohorts/{name}/leave") for name in ("lisbon", "nowhere")
        ]
        assert (there.status, nowhere.status) == (404, 404)


class TestRemoveMember:
    async def test_is_for_those_who_manage_the_cohort_and_audited(self, house, declare, rows):
        await declare()
        await declare("porto")
        await join(house, await code_of(house))
        path = f"/v1/cohorts/{{}}/members/{LEARNER}"
        assert (await house.delete(path.format("lisbon"), who=OTHER_LEARNER)).code == "forbidden"
        elsewhere = {"who": OTHER_LEARNER, "scopes": ["teacher@cohort:porto"]}
        assert (await house.delete(path.format("lisbon"), **elsewhere)).code == "not-found"
        assert (await house.delete(path.format("porto"), **TEACHER)).code == "not-found"
        scoped = {"who": TEACHER["who"], "scopes": ["teacher@cohort:lisbon"]}
        assert (await house.delete(path.format("lisbon"), **scoped)).status == 204
        ((payload,),) = rows("SELECT payload FROM profile.outbox WHERE type = 'profile.group.left'")
        assert (payload["learner_id"], payload["actor_id"]) == (str(LEARNER), str(TEACHER["who"]))
        assert rows(
            "SELECT target, detail ->> 'member' FROM profile.audit_entry"
            " WHERE action = 'cohort.member.removed'"
        ) == [("lisbon", str(LEARNER))]


class TestJoinInvited:
    async def test_makes_a_learner_of_a_cohort_its_member_once(self, database, declare, rows):
        await declare()

        for _ in range(2):
            await come_in(database, "learner", "lisbon")

        assert rows("SELECT taken FROM profile.seat_count") == [(1,)]
        assert rows("SELECT count(*) FROM profile.outbox WHERE type = 'profile.group.joined'") == [
            (1,)
        ]

    @pytest.mark.parametrize(
        ("role", "cohort"), [("teacher", "lisbon"), ("learner", None), ("learner", "nowhere")]
    )
    async def test_lets_nobody_else_in(self, database, declare, rows, role, cohort):
        await declare()

        await come_in(database, role, cohort)

        assert rows("SELECT count(*) FROM profile.outbox WHERE type = 'profile.group.joined'") == [
            (0,)
        ]

    async def test_gives_no_seat_that_is_taken(self, database, declare, rows):
        await declare(seats=1)

        for number in range(2):
            await come_in(database, "learner", "lisbon", UUID(int=100 + number))

        assert rows("SELECT taken FROM profile.seat_count") == [(1,)]


async def come_in(database, role, cohort, user_id=LEARNER):
    """Tells of an invitation that was accepted, as identity does."""
    event = InvitationAccepted(invitation_id=UUID(int=5), user_id=user_id, role=role, cohort=cohort)
    async with database.transaction(TENANT) as tx:
        await consumers.on_invitation_accepted(tx, event, None)


class TestListCohorts:
    async def test_shows_learners_their_own_and_teachers_all_that_they_teach(self, house, declare):
        for name in ("auckland", "lisbon", "porto"):
            await declare(name)
        await join(house, await code_of(house, "lisbon"))

        async def names(**how):
            items = (await house.get("/v1/cohorts", **how)).body["items"]
            return [(item["name"], item["role"], item["members"]) for item in items]

        assert await names() == [("lisbon", "learner", None)]
        assert await names(scopes=["teacher@cohort:porto"]) == [
            ("lisbon", "learner", None),
            ("porto", "teacher", 0),
        ]
        assert await names(**TEACHER) == [
            ("auckland", "teacher", 0),
            ("lisbon", "teacher", 1),
            ("porto", "teacher", 0),
        ]
        assert await names(who=OTHER_LEARNER) == []

    async def test_goes_by_pages(self, house, declare):
        for name in ("a", "b", "c"):
            await declare(name)
        first = await house.get("/v1/cohorts?limit=2", **TEACHER)
        rest = await house.get(f"/v1/cohorts?limit=2&after={first.body['next']}", **TEACHER)
        assert [item["name"] for item in rest.body["items"]] == ["c"]


class TestReadCohort:
    async def test_tells_members_when_it_meets(self, house, declare):
        meeting = {"key": "one", "title": "Once", "starts": "2099-01-05T18:30", "minutes": 30}
        run = {"starts": "2026-11-02", "ends": "2099-12-31", "timeZone": "Europe/Lisbon"}
        await declare(run=run, schedule=[meeting])
        await join(house, await code_of(house))
        answer = await house.get("/v1/cohorts/lisbon")
        assert answer.body["nextMeeting"] == {
            "title": "Once",
            "startsAt": "2099-01-05T18:30:00Z",
            "endsAt": "2099-01-05T19:00:00Z",
        }
        assert answer.body["schedule"][0]["starts"] == "2099-01-05T18:30"

    async def test_is_not_there_for_others(self, house, declare):
        await declare()
        assert (await house.get("/v1/cohorts/lisbon")).code == "not-found"
        assert (await house.get("/v1/cohorts/none")).code == "not-found"


class TestListMembers:
    async def test_shows_names_in_order_of_joining_and_is_audited(
        self, house, declare, register, rows
    ):
        await declare()
        await register()
        code = await code_of(house)
        await join(house, code)
        await join(house, code, OTHER_LEARNER)
        first = await house.get("/v1/cohorts/lisbon/members?limit=1", **TEACHER)
        (member,) = first.body["items"]
        assert (member["learnerId"], member["displayName"]) == (str(LEARNER), "Ann")
        more = f"/v1/cohorts/lisbon/members?limit=1&after={first.body['next']}"
        (other,) = (await house.get(more, **TEACHER)).body["items"]
        assert (other["learnerId"], other["displayName"]) == (str(OTHER_LEARNER), None)
        reads = rows("SELECT target FROM profile.audit_entry WHERE action LIKE '%%read'")
        assert reads == [("lisbon",)] * 2

    async def test_of_another_cohort_is_not_there(self, house, declare):
        await declare()
        await declare("porto")
        scoped = {"scopes": ["teacher@cohort:lisbon"]}
        assert (await house.get("/v1/cohorts/porto/members", **scoped)).code == "not-found"
        assert (await house.get("/v1/cohorts/lisbon/members")).code == "forbidden"

    async def test_is_told_to_siblings(self, house, declare):
        await declare()
        await join(house, await code_of(house))
        token = house.issuer.service_token("course", "profile")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{house.process.rpc_port}") as channel:
            found = await profile_pb2_grpc.ProfileServiceStub(channel).ListMembers(
                profile_pb2.ListMembersRequest(tenant="demo", cohort="lisbon"),
                timeout=60,
                metadata=(("authorization", f"Bearer {token}"),),
            )
        assert [member.learner_id for member in found.members] == [str(LEARNER)]


DOCUMENT = "/v1/authoring/cohorts/lisbon"


class TestAuthoring:
    async def test_gives_the_same_rows_as_the_resource(self, house, declare, rows):
        queries = [
            "SELECT id, name, title, courses, starts_on, seats, rules FROM profile.cohort",
            "SELECT key, position, starts, rrule FROM profile.meeting",
            "SELECT payload FROM profile.outbox",
        ]
        await declare()
        by_resource = [rows(query) for query in queries]
        for table in ("cohort", "document", "outbox", "event_sequence"):
            rows(f"DELETE FROM profile.{table} RETURNING 1")
        answer = await house.put(DOCUMENT, cohort_document(), **TEACHER)
        assert (answer.status, answer.body["changed"]) == (200, True)
        assert [rows(query) for query in queries] == by_resource

    async def test_refuses_what_a_resource_declares_and_others_manage(self, house, declare):
        await declare()
        answer = await house.put(DOCUMENT, cohort_document(), **TEACHER)
        assert (answer.code, answer.body["resource"]) == ("owned-by-resource", "Cohort/lisbon")
        scoped = {"scopes": ["teacher@cohort:porto"]}
        assert (await house.put(DOCUMENT, cohort_document(), **scoped)).code == "not-found"
        assert (await house.put(DOCUMENT, cohort_document())).code == "forbidden"

    async def test_says_when_a_course_is_not_there_yet(self, house):
        answer = await house.put(DOCUMENT, cohort_document(courses=["algebra"]), **TEACHER)
        assert (answer.status, answer.code) == (409, "course-unknown")
        assert answer.headers["retry-after"] == "5"

    async def test_writes_and_deletes_only_what_was_read_and_is_audited(self, house, rows):
        seen = (await house.put(DOCUMENT, cohort_document(), **TEACHER)).headers["etag"]
        assert (await house.get(DOCUMENT, **TEACHER)).headers["etag"] == seen
        await house.put(DOCUMENT, cohort_document(title="Other"), if_match=seen, **TEACHER)
        again = await house.put(DOCUMENT, cohort_document(), if_match=seen, **TEACHER)
        assert (again.status, again.code) == (412, "document-changed")
        assert (await house.delete(DOCUMENT, if_match=seen, **TEACHER)).status == 412
        seen = (await house.get(DOCUMENT, **TEACHER)).headers["etag"]
        assert (await house.delete(DOCUMENT, if_match=seen, **TEACHER)).status == 204
        found = rows("SELECT action FROM profile.audit_entry ORDER BY id DESC LIMIT 3")
        assert found == [("cohort.deleted",), ("cohort.declared",), ("cohort.declared",)]

    async def test_deletes_members_when_asked(self, house, rows):
        document = cohort_document(deletionPolicy="Delete")
        await house.put(DOCUMENT, document, **TEACHER)
        await join(house, await code_of(house))
        answer = await house.delete(DOCUMENT, **TEACHER)
        assert (answer.status, answer.body["pending"][0]["reason"]) == (202, "MembersRemain")
        await until(lambda: rows("SELECT count(*) FROM profile.cohort") == [(0,)])
        assert rows("SELECT count(*) FROM profile.membership") == [(0,)]
        assert (await house.get(DOCUMENT, **TEACHER)).status == 404
