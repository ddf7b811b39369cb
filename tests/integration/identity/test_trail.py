"""The audit trail on real PostgreSQL: append-only, whole under concurrency, and telling when it is not."""

import asyncio
import csv
import io
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
import psycopg
import pytest
import pytest_asyncio

from integration.identity.backends import BACKENDS
from integration.identity.conftest import PASSWORD, SECRETS, bearer
from kourse.identity.service.caretaking import round_once, until_night, verify, watch_keys
from kourse.identity.service.trail import LocalTrail
from kourse.kit.audit import Entry
from kourse.kit.audit.denials import Denials
from kourse.kit.audit.forwarding import Forwarder
from kourse.kit.db import Database
from kourse.kit.rpc.trail import written
from kourse.rules.audit_chain import Chain, ChainBroken
from kourse_rpc.audit.v1 import audit_pb2, audit_pb2_grpc
from support.waiting import until

LOCAL = BACKENDS[0]
TRAIL = "SELECT * FROM identity.audit_trail"


@pytest.fixture(scope="module")
def backend():
    """The trail does not depend on the credential store."""
    return LOCAL


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(start, scratch):
    """Identity that seals what it records."""
    async with start(worker_database_url=scratch.url("kourse_identity_worker")) as started:
        yield started


@pytest.fixture
def replica(scratch):
    """Connections as another replica has them: ``async with replica() as database``."""

    @asynccontextmanager
    async def connected(role="kourse_identity"):
        database = Database(scratch.url(role), "identity", pool_size=2)
        try:
            yield database
        finally:
            await database.close()

    return connected


def told(number=0, *, tenant="demo", **changes):
    """Something that was done."""
    values = {"action": "test.act", "actor": str(uuid4()), "address": "192.0.2.7"} | changes
    detail = {"number": number}
    return Entry(id=uuid4(), tenant=tenant, at=datetime.now(UTC), detail=detail, **values)


class Told:
    """A trail that counts how often it was told something."""

    def __init__(self, trail):
        self.times = 0
        self._trail = trail

    async def append(self, entries):
        await self._trail.append(entries)
        self.times += 1


@pytest_asyncio.fixture(loop_scope="module")
async def token(house):
    """An administrator's."""
    return await house.admin()


async def exported(house, token, **params):
    """Entries of the export."""
    answer = await house.http.get("/v1/audit/export", params=params, headers=bearer(token))
    assert answer.status == 200, await answer.text()
    return [json.loads(line) for line in (await answer.text()).splitlines()]


async def listed(house, token, **params):
    answer = await house.http.get("/v1/audit/entries", params=params, headers=bearer(token))
    assert answer.status == 200, await answer.text()
    return await answer.json()


def followed(entries, **options):
    chain = Chain(**options)
    for entry in entries:
        chain.follow(entry)
    chain.end()
    return chain


async def everything_sealed(house):
    """Returns once nothing waits to be sealed."""
    await until(lambda: not house.rows("SELECT 1 FROM identity.audit_entry"))


class TestRecording:
    @pytest.mark.asyncio(loop_scope="module")
    async def test_seals_what_people_do_with_when_and_from_where(self, house, token):
        email, _ = await house.member()
        user_id = str(house.user_id(email))
        body = {"email": email, "password": PASSWORD}
        headers = {"X-Forwarded-For": "203.0.113.9", "X-Request-Id": "asked-by-a-test"}
        await house.post("/v1/auth/login", body, **headers)
        await everything_sealed(house)
        newest = (await listed(house, token, actor=user_id, action="auth.login"))["items"][0]
        assert newest["address"] == "203.0.113.9"
        assert newest["correlation"] == "asked-by-a-test"
        assert (newest["source"], newest["outcome"]) == ("identity", "done")
        assert newest["at"] <= newest["sealedAt"]

    @pytest.mark.asyncio(loop_scope="module")
    async def test_names_no_mail_address_and_no_secret(self, house, token):
        email, tokens = await house.member()
        await house.log_in(email, "a wrong password")
        await everything_sealed(house)
        text = json.dumps(await exported(house, token))
        for secret in (email, PASSWORD, tokens["refreshToken"], "Ana Lindqvist"):
            assert secret not in text

    @pytest.mark.asyncio(loop_scope="module")
    async def test_tells_of_looks_into_the_trail_and_of_exports(self, house, token):
        await listed(house, token, action="audit.*", outcome="done")
        await exported(house, token, source="identity")
        await everything_sealed(house)
        (look,) = (await listed(house, token, action="audit.read", limit=1))["items"]
        assert look["detail"] == {"action": "audit.*", "outcome": "done"}
        (export,) = (await listed(house, token, action="audit.export", limit=1))["items"]
        assert export["detail"] == {"source": "identity"}

    @pytest.mark.asyncio(loop_scope="module")
    async def test_tells_of_a_denial_within_seconds(self, house, token):
        email, tokens = await house.member()
        answer = await house.http.get("/v1/audit/entries", headers=bearer(tokens["accessToken"]))
        assert answer.status == 403
        user_id = str(house.user_id(email))

        async def told_of():
            found = await listed(house, token, actor=user_id, action="access.denied")
            return found["items"]

        (entry,) = await until(told_of)
        assert entry["target"] == "GET /v1/audit/entries"
        assert entry["outcome"] == "refused"
        assert entry["detail"]["code"] == "forbidden"

    @pytest.mark.asyncio(loop_scope="module")
    async def test_says_why_somebody_was_not_let_in(self, house, token):
        email, _ = await house.member()
        await house.log_in(email, "a wrong password")
        await everything_sealed(house)
        refused = await listed(house, token, target=str(house.user_id(email)), outcome="refused")
        assert refused["items"][0]["detail"] == {"reason": "invalid-credentials"}

    @pytest.mark.asyncio(loop_scope="module")
    async def test_tells_of_a_class_list_by_numbers_alone(self, house, token):
        roster = "email,displayName\nbo@school.example,Bo Ek\nno address,Cy Ek\n"
        answer = await house.post("/v1/memberships/import", {"csv": roster}, token=token)
        assert answer.status == 200, await answer.text()
        await everything_sealed(house)
        (entry,) = (await listed(house, token, action="membership.import", limit=1))["items"]
        assert entry["detail"] == {"admitted": 1, "refused": 1}

    @pytest.mark.asyncio(loop_scope="module")
    async def test_tells_once_of_the_key_that_signs(self, house, replica):
        keys = house.process.runtime.extras["house"].keys
        begun = f"{TRAIL} WHERE action = 'key.begin' AND target = %s"
        await until(lambda: house.rows(begun, keys.kid))
        async with replica() as database:
            other = Told(LocalTrail(database, "identity"))
            watching = asyncio.create_task(watch_keys(keys, other, "demo"))
            await until(lambda: other.times)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        assert len(house.rows(begun, keys.kid)) == 1


class TestAppendOnly:
    @pytest.mark.asyncio(loop_scope="module")
    @pytest.mark.parametrize("role", ["kourse_identity", "kourse_identity_worker"])
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE identity.audit_trail SET actor = 'x'",
            "DELETE FROM identity.audit_trail",
            "TRUNCATE identity.audit_trail CASCADE",
            "UPDATE identity.audit_address SET address = 'x'",
            "ALTER TABLE identity.audit_trail DISABLE TRIGGER append_only",
        ],
    )
    async def test_is_what_no_role_of_identity_can_go_round(self, house, scratch, role, statement):
        del house
        address = scratch.url(role).replace("+psycopg", "")
        with psycopg.connect(address) as database:
            database.execute("SELECT set_config('app.tenant', 'demo', false)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                database.execute(statement)

    @pytest.mark.asyncio(loop_scope="module")
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE identity.audit_trail SET actor = 'x'",
            "DELETE FROM identity.audit_trail",
            "TRUNCATE identity.audit_trail CASCADE",
        ],
    )
    async def test_holds_for_the_owner_of_the_table_too(self, house, scratch, statement):
        del house
        address = scratch.url("kourse_migrate").replace("+psycopg", "")
        with psycopg.connect(address) as database:
            database.execute("SELECT set_config('app.tenant', 'demo', false)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                database.execute(statement)

    @pytest.mark.asyncio(loop_scope="module")
    async def test_keeps_tenants_apart(self, house, token, replica):
        async with replica() as database:
            await LocalTrail(database, "course").append([told(tenant="elsewhere")])
        assert {entry["tenant"] for entry in await exported(house, token)} == {"demo"}


class TestConcurrency:
    @pytest.mark.asyncio(loop_scope="module")
    async def test_of_two_replicas_gives_one_unbroken_chain(self, house, replica):
        ours = [told(number, tenant="busy") for number in range(500)]
        batches = [ours[start : start + 10] for start in range(0, 500, 10)]
        async with replica() as first, replica() as second:
            for database in (first, second):
                await database.ping()
            trails = [LocalTrail(database, "course") for database in (first, second)]
            await asyncio.gather(
                *(trails[number % 2].append(batch) for number, batch in enumerate(batches))
            )
        rows = house.rows(f"{TRAIL} WHERE tenant = 'busy' ORDER BY seq")
        assert [row[1] for row in rows] == list(range(1, 501))
        assert {row[2] for row in rows} == {entry.id for entry in ours}
        async with replica() as database:
            assert (await verify(database, "busy")).count == 500

    @pytest.mark.asyncio(loop_scope="module")
    async def test_of_the_same_entries_keeps_each_once(self, house, replica):
        same = [told(number, tenant="twice") for number in range(50)]
        async with replica() as first, replica() as second:
            await asyncio.gather(
                *(
                    LocalTrail(one, "course").append(same)
                    for one in (first, second)
                    for _ in range(3)
                )
            )
        rows = house.rows(f"{TRAIL} WHERE tenant = 'twice'")
        assert len(rows) == 50

    @pytest.mark.asyncio(loop_scope="module")
    async def test_of_replicas_that_forward_the_same_outlet_keeps_each_once(
        self, house, scratch, replica
    ):
        del house
        async with replica("kourse_identity_worker") as worker, replica() as database:
            with scratch.admin() as admin:
                admin.execute(
                    "INSERT INTO identity.audit_entry (tenant, actor, action, target, outcome)"
                    " SELECT 'outlet', 'ana', 'test.act', n::text, 'done' FROM generate_series(1, 450) n"
                )
                trail = LocalTrail(database, "identity")
                both = [Forwarder("identity", trail, Denials("identity"), worker) for _ in "ab"]
                await asyncio.gather(*(one.forward() for one in both))
                found = admin.execute(f"{TRAIL} WHERE tenant = 'outlet' ORDER BY seq").fetchall()
                left = admin.execute("SELECT 1 FROM identity.audit_entry WHERE tenant = 'outlet'")
                assert left.fetchall() == []
        assert [int(row[8]) for row in found] == list(range(1, 451))


class TestErasure:
    @pytest.mark.asyncio(loop_scope="module")
    async def test_takes_the_addresses_of_a_deleted_person_and_keeps_the_chain(self, house, token):
        email, _ = await house.member()
        user_id = str(house.user_id(email))
        body = {"email": email, "password": PASSWORD}
        answer = await house.post("/v1/auth/login", body, **{"X-Forwarded-For": "203.0.113.77"})
        own = (await answer.json())["accessToken"]
        await everything_sealed(house)
        before = [one for one in await exported(house, token) if one["address"] == "203.0.113.77"]
        assert before
        gone = await house.post(
            "/v1/account/delete",
            {"password": PASSWORD},
            token=own,
            **{"X-Forwarded-For": "203.0.113.77"},
        )
        assert gone.status == 204, await gone.text()

        async def erased():
            found = await exported(house, token)
            is_over = any(
                one["action"] == "account.delete" and one["target"] == user_id for one in found
            )
            return found if is_over else None

        entries = await until(erased)
        assert [one for one in entries if one["address"] == "203.0.113.77"] == []
        chain = followed(entries)
        assert chain.erased >= len(before)
        assert any(one["actor"] == user_id for one in entries)

    @pytest.mark.asyncio(loop_scope="module")
    async def test_takes_addresses_past_their_time(self, house, replica):
        async with replica() as database, replica("kourse_identity_worker") as worker:
            await LocalTrail(database, "course").append([told(tenant="old")])
            assert await round_once(database, worker, keep=timedelta(days=1)) == {}
            count = "SELECT count(*) FROM identity.audit_address WHERE tenant = 'old'"
            assert house.rows(count) == [(1,)]
            assert await round_once(database, worker, keep=timedelta(0)) == {}
            assert house.rows(count) == [(0,)]


class TestNightlyRound:
    @pytest.mark.asyncio(loop_scope="module")
    @pytest.mark.parametrize(
        ("tampering", "seq"),
        [
            ("UPDATE identity.audit_trail SET actor = 'somebody else' WHERE seq = 3", 3),
            ("UPDATE identity.audit_trail SET detail = '{}' WHERE seq = 2", 2),
            ("UPDATE identity.audit_address SET address = '198.51.100.1' WHERE seq = 2", 2),
            ("DELETE FROM identity.audit_trail WHERE seq = 4", 4),
            ("UPDATE identity.audit_trail SET seq = -seq WHERE seq = 5", 5),
        ],
    )
    async def test_names_the_first_entry_that_a_superuser_changed(
        self, house, scratch, replica, tampering, seq
    ):
        del house
        tenant = f"tampered-{uuid4().hex[:8]}"
        async with replica() as database, replica("kourse_identity_worker") as worker:
            await LocalTrail(database, "course").append(
                [told(number, tenant=tenant) for number in range(6)]
            )
            with scratch.admin() as admin:
                admin.execute("SET session_replication_role = replica")
                admin.execute(f"{tampering} AND tenant = '{tenant}'")
                found = await round_once(database, worker, keep=timedelta(days=1))
                admin.execute(f"DELETE FROM identity.audit_address WHERE tenant = '{tenant}'")
                admin.execute(f"DELETE FROM identity.audit_trail WHERE tenant = '{tenant}'")
        assert found == {tenant: seq}

    @pytest.mark.parametrize(
        ("now", "hours"), [("01:00", 1), ("02:00", 24), ("03:00", 23), ("23:30", 2.5)]
    )
    def test_begins_at_two(self, now, hours):
        moment = datetime.fromisoformat(f"2026-01-31T{now}:00+00:00")
        assert until_night(moment) == timedelta(hours=hours)


class TestLookingIntoIt:
    @pytest.mark.asyncio(loop_scope="module")
    async def test_goes_through_pages_without_gaps_newest_first(self, house, token, replica):
        async with replica() as database:
            marked = [told(number, action="test.page") for number in range(7)]
            await LocalTrail(database, "course").append(marked)
        seen, following = [], None
        while True:
            after = {"after": following} if following else {}
            page = await listed(house, token, action="test.page", limit="3", **after)
            seen += [entry["detail"]["number"] for entry in page["items"]]
            following = page["next"]
            if following is None:
                break
        assert seen == [6, 5, 4, 3, 2, 1, 0]

    @pytest.mark.asyncio(loop_scope="module")
    async def test_finds_by_each_filter(self, house, token, replica):
        async with replica() as database:
            entry = told(action="test.filtered", outcome="refused", target="thing-7")
            await LocalTrail(database, "profile").append([entry])
        moment = entry.at.isoformat()
        later = (entry.at + timedelta(microseconds=1)).isoformat()
        for wanted in (
            {"actor": entry.actor},
            {"action": "test.filt*"},
            {"target": "thing-7"},
            {"outcome": "refused", "source": "profile"},
            {"since": moment, "until": later},
        ):
            found = (await listed(house, token, **wanted))["items"]
            assert [one["id"] for one in found] == [str(entry.id)], wanted
        assert (await listed(house, token, action="test.filt%"))["items"] == []

    @pytest.mark.asyncio(loop_scope="module")
    @pytest.mark.parametrize(
        "wanted",
        [
            {"actor": "ana@school.example"},
            {"outcome": "perhaps"},
            {"since": "2026-01-31T08:00:00"},
            {"after": "bm90IGEgY3Vyc29y"},
        ],
    )
    async def test_refuses_filters_that_mean_nothing(self, house, token, wanted):
        answer = await house.http.get("/v1/audit/entries", params=wanted, headers=bearer(token))
        assert answer.status in {400, 422}

    @pytest.mark.asyncio(loop_scope="module")
    async def test_is_for_administrators_only(self, house):
        _, tokens = await house.member()
        for path in ("entries", "head", "export"):
            answer = await house.http.get(
                f"/v1/audit/{path}", headers=bearer(tokens["accessToken"])
            )
            assert answer.status == 403
            assert (await house.http.get(f"/v1/audit/{path}")).status == 401


class TestExport:
    @pytest.mark.asyncio(loop_scope="module")
    async def test_is_a_chain_that_ends_at_the_head(self, house, token):
        await everything_sealed(house)
        entries = await exported(house, token)
        answer = await house.http.get("/v1/audit/head", headers=bearer(token))
        chain = followed(entries)
        now = await answer.json()
        assert chain.seq <= now["seq"]
        assert (
            followed(await exported(house, token), noted=(now["seq"], now["hash"])).seq
            >= now["seq"]
        )

    @pytest.mark.asyncio(loop_scope="module")
    async def test_goes_on_behind_a_number(self, house, token):
        entries = await exported(house, token)
        rest = await exported(house, token, after="3")
        assert rest[0] == entries[3]

    @pytest.mark.asyncio(loop_scope="module")
    async def test_is_a_table_that_no_spreadsheet_takes_for_formulas(self, house, token, replica):
        async with replica() as database:
            evil = told(action="test.formula", target="=1+2")
            await LocalTrail(database, "course").append([evil])
        answer = await house.http.get(
            "/v1/audit/export",
            params={"format": "csv", "action": "test.formula"},
            headers=bearer(token),
        )
        assert answer.content_type == "text/csv"
        assert 'filename="audit-demo.csv"' in answer.headers["content-disposition"]
        (row,) = csv.DictReader(io.StringIO(await answer.text()))
        assert (row["target"], row["address"]) == ("'=1+2", "192.0.2.7")

    @pytest.mark.asyncio(loop_scope="module")
    async def test_found_wrong_when_a_line_is_changed(self, house, token):
        entries = await exported(house, token)
        entries[1] |= {"outcome": "refused" if entries[1]["outcome"] == "done" else "done"}
        with pytest.raises(ChainBroken) as found:
            followed(entries)
        assert found.value.seq == 2


class TestSiblings:
    @pytest.mark.asyncio(loop_scope="module")
    async def test_tell_the_trail_under_their_own_name(self, house, token):
        entry = told(action="test.sibling")
        await append(house, "notification", entry)
        (found,) = (await listed(house, token, action="test.sibling"))["items"]
        assert (found["id"], found["source"]) == (str(entry.id), "notification")
        assert datetime.fromisoformat(found["at"]) == entry.at

    @pytest.mark.asyncio(loop_scope="module")
    async def test_are_services_of_the_platform_only(self, house):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await append(house, None, told())
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def append(house, client, *entries):
    """A remote call that tells the trail."""
    metadata = []
    if client is not None:
        assert client in SECRETS
        token = (await (await house.service_token(client)).json())["access_token"]
        metadata = [("authorization", f"Bearer {token}")]
    request = audit_pb2.AppendRequest(entries=[written(entry) for entry in entries])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{house.process.rpc_port}") as channel:
        stub = audit_pb2_grpc.TrailServiceStub(channel)
        await stub.Append(request, timeout=60, metadata=metadata)
