"""What leaders, members and teachers of a class may do, over HTTP; and nobody else."""

import asyncio
from uuid import UUID, uuid4

import pytest

from support.houses import LEARNER, OTHER_LEARNER, new_key

TEACHER = {"who": UUID(int=100), "roles": ["teacher"]}
OF_LISBON = {"who": UUID(int=101), "roles": [], "scopes": ["teacher@cohort:lisbon"]}
OF_PORTO = {"who": UUID(int=102), "roles": [], "scopes": ["teacher@cohort:porto"]}
STRANGER = {"who": UUID(int=9)}
LISBON = "/v1/cohorts/lisbon"
NEWS = {"title": "Room", "text": "We meet in **room 4**."}


async def code_of(house, cohort="lisbon"):
    return (await house.get(f"/v1/cohorts/{cohort}/code", **TEACHER)).body["code"]


@pytest.fixture
def classes(house, declare, register):
    """Two classes; the learner leads Lisbon, and the other learner is in it too."""

    async def begin():
        await declare()
        await declare("porto")
        await register()
        code = await code_of(house)
        for who in (LEARNER, OTHER_LEARNER):
            assert (await house.post("/v1/cohorts/join", {"code": code}, who=who)).status == 200
        assert (await lead(house, LEARNER, **TEACHER)).status == 204

    return begin


async def lead(house, whom, **how):
    return await house.put(f"{LISBON}/leader", {"learnerId": str(whom)}, **how)


class TestLeader:
    async def test_does_what_the_catalog_allows_to_leaders(self, house, classes):
        await classes()
        assert (await house.get(LISBON)).body["role"] == "leader"
        assert (await house.get(LISBON)).body["members"] == 2
        assert (await house.get(f"{LISBON}/members")).status == 200
        assert (await house.get(f"{LISBON}/code")).status == 200
        assert (await house.post(f"{LISBON}/code")).status == 200
        assert (await house.post(f"{LISBON}/announcements", NEWS)).status == 201
        assert (await house.delete(f"{LISBON}/members/{OTHER_LEARNER}")).status == 204

    async def test_does_no_more_than_that(self, house, classes):
        await classes()
        at = f"{LISBON}/members/{OTHER_LEARNER}/messages"
        assert (await house.post(at, {"text": "Hello"})).code == "forbidden"
        assert (await house.delete("/v1/authoring/cohorts/lisbon")).code == "forbidden"

    async def test_leads_no_other_class(self, house, classes):
        await classes()
        for path in ("code", "members", "announcements"):
            assert (await house.get(f"/v1/cohorts/porto/{path}")).code == "forbidden"
        assert (await house.get("/v1/cohorts/nowhere/code")).code == "forbidden"

    async def test_may_not_act_through_a_token_that_is_limited_to_other_things(
        self, house, classes
    ):
        await classes()
        limited = {"permissions": ["course:study", "profile:own"]}
        assert (await house.get(f"{LISBON}/members", **limited)).code == "forbidden"

    async def test_hands_over_and_is_a_learner_again(self, house, classes, rows):
        await classes()
        assert (await lead(house, OTHER_LEARNER)).status == 204
        assert (await house.get(LISBON)).body["role"] == "learner"
        assert (await house.get(f"{LISBON}/code")).code == "forbidden"
        assert (await lead(house, LEARNER)).code == "forbidden"
        assert (await house.get(f"{LISBON}/code", who=OTHER_LEARNER)).status == 200
        told = rows(
            "SELECT payload ->> 'leader_id', payload ->> 'actor_id' FROM profile.outbox"
            " WHERE type = 'profile.group.transferred' ORDER BY id"
        )
        assert told == [
            (str(LEARNER), str(TEACHER["who"])),
            (str(OTHER_LEARNER), str(LEARNER)),
        ]

    async def test_is_a_member_or_nobody(self, house, classes, rows):
        await classes()
        assert (await lead(house, uuid4())).code == "not-found"
        assert (await house.get(LISBON)).body["role"] == "leader"
        assert rows("SELECT count(*) FROM profile.membership WHERE role = 'leader'") == [(1,)]

    async def test_is_one_however_many_hand_over_at_once(self, house, classes, rows):
        await classes()
        everybody = [LEARNER, OTHER_LEARNER] * 4
        answers = await asyncio.gather(*(lead(house, one, **TEACHER) for one in everybody))
        assert {answer.status for answer in answers} == {204}
        assert rows("SELECT count(*) FROM profile.membership WHERE role = 'leader'") == [(1,)]

    async def test_who_leaves_leads_no_more(self, house, classes, rows):
        await classes()
        assert (await house.post(f"{LISBON}/leave")).status == 204
        assert (await house.get(f"{LISBON}/members")).code == "forbidden"
        assert rows("SELECT count(*) FROM profile.membership WHERE role = 'leader'") == [(0,)]


class TestMember:
    async def test_reads_announcements_and_nothing_of_the_others(self, house, classes):
        await classes()
        await house.post(f"{LISBON}/announcements", NEWS)
        read = await house.get(f"{LISBON}/announcements", who=OTHER_LEARNER)
        assert [(one["title"], one["author"]) for one in read.body["items"]] == [("Room", "Ann")]
        for method, path in [
            ("GET", "members"),
            ("GET", "code"),
            ("POST", "code"),
            ("POST", "announcements"),
            ("DELETE", f"members/{LEARNER}"),
        ]:
            answer = await house.call(method, f"{LISBON}/{path}", NEWS, who=OTHER_LEARNER)
            assert (path, answer.code) == (path, "forbidden")

    async def test_hears_what_is_missing_before_what_is_wrong_with_the_body(self, house, classes):
        await classes()
        for method, path in [("POST", "announcements"), ("PUT", "leader")]:
            answer = await house.call(method, f"{LISBON}/{path}", {}, who=OTHER_LEARNER)
            assert (path, answer.code) == (path, "forbidden")


class TestTeacher:
    async def test_of_one_class_sees_nothing_of_another(self, house, classes):
        await classes()
        for method, path, body in [
            ("GET", "members", None),
            ("GET", "code", None),
            ("POST", "code", None),
            ("GET", "announcements", None),
            ("POST", "announcements", NEWS),
            ("PUT", "leader", {"learnerId": str(LEARNER)}),
            ("DELETE", f"members/{LEARNER}", None),
            ("GET", f"members/{LEARNER}/messages", None),
            ("POST", f"members/{LEARNER}/messages", {"text": "Hello"}),
        ]:
            answer = await house.call(method, f"{LISBON}/{path}", body, **OF_PORTO)
            assert (path, answer.code) == (path, "not-found")

    async def test_writes_to_one_learner_who_reads_it(self, house, classes, rows):
        await classes()
        at = f"{LISBON}/members/{LEARNER}/messages"
        key = new_key()
        sent = await house.post(at, {"text": "Well done."}, key=key, **OF_LISBON)
        assert sent.status == 201
        assert (
            await house.post(at, {"text": "Well done."}, key=key, **OF_LISBON)
        ).body == sent.body
        (found,) = (await house.get("/v1/messages")).body["items"]
        assert (found["text"], found["cohort"], found["readAt"]) == ("Well done.", "lisbon", None)
        read = f"/v1/messages/{found['id']}/read"
        assert (await house.post(read)).status == 204
        (shown,) = (await house.get(at, **OF_LISBON)).body["items"]
        assert shown["readAt"] is not None
        assert (await house.get("/v1/messages", who=OTHER_LEARNER)).body["items"] == []
        assert (await house.post(read, who=OTHER_LEARNER)).code == "not-found"
        assert rows("SELECT payload FROM profile.outbox WHERE type = 'profile.message.sent'") == [
            (
                {
                    "learner_id": str(LEARNER),
                    "message_id": found["id"],
                    "author_id": str(OF_LISBON["who"]),
                },
            )
        ]

    async def test_writes_to_nobody_outside_the_class(self, house, classes):
        await classes()
        at = f"{LISBON}/members/{STRANGER['who']}/messages"
        assert (await house.post(at, {"text": "Hello"}, **TEACHER)).code == "not-found"

    async def test_announces_once_for_a_key_and_takes_it_back(self, house, classes, rows):
        await classes()
        at, key = f"{LISBON}/announcements", new_key()
        for _ in range(2):
            assert (await house.post(at, NEWS, key=key, **TEACHER)).status == 201
        told = "SELECT count(*) FROM profile.outbox WHERE type = 'profile.announcement.posted'"
        assert rows(told) == [(1,)]
        (found,) = (await house.get(at)).body["items"]
        mine = f"{at}/{found['id']}"
        assert (await house.delete(mine, **OF_PORTO)).code == "not-found"
        elsewhere = mine.replace("lisbon", "porto")
        assert (await house.delete(elsewhere, **TEACHER)).code == "not-found"
        assert (await house.delete(mine, **TEACHER)).status == 204
        assert (await house.get(at)).body["items"] == []


class TestAnnouncements:
    async def test_go_by_pages_newest_first(self, house, classes):
        await classes()
        at = f"{LISBON}/announcements"
        for title in "abc":
            await house.post(at, {**NEWS, "title": title}, **TEACHER)
        first = await house.get(f"{at}?limit=2")
        rest = await house.get(f"{at}?limit=2&after={first.body['next']}")
        titles = [one["title"] for one in (*first.body["items"], *rest.body["items"])]
        assert titles == ["c", "b", "a"]

    async def test_are_closed_to_whoever_is_no_member(self, house, classes):
        await classes()
        for cohort in ("lisbon", "nowhere"):
            answer = await house.get(f"/v1/cohorts/{cohort}/announcements", **STRANGER)
            assert (answer.status, answer.code) == (403, "forbidden")

    async def test_say_nothing_in_their_event_but_where_to_read(self, house, classes, rows):
        await classes()
        await house.post(f"{LISBON}/announcements", NEWS)
        ((payload,),) = rows(
            "SELECT payload FROM profile.outbox WHERE type = 'profile.announcement.posted'"
        )
        assert payload.keys() == {"cohort_id", "cohort", "announcement_id", "author_id"}
