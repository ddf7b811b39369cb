"""The deny list on a real Redis: what was revoked stays out, also when Redis was away in between."""

from uuid import uuid4

import orjson
import pytest

from kourse.contracts.errors import Unauthenticated
from kourse.kit.auth.claims import USER_AUDIENCE, parse_claims
from kourse.kit.auth.revocation import DenyList, not_before_key, session_key
from kourse.kit.runtime.runtime import redis_client
from support.redis_server import RedisServer
from support.tokens import ISSUER, Issuer


@pytest.fixture
def server(tmp_path):
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
async def store(server):
    store = redis_client(server.url)
    yield store
    await store.aclose()


@pytest.fixture
def claims():
    person = Issuer().person(sub=str(uuid4()), sid=str(uuid4()))
    return parse_claims(
        orjson.dumps(person), issuer=ISSUER, audience=USER_AUDIENCE, now=person["iat"]
    )


class TestCheck:
    async def test_lets_in_who_is_not_on_the_list(self, store, claims):
        assert await DenyList(store).check(claims)

    async def test_refuses_an_ended_log_in(self, store, claims):
        await store.set(session_key(claims.session_id), "1")

        with pytest.raises(Unauthenticated):
            await DenyList(store).check(claims)

    async def test_refuses_what_was_issued_before_a_change(self, store, claims):
        await store.set(not_before_key(claims.subject), claims.issued_at + 1)

        with pytest.raises(Unauthenticated):
            await DenyList(store).check(claims)

    async def test_is_not_blind_after_a_restart_of_redis(self, server, store, claims):
        deny_list = DenyList(store)
        await deny_list.check(claims)
        server.stop()
        server.start()
        other = redis_client(server.url)
        await other.set(session_key(claims.session_id), "1")
        await other.aclose()

        with pytest.raises(Unauthenticated):
            await deny_list.check(claims)

    async def test_leaves_the_decision_to_others_while_redis_is_away(self, server, store, claims):
        server.stop()

        assert not await DenyList(store).check(claims)
