"""Leaderboards: who stands on them, who sees them, and by which points; names come from a real profile."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from integration.notification.conftest import open_http
from integration.notification.test_events import lesson, score
from integration.notification.test_feed import Reader
from kourse.contracts import events
from kourse.profile.__main__ import service as profile_service
from kourse.profile.settings import ProfileSettings
from support.serving import Identity, running, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

DURING = datetime(2027, 3, 10, 12, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(scratch, servers, issuer):
    """Notification beside a real profile."""
    async with serving(Identity(issuer).app) as identity_url:
        settings = ProfileSettings(
            port=0,
            database_url=scratch.url("kourse_profile"),
            worker_database_url=scratch.url("kourse_profile_worker"),
            token_issuer=issuer.issuer,
            jwks_url=f"{identity_url}/.well-known/jwks.json",
            identity_url=identity_url,
            client_secret="s3cret",
            token_store_url=servers.endpoints.token_store_url,
            cache_url=servers.endpoints.cache_url,
        )
        async with running(profile_service(settings)) as profile:
            address = f"127.0.0.1:{profile.rpc_port}"
            async with open_http(scratch, issuer, identity_url, profile_rpc_addr=address) as client:
                yield client


class Class:
    """A cohort of two courses, March 2027 in Lisbon."""

    def __init__(self, bus, http, issuer, sql):
        self._bus, self._http, self._issuer, self._sql = bus, http, issuer, sql
        self.id, self.name = uuid4(), f"class-{uuid4().hex[:8]}"
        self.courses = [f"{self.name}-one", f"{self.name}-two"]

    @property
    def path(self):
        return f"/v1/leaderboards/{self.name}"

    async def declare(self):
        await self._bus.send(
            events.CohortDeclared(
                cohort_id=self.id,
                cohort=self.name,
                title="Spring",
                courses=self.courses,
                starts_on=date(2027, 3, 1),
                ends_on=date(2027, 3, 31),
                time_zone="Europe/Lisbon",
            )
        )

    def stranger(self, **claims):
        reader = Reader(self._http, self._issuer, **claims)
        reader.send = lambda method, path: self._http.request(method, path, headers=reader.headers)
        return reader

    async def member(self, name, *lessons, shown=True):
        """A learner of the class who completed a lesson at each of these moments."""
        learner = self.stranger()
        self._sql(
            "INSERT INTO profile.profile (tenant, user_id, display_name, locale)"
            " VALUES ('demo', %s, %s, 'en')",
            *(learner.id, name),
        )
        joined = events.GroupJoined(
            cohort_id=self.id, cohort=self.name, learner_id=learner.id, courses=self.courses
        )
        await self._bus.send(joined)
        for at in lessons:
            await self.study(learner, at)
        if shown:
            answer = await learner.send("PUT", f"{self.path}/place")
            assert answer.status == 204
        return learner

    async def leave(self, learner):
        """The learner is a member no more."""
        left = events.GroupLeft(
            cohort_id=self.id,
            cohort=self.name,
            learner_id=learner.id,
            courses=self.courses,
            actor_id=learner.id,
        )
        await self._bus.send(left)

    async def study(self, learner, at=DURING, course=None):
        done = lesson(learner.id, uuid4(), uuid4())
        done = done.model_copy(update={"course": course or self.courses[0]})
        await self._bus.send(done, at=at)


@pytest_asyncio.fixture(loop_scope="module")
async def room(bus, http, issuer, sql):
    found = Class(bus, http, issuer, sql)
    await found.declare()
    return found


def places(board):
    return [(one["rank"], one["name"], one["points"]) for one in board["places"]]


class TestReadLeaderboard:
    async def test_shows_nobody_who_did_not_choose_to_be_shown(self, room):
        await room.member("Ana", DURING, shown=False)
        ben = await room.member("Ben", DURING, shown=False)

        found = await ben.get(room.path)

        assert (found["places"], found["participants"], found["shown"]) == ([], 0, False)
        assert found["you"] == {"points": 10, "rank": None}

    async def test_ranks_those_who_did_with_ties_as_in_competitions(self, room):
        await room.member("Ana", DURING, DURING)
        await room.member("Ben", DURING)
        cem = await room.member("Cem", DURING)
        await room.member("Dua")

        found = await cem.get(room.path)

        assert sorted(places(found)) == [
            (1, "Ana", 20),
            (2, "Ben", 10),
            (2, "Cem", 10),
            (4, "Dua", 0),
        ]
        assert [one["you"] for one in found["places"] if one["name"] == "Cem"] == [True]
        assert found["you"] == {"points": 10, "rank": 2}
        assert (found["title"], found["startsOn"]) == ("Spring", "2027-03-01")

    async def test_tells_nobody_by_an_id(self, room):
        ana = await room.member("Ana", DURING)

        found = await ana.get(room.path)

        assert str(ana.id) not in str(found)

    async def test_forgets_somebody_at_once_who_gives_up_their_place(self, room):
        ana = await room.member("Ana", DURING)
        ben = await room.member("Ben")
        await ana.send("DELETE", f"{room.path}/place")
        again = await ana.send("DELETE", f"{room.path}/place")

        assert again.status == 204
        assert places(await ben.get(room.path)) == [(1, "Ben", 0)]

    async def test_counts_points_of_its_courses_during_its_run_alone(self, room):
        begins = datetime(2027, 3, 1, tzinfo=UTC)
        over = datetime(2027, 3, 31, 23, tzinfo=UTC)  # midnight in Lisbon's summer time
        ana = await room.member("Ana", begins - timedelta(seconds=1), begins)
        await room.study(ana, over - timedelta(seconds=1))
        await room.study(ana, over)
        await room.study(ana, DURING, course="elsewhere")

        assert (await ana.get(room.path))["you"]["points"] == 20

    async def test_counts_a_deed_when_it_happened_first_whenever_that_is_heard_of(self, bus, room):
        ana = await room.member("Ana")
        exam_id = uuid4()
        for at, points in ((DURING, 50), (DURING - timedelta(days=90), 0)):
            passed = score(ana.id, exam_id=exam_id)
            passed = passed.model_copy(update={"course": room.courses[0]})
            await bus.send(passed, at=at)

            assert (await ana.get(room.path))["you"]["points"] == points

    async def test_gives_as_many_as_are_asked_for_and_the_readers_own_rank(self, room):
        await room.member("Ana", DURING)
        ben = await room.member("Ben")

        found = await ben.get(f"{room.path}?limit=1")

        assert places(found) == [(1, "Ana", 10)]
        assert (found["participants"], found["you"]["rank"]) == (2, 2)

    async def test_is_nothing_that_an_outsider_could_tell_from_a_cohort_that_is_not_there(
        self, room
    ):
        await room.member("Ana", DURING)
        stranger, elsewhere = room.stranger(), room.stranger(tenant="elsewhere")
        for reader in (stranger, elsewhere):
            for method, path in (
                ("GET", room.path),
                ("PUT", f"{room.path}/place"),
                ("DELETE", f"{room.path}/place"),
                ("GET", "/v1/leaderboards/nowhere"),
            ):
                assert (await reader.send(method, path)).status == 404

    async def test_is_refused_to_somebody_without_a_token(self, http, room):
        assert (await http.get(room.path)).status == 401

    async def test_forgets_a_person_whose_account_is_gone(self, bus, room):
        ana = await room.member("Ana", DURING)
        ben = await room.member("Ben")

        await bus.send(events.UserDeleted(user_id=ana.id))

        assert places(await ben.get(room.path)) == [(1, "Ben", 0)]

    async def test_stands_without_a_name_that_profile_does_not_know(self, room, sql):
        ana = await room.member("Ana", DURING)
        sql("DELETE FROM profile.profile WHERE user_id = %s", ana.id)

        assert places(await ana.get(room.path)) == [(1, None, 10)]

    async def test_stands_without_names_while_profile_does_not_answer(self, room, scratch, issuer):
        ana = await room.member("Ana", DURING)
        async with (
            serving(Identity(issuer).app) as identity_url,
            open_http(scratch, issuer, identity_url, profile_rpc_addr="127.0.0.1:1") as lonely,
        ):
            answer = await lonely.get(room.path, headers=ana.headers)

            assert places(await answer.json()) == [(1, None, 10)]


class TestListLeaderboards:
    async def test_lists_ones_own_cohorts_and_whether_one_stands_there(self, room):
        ana = await room.member("Ana", shown=False)

        before = await ana.get("/v1/leaderboards")
        for _ in range(2):
            await ana.send("PUT", f"{room.path}/place")
        after = await ana.get("/v1/leaderboards")

        mine = {"cohort": room.name, "title": "Spring"}
        assert before == {"items": [{**mine, "shown": False}]}
        assert after == {"items": [{**mine, "shown": True}]}
        assert await room.stranger().get("/v1/leaderboards") == {"items": []}


class TestLeave:
    async def test_takes_the_board_from_the_leaver_and_the_leaver_from_the_board(self, room):
        ana = await room.member("Ana", DURING, DURING)
        ben = await room.member("Ben", DURING)

        await room.leave(ana)

        found = await ben.get(room.path)
        assert (places(found), found["participants"]) == ([(1, "Ben", 10)], 1)
        assert (await ana.send("GET", room.path)).status == 404
        assert (await ana.send("PUT", f"{room.path}/place")).status == 404
        assert (await ana.get("/v1/leaderboards"))["items"] == []

    async def test_asks_those_who_come_back_to_choose_again(self, room, bus):
        ana = await room.member("Ana", DURING)
        await room.leave(ana)
        again = events.GroupJoined(
            cohort_id=room.id, cohort=room.name, learner_id=ana.id, courses=room.courses
        )
        await bus.send(again)

        found = await ana.get(room.path)

        assert (places(found), found["shown"]) == ([], False)
        assert found["you"] == {"points": 10, "rank": None}
