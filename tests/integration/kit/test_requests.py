"""A route's transaction and its idempotency key, over HTTP and on a real database."""

import asyncio
from types import SimpleNamespace
from typing import Annotated
from uuid import uuid4

import httpx2
import pytest
from fastapi import APIRouter
from sqlalchemy import text

from kourse.kit.auth.access import public
from kourse.kit.db import Transaction
from kourse.kit.http.app import create_app
from kourse.kit.http.health import Health
from kourse.kit.http.models import Body, View
from kourse.kit.idempotency import IdempotencyKey, idempotency

ADD = text("INSERT INTO course.thing (tenant, name) VALUES ('demo', :name) RETURNING id")
COUNT = "SELECT count(*) FROM course.thing WHERE name = %s"
KEYS = "SELECT count(*) FROM course.idempotency_key WHERE key = %s"
FAIL = "fail"

router = APIRouter()


class NewThing(Body):
    name: str


class ThingView(View):
    thing_id: int
    name: str


async def add(tx, name):
    return ThingView(thing_id=await tx.scalar(ADD, {"name": name}), name=name)


@router.post("/v1/plain", status_code=201, dependencies=[public])
async def add_plainly(body: NewThing, tx: Transaction) -> ThingView:
    return await add(tx, body.name)


@router.post("/v1/things", status_code=201, dependencies=[public])
async def add_once(
    body: NewThing,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency(required=True)],
) -> ThingView:
    view = await add(tx, body.name)
    await asyncio.sleep(0.05)
    if body.name.startswith(FAIL):
        raise ZeroDivisionError
    return await key.remember(tx, 201, view)


@router.post("/v1/others", status_code=201, dependencies=[public])
async def add_other(
    body: NewThing, tx: Transaction, key: Annotated[IdempotencyKey, idempotency()]
) -> ThingView:
    return await key.remember(tx, 201, await add(tx, body.name))


@router.delete("/v1/things/{name}", status_code=204, dependencies=[public])
async def remove(name: str, tx: Transaction, key: Annotated[IdempotencyKey, idempotency()]) -> None:
    await tx.execute(text("DELETE FROM course.thing WHERE name = :name"), {"name": name})
    await key.remember(tx, 204, None)


@pytest.fixture
async def client(course):
    settings = SimpleNamespace(
        service="course", database_url="set", default_tenant="demo", domain=""
    )
    health = Health("course")
    health.is_started = True
    runtime = SimpleNamespace(settings=settings, database=course, health=health)
    transport = httpx2.ASGITransport(
        create_app(runtime, [router], title="Test"), raise_app_exceptions=False
    )
    async with httpx2.AsyncClient(transport=transport, base_url="http://course.test") as client:
        yield client


@pytest.fixture
def stored(admin):
    return lambda name: admin.execute(COUNT, (name,)).fetchone()[0]


def with_key(key=None):
    return {"Idempotency-Key": str(key or uuid4())}


class TestTransaction:
    async def test_is_committed_before_the_answer(self, client, stored):
        answer = await client.post("/v1/plain", json={"name": "early"})
        assert answer.status_code == 201
        assert stored("early") == 1

    async def test_does_not_answer_201_when_the_commit_fails(self, client, stored):
        first = await client.post("/v1/plain", json={"name": "twin"})
        second = await client.post("/v1/plain", json={"name": "twin"})
        assert first.status_code == 201
        assert second.status_code in {409, 500}
        assert second.headers["content-type"] == "application/problem+json"
        assert stored("twin") == 1


class TestIdempotencyKey:
    async def test_is_missing(self, client):
        answer = await client.post("/v1/things", json={"name": "keyless"})
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")

    @pytest.mark.parametrize("key", ["short", "x" * 65, "with spaces in the key", "é" * 20, ""])
    async def test_is_malformed(self, client, key):
        headers = {"Idempotency-Key": key.encode()}
        answer = await client.post("/v1/things", json={"name": "odd"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")

    async def test_may_be_left_out_where_it_is_not_required(self, client, stored):
        answer = await client.post("/v1/others", json={"name": "free"})
        assert answer.status_code == 201
        assert stored("free") == 1

    async def test_gives_the_same_answer_again_without_a_second_effect(self, client, stored):
        headers = with_key()
        first = await client.post("/v1/things", json={"name": "once"}, headers=headers)
        second = await client.post("/v1/things", json={"name": "once"}, headers=headers)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert "idempotency-replayed" not in first.headers
        assert second.headers["idempotency-replayed"] == "true"
        assert stored("once") == 1

    async def test_gives_an_empty_answer_again(self, client, stored):
        headers = with_key()
        await client.post("/v1/others", json={"name": "brief"})
        first = await client.delete("/v1/things/brief", headers=headers)
        await client.post("/v1/others", json={"name": "brief"})
        second = await client.delete("/v1/things/brief", headers=headers)
        assert (first.status_code, second.status_code) == (204, 204)
        assert second.content == b""
        assert stored("brief") == 1

    async def test_is_refused_for_another_request(self, client, stored):
        headers = with_key()
        await client.post("/v1/things", json={"name": "this"}, headers=headers)
        answer = await client.post("/v1/things", json={"name": "that"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
        assert stored("that") == 0

    async def test_is_independent_on_another_route(self, client, stored):
        headers = with_key()
        await client.post("/v1/things", json={"name": "here"}, headers=headers)
        answer = await client.post("/v1/others", json={"name": "there"}, headers=headers)
        assert answer.status_code == 201
        assert stored("there") == 1

    async def test_is_not_stored_with_a_failure(self, client, stored, admin):
        headers = with_key()
        for _ in range(2):
            answer = await client.post("/v1/things", json={"name": "fail-1"}, headers=headers)
            assert answer.status_code == 500
        assert stored("fail-1") == 0
        assert admin.execute(KEYS, (headers["Idempotency-Key"],)).fetchone() == (0,)

    async def test_is_not_stored_when_the_commit_fails(self, client, admin):
        await client.post("/v1/things", json={"name": "taken"}, headers=with_key())
        headers = with_key()
        answer = await client.post("/v1/things", json={"name": "taken"}, headers=headers)
        assert answer.status_code in {409, 500}
        assert admin.execute(KEYS, (headers["Idempotency-Key"],)).fetchone() == (0,)

    async def test_has_one_effect_under_50_requests_at_once(self, client, stored):
        headers = with_key()
        answers = await asyncio.gather(
            *(client.post("/v1/things", json={"name": "crowd"}, headers=headers) for _ in range(50))
        )
        bodies = {answer.text for answer in answers if answer.status_code == 201}
        busy = [answer for answer in answers if answer.status_code != 201]
        assert len(bodies) == 1
        assert all(answer.json()["code"] == "idempotency-key-busy" for answer in busy)
        assert all(answer.headers["retry-after"] == "1" for answer in busy)
        assert stored("crowd") == 1

    async def test_is_forgotten_after_its_time(self, client, admin):
        headers = with_key()
        await client.post("/v1/things", json={"name": "aged"}, headers=headers)
        admin.execute("DELETE FROM course.thing WHERE name = 'aged'")
        admin.execute(
            "UPDATE course.idempotency_key SET expires_at = now() WHERE key = %s",
            (headers["Idempotency-Key"],),
        )
        answer = await client.post("/v1/things", json={"name": "aged"}, headers=headers)
        assert answer.status_code == 201
        assert "idempotency-replayed" not in answer.headers
