"""A person's own profile and goals, over HTTP."""

import grpc.aio
import pytest
import pytest_asyncio

from kourse_rpc.profile.v1 import profile_pb2, profile_pb2_grpc
from support.houses import LEARNER, OTHER_LEARNER, new_key

PROFILE = "/v1/profile"
GOALS = "/v1/profile/goals"


class TestReadProfile:
    async def test_asks_to_wait_until_the_event_has_arrived(self, house):
        answer = await house.get(PROFILE)
        assert (answer.status, answer.code) == (409, "profile-not-ready")
        assert answer.headers["retry-after"] == "1"

    async def test_is_made_exactly_once(self, house, register):
        await register()
        await house.patch(PROFILE, {"displayName": "Anna"})
        await register()
        answer = await house.get(PROFILE)
        assert (answer.status, answer.body["displayName"]) == (200, "Anna")
        assert answer.body["locale"] == "pt"

    async def test_is_another_in_every_tenant(self, house, register):
        await register()
        assert (await house.get(PROFILE, tenant="other")).code == "profile-not-ready"


class TestChangeProfile:
    async def test_keeps_what_is_left_out(self, house, register):
        await register()
        answer = await house.patch(PROFILE, {"pace": "Intensive", "timeZone": "Pacific/Auckland"})
        assert answer.status == 200
        assert (answer.body["pace"], answer.body["level"]) == ("Intensive", "Beginner")
        assert answer.headers["etag"] == '"2"'

    async def test_merges_preferences(self, house, register):
        await register()
        await house.patch(PROFILE, {"preferences": {"theme": "dark", "font": "large"}})
        answer = await house.patch(PROFILE, {"preferences": {"font": None, "sound": "off"}})
        assert answer.body["preferences"] == {"theme": "dark", "sound": "off"}

    async def test_refuses_to_overwrite_what_was_not_read(self, house, register):
        await register()
        await house.patch(PROFILE, {"level": "Advanced"})
        answer = await house.patch(PROFILE, {"level": "Beginner"}, if_match='"1"')
        assert (answer.status, answer.code) == (412, "profile-changed")
        assert (await house.patch(PROFILE, {"level": "Beginner"}, if_match='"2"')).status == 200

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"timeZone": "Mars/Olympus"}, 422, "unknown-time-zone"),
            ({"pace": "Breathless"}, 422, "invalid"),
            ({"userId": str(OTHER_LEARNER)}, 422, "invalid"),
            ({"preferences": {f"p{number}": "x" for number in range(51)}}, 422, "invalid"),
        ],
    )
    async def test_refuses_what_cannot_be(self, house, register, change, status, code):
        await register()
        answer = await house.patch(PROFILE, change)
        assert (answer.status, answer.code) == (status, code)

    async def test_tells_siblings_of_another_time_zone_or_language_alone(
        self, house, register, rows
    ):
        await register()

        await house.patch(PROFILE, {"pace": "Intensive"})
        await house.patch(PROFILE, {"timeZone": "Pacific/Auckland"})
        await house.patch(PROFILE, {"timeZone": "Pacific/Auckland", "level": "Advanced"})
        await house.patch(PROFILE, {"locale": "de"})

        told = rows(
            "SELECT payload ->> 'time_zone', payload ->> 'locale'"
            " FROM profile.outbox WHERE type = 'profile.settings.changed' ORDER BY id"
        )
        assert told == [
            ("Pacific/Auckland", "pt"),
            ("Pacific/Auckland", "de"),
        ]

    async def test_changes_nothing_when_nothing_is_sent(self, house, register):
        await register()
        answer = await house.patch(PROFILE, {"level": None})
        assert (answer.status, answer.body["version"]) == (200, 1)


class TestGoals:
    async def test_are_listed_by_target_with_open_ended_ones_last(self, house):
        for title, target in [("c", None), ("b", "2027-06-01"), ("a", "2026-12-01")]:
            body = {"title": title, "targetDate": target}
            assert (await house.post(GOALS, body)).status == 201
        first = await house.get(f"{GOALS}?limit=2")
        assert [goal["title"] for goal in first.body["items"]] == ["a", "b"]
        rest = await house.get(f"{GOALS}?limit=2&after={first.body['next']}")
        assert [goal["title"] for goal in rest.body["items"]] == ["c"]

    async def test_are_made_once_for_a_key(self, house):
        key = new_key()
        first = await house.post(GOALS, {"title": "Learn"}, key=key)
        again = await house.post(GOALS, {"title": "Learn"}, key=key)
        assert first.body == again.body
        assert len((await house.get(GOALS)).body["items"]) == 1

    async def test_are_changed_reached_and_taken_back(self, house):
        goal = (await house.post(GOALS, {"title": "Learn", "targetDate": "2027-01-01"})).body
        at = f"{GOALS}/{goal['id']}"
        reached = await house.patch(at, {"achieved": True})
        assert reached.body["achievedAt"] is not None
        again = await house.patch(at, {"achieved": True, "title": "Learnt"})
        assert again.body["achievedAt"] == reached.body["achievedAt"]
        assert again.body["title"] == "Learnt"
        back = await house.patch(at, {"achieved": False, "targetDate": None})
        assert (back.body["achievedAt"], back.body["targetDate"]) == (None, None)

    async def test_stay_as_they_are_when_nothing_is_sent(self, house):
        goal = (await house.post(GOALS, {"title": "Learn"})).body
        for change in ({}, {"title": None}):
            answer = await house.patch(f"{GOALS}/{goal['id']}", change)
            assert (answer.status, answer.body) == (200, goal)

    async def test_are_nobody_elses(self, house):
        goal = (await house.post(GOALS, {"title": "Learn"})).body
        at = f"{GOALS}/{goal['id']}"
        assert (await house.patch(at, {"title": "x"}, who=OTHER_LEARNER)).status == 404
        assert (await house.delete(at, who=OTHER_LEARNER)).status == 404
        assert (await house.delete(at)).status == 204
        assert (await house.delete(at)).status == 404

    async def test_refuse_a_cursor_that_is_none(self, house):
        for cursor in ("x", "WyJhIiwiYiJd"):
            assert (await house.get(f"{GOALS}?after={cursor}")).code == "malformed"

    async def test_are_a_hundred_at_most(self, house, rows):
        rows(
            "INSERT INTO profile.goal (id, tenant, user_id, title)"
            " SELECT gen_random_uuid(), 'demo', %s, 'x' FROM generate_series(1, 100) RETURNING 1",
            LEARNER,
        )
        assert (await house.post(GOALS, {"title": "One more"})).code == "conflict"


@pytest_asyncio.fixture
async def stub(house):
    token = house.issuer.service_token("dashboard", "profile")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{house.process.rpc_port}") as channel:
        yield (
            profile_pb2_grpc.ProfileServiceStub(channel),
            {"timeout": 60, "metadata": (("authorization", f"Bearer {token}"),)},
        )


class TestRpc:
    async def test_lists_profiles_of_those_who_have_one(self, register, stub):
        await register()
        profile, how = stub
        request = profile_pb2.ListProfilesRequest(
            tenant="demo", learner_ids=[str(LEARNER), str(OTHER_LEARNER)]
        )
        (found,) = (await profile.ListProfiles(request, **how)).profiles
        assert (found.learner_id, found.display_name) == (str(LEARNER), "Ann")

    async def test_lists_goals_of_many_and_leaves_out_those_without(self, house, stub):
        await house.post(GOALS, {"title": "later"})
        await house.post(GOALS, {"title": "soon", "targetDate": "2026-12-01"})
        profile, how = stub
        both = [str(LEARNER), str(OTHER_LEARNER)]
        request = profile_pb2.BatchListGoalsRequest(tenant="demo", learner_ids=both)
        (found,) = (await profile.BatchListGoals(request, **how)).learners
        assert found.learner_id == str(LEARNER)
        assert [goal.title for goal in found.goals] == ["soon", "later"]

    async def test_lists_members_of_many_cohorts_and_leaves_out_unknown_ones(
        self, house, stub, declare
    ):
        teacher = {"roles": ["teacher"]}
        for name in ("lisbon", "porto"):
            await declare(name)
        code = (await house.get("/v1/cohorts/lisbon/code", **teacher)).body["code"]
        await house.post("/v1/cohorts/join", {"code": code})
        profile, how = stub
        wanted = ["porto", "lisbon", "nowhere"]
        request = profile_pb2.BatchListMembersRequest(tenant="demo", cohorts=wanted)
        found = (await profile.BatchListMembers(request, **how)).cohorts
        assert {one.cohort: [each.learner_id for each in one.members] for one in found} == {
            "lisbon": [str(LEARNER)],
            "porto": [],
        }

    async def test_refuses_a_batch_without_bounds(self, stub):
        profile, how = stub
        request = profile_pb2.BatchListMembersRequest(tenant="demo", cohorts=["x"] * 201)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await profile.BatchListMembers(request, **how)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    async def test_lists_goals_nearest_first(self, house, stub):
        await house.post(GOALS, {"title": "later"})
        await house.post(GOALS, {"title": "soon", "targetDate": "2026-12-01"})
        profile, how = stub
        request = profile_pb2.ListGoalsRequest(tenant="demo", learner_id=str(LEARNER))
        found = (await profile.ListGoals(request, **how)).goals
        assert [(goal.title, goal.target_date) for goal in found] == [
            ("soon", "2026-12-01"),
            ("later", ""),
        ]
