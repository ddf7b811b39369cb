"""Requests through the gateway: what arrives at a service, and what never does."""

import asyncio
from functools import partial
from uuid import UUID

import pytest
import pytest_asyncio

from kourse.contracts.permissions import DENIALS, Permission
from kourse.gateway import breaker
from support.client import Client, session_to
from support.tokens import LEARNER
from support.waiting import LONG_S

pytestmark = pytest.mark.asyncio(loop_scope="module")


HOUR = "PT1H"
"""A quota that comes back so slowly does not come back during a test."""


def bearer(token, **headers):
    return {"authorization": f"Bearer {token}", **headers}


def person(number):
    """An account that no other test uses."""
    return str(UUID(int=1000 + number))


async def problem(response, status, code):
    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"
    document = await response.json()
    assert document["code"] == code
    assert document["instance"] == response.headers["x-request-id"]
    return document


async def raw(edge, request):
    """The status line's number of a request written by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.http_port)
    writer.write(request)
    await writer.drain()
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    return status


class TestRoute:
    async def test_that_is_public_needs_no_token(self, http):
        response = await http.get("/v1/public?a=b&c=d")

        seen = await response.json()
        assert (seen["method"], seen["path"], seen["query"]) == ("GET", "/v1/public", "a=b&c=d")

    async def test_that_is_not_in_the_table_does_not_exist(self, http, upstream):
        for path in ("/v1/inner", "/", "/v1/public/", "/v1/auth/token", "/openapi.json/x"):
            await problem(await http.get(path), 404, "not-found")
        assert upstream.asked == 0

    async def test_with_another_method_is_405(self, http):
        response = await http.delete("/v1/public")

        await problem(response, 405, "method-not-allowed")
        assert response.headers["allow"] == "GET, POST"

    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "OPTIONS"])
    async def test_with_an_unknown_method_is_405(self, edge, method):
        request = f"{method} /v1/public HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()

        assert await raw(edge, request) in {400, 405}

    async def test_of_a_service_that_is_not_there_is_503(self, http):
        response = await http.get("/v1/absent")

        await problem(response, 503, "unavailable")
        assert response.headers["retry-after"]
        await problem(await http.get("/v1/unknown"), 503, "unavailable")


class TestToken:
    async def test_missing_or_wrong_is_401_and_reaches_nobody(self, http, issuer, upstream):
        for headers in ({}, bearer("x.y.z"), bearer(issuer.token(exp=1)), {"authorization": "x"}):
            response = await http.get("/v1/courses/a", headers=headers)
            await problem(response, 401, "unauthenticated")
        assert upstream.asked == 0

    async def test_twice_or_in_the_address_is_400(self, http, issuer):
        twice = [("authorization", f"Bearer {issuer.token()}")] * 2

        await problem(await http.get("/v1/courses/a", headers=twice), 400, "malformed")
        await problem(await http.get("/v1/public?access_token=x"), 400, "malformed")

    async def test_of_another_tenant_than_the_host_is_401(self, http, issuer):
        headers = bearer(issuer.token(), host="other.kourse.test")

        await problem(await http.get("/v1/courses/a", headers=headers), 401, "unauthenticated")

    async def test_without_the_permission_is_403(self, http, issuer, upstream):
        response = await http.get("/v1/cohorts/a/members", headers=bearer(issuer.token()))

        document = await problem(response, 403, "forbidden")
        assert document["detail"] == DENIALS[Permission.COHORT_READ]
        assert upstream.asked == 0

    async def test_with_the_permission_for_some_course_opens_nothing_of_the_whole_tenant(
        self, http, issuer
    ):
        token = issuer.token(roles=[], scopes=["author@course:a"])
        response = await http.get("/v1/courses/a", headers=bearer(token))

        await problem(response, 403, "forbidden")

    async def test_with_the_permission_for_some_cohort_lets_the_service_decide(self, http, issuer):
        headers = bearer(issuer.token(scopes=["teacher@cohort:b"]))

        assert (await http.get("/v1/cohorts/a/members", headers=headers)).status == 200

    async def test_goes_on_to_the_service(self, http, issuer):
        token = issuer.token()

        seen = await (await http.get("/v1/courses/a", headers=bearer(token))).json()

        assert dict(seen["headers"])["authorization"] == f"Bearer {token}"
        assert dict(seen["headers"])["x-user-id"] == str(LEARNER)


class TestHeaders:
    async def test_of_identity_never_pass(self, http):
        forged = [
            ("X-User-Id", "root"), ("x_user_id", "root"), ("X-Tenant", "other"), ("X-Role", "admin"),
            ("X-Forwarded-For", "10.0.0.1"), ("X-Original-URL", "/admin"), ("baggage", "a=b"),
            ("X-Forwarded-Host", "evil.test"), ("Forwarded", "for=10.0.0.1"),
        ]  # fmt: skip

        seen = await (await http.get("/v1/public", headers=forged)).json()

        text = str(seen["headers"])
        for value in ("root", "other", "admin", "10.0.0.1", "evil.test", "a=b"):
            assert value not in text
        assert dict(seen["headers"])["x-forwarded-for"] == "127.0.0.1"

    async def test_begin_a_trace_of_our_own(self, http):
        claimed = "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01"

        response = await http.get(
            "/v1/public", headers={"traceparent": claimed, "x-request-id": "request-0001"}
        )

        seen = dict((await response.json())["headers"])
        assert seen["traceparent"][3:35] != claimed[3:35]
        assert seen["b3"][:32] == seen["traceparent"][3:35]
        assert seen["x-request-id"] == "request-0001" == response.headers["x-request-id"]

    async def test_of_services_are_cleaned(self, http):
        headers = (await http.get("/v1/public")).headers

        assert "server" not in headers
        assert "x-powered-by" not in headers
        assert headers["etag"] == '"1"'
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cache-control"] == "no-store"

    @pytest.mark.parametrize(
        "host", ["evil.test", "localhost/docs?", "a.b", "kourse.test@evil.test"]
    )
    async def test_of_strange_hosts_are_400(self, http, host):
        await problem(await http.get("/v1/public", headers={"host": host}), 400, "malformed")

    async def test_keep_the_host_that_names_the_tenant(self, http):
        response = await http.get("/v1/public", headers={"host": "demo.kourse.test:8443"})

        assert dict((await response.json())["headers"])["host"] == "demo.kourse.test:8443"


class TestRawRequest:
    @pytest.mark.parametrize(
        "target",
        [
            b"/v1//public", b"/v1/./public", b"/v1/courses/../public", b"/v1/courses/%2e%2e/public",
            b"/v1%2fpublic", b"/v1/courses/%00", b"/v1/courses\\a", b"/v1/courses/%",
            b"//evil.test/v1/public", b"/v1/courses/%252e",
        ],
    )  # fmt: skip
    async def test_with_an_unclear_path_is_400(self, edge, upstream, target):
        status = await raw(edge, b"GET " + target + b" HTTP/1.1\r\nhost: localhost\r\n\r\n")

        assert status == 400
        assert upstream.asked == 0

    @pytest.mark.parametrize(
        "lines",
        [
            b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
            b"content-length: 5\r\ncontent-length: 6\r\n",
            b"content-length: -1\r\n",
            b"content-length: 5, 5\r\n",
            b"transfer-encoding: identity, chunked, foo\r\n",
            b"x : y\r\n",
            b" folded: y\r\n",
            b"host: localhost\r\n",
        ],
    )
    async def test_that_could_be_smuggled_is_400(self, edge, upstream, lines):
        request = b"POST /v1/public HTTP/1.1\r\nhost: localhost\r\n" + lines + b"\r\nhello"

        assert await raw(edge, request) == 400
        assert upstream.asked == 0

    async def test_without_a_host_is_400(self, edge):
        assert await raw(edge, b"GET /v1/public HTTP/1.0\r\n\r\n") == 400


class TestBody:
    @pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 1_048_576])
    async def test_arrives_whole(self, http, size):
        async def parts():
            yield b"x" * (size // 2)
            yield b"x" * (size - size // 2)

        declared = await http.post(
            "/v1/public", data=parts(), headers={"content-length": str(size)}
        )
        chunked = await http.post("/v1/public", data=parts())

        assert (await declared.json())["bytes"] == size
        assert (await chunked.json())["bytes"] == size

    async def test_above_1_mib_is_413(self, http, upstream):
        async def parts():
            for _ in range(17):
                yield b"x" * 65_536

        declared = await http.post(
            "/v1/public", data=parts(), headers={"content-length": str(17 * 65_536)}
        )
        chunked = await http.post("/v1/public", data=parts())

        await problem(declared, 413, "too-large")
        await problem(chunked, 413, "too-large")
        assert upstream.asked == 0


class TestAnswer:
    async def test_that_is_large_streams_through(self, edge):
        async with (
            session_to(f"http://127.0.0.1:{edge.http_port}") as session,
            session.get("/v1/large") as response,
        ):
            assert len(await response.read()) == 6_553_600

    async def test_of_events_comes_as_it_happens(self, edge, upstream):
        async with (
            session_to(f"http://127.0.0.1:{edge.http_port}") as session,
            session.get("/v1/events") as response,
        ):
            assert await response.content.readline() == b"data: 1\n"
            await asyncio.sleep(0)
            upstream.release.set()
            assert (await response.content.read()).endswith(b"data: 2\n\n")

    async def test_ends_at_the_service_when_the_client_leaves(self, edge, upstream):
        async with (
            session_to(f"http://127.0.0.1:{edge.http_port}") as session,
            session.get("/v1/events") as response,
        ):
            await response.content.readline()

        await asyncio.wait_for(upstream.left.wait(), LONG_S)

    @pytest_asyncio.fixture(loop_scope="module")
    async def hasty(self, configured, start):
        """A gateway that waits half a second for an answer, where the route does not say otherwise."""
        async with (
            start(configured(answer_timeout="PT0.5S")) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            yield Client(session)

    async def test_that_does_not_come_is_504(self, hasty, upstream):
        response = await hasty.get("/v1/slow")
        await problem(response, 504, "deadline-exceeded")

    async def test_that_computes_long_is_waited_for_where_the_route_says_so(self, hasty):
        response = await hasty.get("/v1/plan")
        assert (response.status, await response.text()) == (200, "planned")

    async def test_that_breaks_off_is_503(self, http):
        await problem(await http.get("/v1/broken-off"), 503, "unavailable")


class TestBreaker:
    @pytest_asyncio.fixture(loop_scope="module")
    async def fresh(self, configured, start, monkeypatch):
        """A gateway that has made no calls yet, and leaves a service alone for long."""
        monkeypatch.setattr(breaker, "BreakerRules", partial(breaker.BreakerRules, open_s=LONG_S))
        async with (
            start(configured()) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            yield Client(session)

    async def test_stops_calling_a_service_that_fails(self, fresh, upstream):
        statuses = [(await fresh.get("/v1/status/500")).status for _ in range(10)]
        asked = upstream.asked

        response = await fresh.get("/v1/public")

        assert statuses == [500] * 10
        await problem(response, 503, "unavailable")
        assert 1 <= int(response.headers["retry-after"]) <= LONG_S
        assert upstream.asked == asked

    async def test_lets_a_service_say_itself_when_to_come_again(self, fresh):
        for _ in range(12):
            answer = await fresh.get("/v1/status/503?after=2")
            assert (answer.status, answer.headers["retry-after"]) == (503, "2")

        assert (await fresh.get("/v1/public")).status == 200

    async def test_takes_no_offence_at_clients_mistakes(self, fresh):
        for _ in range(12):
            assert (await fresh.get("/v1/status/404")).status == 404

        assert (await fresh.get("/v1/public")).status == 200


class TestQuota:
    async def test_of_a_person_is_told_and_kept(self, configured, start, issuer):
        async with (
            start(configured(user_quota=3, user_window=HOUR)) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            http, headers = Client(session), bearer(issuer.token(sub=person(1)))
            answers = [await http.get("/v1/courses/a", headers=headers) for _ in range(4)]
            other = await http.get("/v1/courses/a", headers=bearer(issuer.token(sub=person(2))))

        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert answers[0].headers["ratelimit-policy"] == '"user";q=3;w=3600'
        assert answers[0].headers["ratelimit"].startswith('"user";r=2;t=')
        document = await problem(answers[3], 429, "quota-exceeded")
        assert document["violated-policies"] == ["user"]
        assert 1 <= int(answers[3].headers["retry-after"]) <= 1200
        assert other.status == 200

    async def test_is_shared_by_all_gateways(self, configured, start, issuer):
        settings = configured(user_quota=10, user_window=HOUR)
        headers = bearer(issuer.token(sub=person(3)))
        async with (
            start(settings) as one,
            start(settings) as two,
            session_to(f"http://127.0.0.1:{one.http_port}") as first,
            session_to(f"http://127.0.0.1:{two.http_port}") as second,
        ):
            calls = [Client(s).get("/v1/courses/a", headers=headers) for s in (first, second) * 10]
            statuses = [answer.status for answer in await asyncio.gather(*calls)]

        assert sorted(statuses) == [200] * 10 + [429] * 10

    async def test_is_kept_locally_without_redis(self, configured, start, issuer, redis):
        redis.stop()
        async with (
            start(
                configured(user_quota=4, user_window=HOUR, replicas=2, cache_url=redis.url)
            ) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            headers = bearer(issuer.token())
            answers = [
                await Client(session).get("/v1/courses/a", headers=headers) for _ in range(3)
            ]

        assert [answer.status for answer in answers] == [200, 200, 429]

    async def test_of_an_address_counts_failures_only(self, configured, start, redis):
        async with (
            start(configured(failure_quota=5, failure_window=HOUR, cache_url=redis.url)) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            http = Client(session)
            good = [(await http.get("/v1/public")).status for _ in range(20)]
            bad = [(await http.get("/v1/courses/a")).status for _ in range(5)]
            blocked = await http.get("/v1/public")

        assert good == [200] * 20
        assert bad == [401] * 5
        await problem(blocked, 429, "quota-exceeded")

    async def test_of_an_address_is_the_same_whatever_address_the_client_claims(
        self, configured, start, redis
    ):
        async with (
            start(configured(failure_quota=5, failure_window=HOUR, cache_url=redis.url)) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            http = Client(session)
            claimed = [{"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": "::1"} for n in range(6)]
            answers = [await http.get("/v1/courses/a", headers=each) for each in claimed]

        assert [answer.status for answer in answers] == [401] * 5 + [429]


class TestPages:
    async def test_describe_what_the_table_offers(self, http):
        document = await (await http.get("/openapi.json")).json()

        assert set(document["paths"]) == {"/v1/public"}

    async def test_come_from_here_alone(self, http):
        page = await http.get("/docs")

        assert page.status == 200
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "http://" not in await page.text()
        assert "https://" not in await page.text()
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js", "openapi.json"):
            assert (await http.get(f"/docs/{name}")).status == 200
        assert (await http.get("/docs/index.html")).status == 404


class TestProbes:
    async def test_are_the_gateways_own(self, http):
        assert (await http.get("/livez")).status == 200
        assert (await (await http.get("/readyz")).json())["components"]["keys"] == "ok"
        await http.get("/v1/public")
        text = await (await http.get("/metrics")).text()
        assert 'route="/v1/public",service="gateway",status="200"' in text
