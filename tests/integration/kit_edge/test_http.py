"""A service's HTTP edge over real sockets: what is refused, and in what form."""

import asyncio
import io
import json
import logging
from uuid import UUID

import pytest
import structlog
from redis.asyncio import Redis

from kourse.kit import telemetry
from support.client import Client, session_to
from support.serving import running
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEARNER = str(UUID(int=7))


def bearer(token, **headers):
    return {"authorization": f"Bearer {token}", **headers}


async def problem(response, status, code):
    """The problem document of a response, which must be one."""
    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    document = await response.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"https://kourse.dev/problems/{code}"
    assert document["instance"] == response.headers["x-request-id"]
    assert document["title"]
    assert document["detail"]
    return document


class TestToken:
    async def test_missing_is_401(self, http):
        response = await http.get("/v1/me")

        await problem(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"] == "Bearer"

    async def test_of_a_learner_opens_their_routes(self, http, issuer):
        response = await http.get("/v1/me", headers=bearer(issuer.token()))

        assert await response.json() == {"userId": LEARNER, "tenant": "demo"}

    async def test_without_the_role_is_403(self, http, issuer):
        response = await http.get("/v1/members", headers=bearer(issuer.token()))

        document = await problem(response, 403, "forbidden")
        assert document["detail"] == "Managing memberships needs the tenant admin role."

    async def test_tampered_is_401(self, http, issuer):
        response = await http.get("/v1/me", headers=bearer(f"{issuer.token()}x"))

        await problem(response, 401, "unauthenticated")

    async def test_twice_is_400(self, http, issuer):
        twice = [("authorization", f"Bearer {issuer.token()}")] * 2

        await problem(await http.get("/v1/me", headers=twice), 400, "malformed")

    async def test_longer_than_8_kib_is_400(self, http):
        response = await http.get("/v1/me", headers=bearer("a" * 8193, x="y"))

        await problem(response, 400, "malformed")

    async def test_in_the_address_is_400(self, http, issuer):
        response = await http.get(f"/v1/me?access_token={issuer.token()}")

        await problem(response, 400, "malformed")

    @pytest.mark.parametrize("scheme", ["Basic", "DPoP", ""])
    async def test_of_another_scheme_is_401(self, http, issuer, scheme):
        headers = {"authorization": f"{scheme} {issuer.token()}".strip()}

        await problem(await http.get("/v1/me", headers=headers), 401, "unauthenticated")

    async def test_of_another_tenant_than_the_host_is_401(self, http, issuer):
        foreign = bearer(issuer.token(), host="other.kourse.test")
        own = bearer(issuer.token(), host="demo.kourse.test:8080")

        await problem(await http.get("/v1/me", headers=foreign), 401, "unauthenticated")
        assert (await http.get("/v1/me", headers=own)).status == 200

    async def test_with_a_scoped_role_enters_scoped_routes_only(self, http, issuer):
        headers = bearer(issuer.token(scopes=["teacher@cohort:a"]))

        assert await (await http.get("/v1/cohorts/a", headers=headers)).json() is True
        assert await (await http.get("/v1/cohorts/b", headers=headers)).json() is False

    async def test_cannot_be_replaced_by_headers(self, http):
        headers = {"X-User-Id": LEARNER, "X-Roles": "tenant-admin", "X-Tenant": "demo"}

        await problem(await http.get("/v1/me", headers=headers), 401, "unauthenticated")


class TestRevocation:
    async def test_of_a_log_in_ends_its_tokens(self, http, issuer, redis):
        async with Redis.from_url(redis.url) as store:
            await store.set("deny:sid:gone", "1", ex=300)

        response = await http.get("/v1/me", headers=bearer(issuer.token(sid="gone")))

        await problem(response, 401, "unauthenticated")
        assert (await http.get("/v1/me", headers=bearer(issuer.token()))).status == 200

    async def test_of_a_person_ends_tokens_issued_before(self, http, issuer, redis):
        person = str(UUID(int=8))
        old, new = issuer.token(sub=person, iat=1000.0), issuer.token(sub=person)
        async with Redis.from_url(redis.url) as store:
            await store.set(f"nbf:user:{person}", "1000.5")

        await problem(await http.get("/v1/me", headers=bearer(old)), 401, "unauthenticated")
        assert (await http.get("/v1/me", headers=bearer(new))).status == 200

    async def test_unknown_closes_administrators_routes_only(self, tiny, issuer):
        headers = bearer(issuer.token(roles=["tenant-admin"]))
        async with (
            running(tiny(token_store_url="redis://127.0.0.1:1/0")) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            response = await Client(session).get("/v1/members", headers=headers)
            learner = await Client(session).get("/v1/me", headers=headers)

        document = await problem(response, 503, "unavailable")
        assert int(response.headers["retry-after"]) >= 1
        assert "Log-ins" in document["detail"]
        assert learner.status == 200


class TestBody:
    async def test_that_is_right_is_taken(self, http):
        response = await http.post("/v1/notes", json={"firstWord": "a", "score": 1})

        assert (response.status, await response.json()) == (201, {"word": "a", "tenant": "demo"})

    async def test_names_every_wrong_field_and_no_value(self, http):
        body = {"firstWord": 1, "score": "s3cret", "extra": 1, "owner": "s3cret", "email": "s3cret"}

        response = await http.post("/v1/notes", json=body)

        document = await problem(response, 422, "invalid")
        assert {error["field"] for error in document["errors"]} == set(body)
        assert {error["pointer"] for error in document["errors"]} == {f"#/{name}" for name in body}
        assert "s3cret" not in json.dumps(document)

    @pytest.mark.parametrize(
        "text", ["{", "[1,]", '{"score": 1, "score": 2}', "[" * 40 + "]" * 40, "NaN"]
    )
    async def test_that_is_no_strict_json_is_400(self, http, text):
        headers = {"content-type": "application/json"}

        await problem(await http.post("/v1/notes", data=text, headers=headers), 400, "malformed")

    async def test_above_1_mib_is_413_also_in_chunks(self, http):
        async def chunks():
            for _ in range(20):
                yield b" " * 65_536

        headers = {"content-type": "application/json"}
        declared = await http.post("/v1/notes", data=io.BytesIO(b" " * 1_048_577), headers=headers)
        chunked = await http.post("/v1/notes", data=chunks(), headers=headers)

        await problem(declared, 413, "too-large")
        await problem(chunked, 413, "too-large")

    async def test_missing_or_of_another_type_is_422(self, http):
        await problem(await http.post("/v1/notes"), 422, "invalid")
        await problem(await http.post("/v1/notes", data="text"), 422, "invalid")


class TestFailure:
    async def test_at_no_address_is_404(self, http):
        await problem(await http.get("/v1/nowhere"), 404, "not-found")
        await problem(await http.get("/v1/me/"), 404, "not-found")

    async def test_with_another_method_is_405(self, http):
        response = await http.delete("/v1/notes")

        await problem(response, 405, "method-not-allowed")
        assert response.headers["allow"] == "POST"

    async def test_of_the_catalog_keeps_its_members(self, http):
        document = await problem(await http.get("/v1/fail/conflict"), 409, "conflict")

        assert (document["detail"], document["closedAt"]) == ("It is closed.", "noon")

    async def test_says_when_to_come_again(self, http):
        response = await http.get("/v1/fail/slow-down")

        await problem(response, 429, "quota-exceeded")
        assert response.headers["retry-after"] == "2"

    async def test_of_ours_tells_nothing(self, http):
        document = await problem(await http.get("/v1/fail/bug"), 500, "internal")

        assert "s3cret" not in json.dumps(document)

    async def test_of_a_back_end_is_503(self, http):
        response = await http.get("/v1/fail/redis")

        await problem(response, 503, "unavailable")
        assert response.headers["retry-after"] == "2"


class TestAnswer:
    async def test_keeps_a_well_formed_request_id_only(self, http):
        kept = await http.get("/v1/nowhere", headers={"x-request-id": "request-0001"})
        replaced = await http.get("/v1/nowhere", headers={"x-request-id": "<script>"})

        assert kept.headers["x-request-id"] == "request-0001"
        assert replaced.headers["x-request-id"] != "<script>"

    async def test_says_nothing_of_the_server(self, http):
        response = await http.get("/v1/nowhere")

        assert "server" not in response.headers
        assert response.headers["x-content-type-options"] == "nosniff"


class TestProbes:
    async def test_are_open_and_not_described(self, http):
        for path in ("/livez", "/readyz", "/startupz", "/metrics", "/buildinfo"):
            assert (await http.get(path)).status == 200, path
        described = await (await http.get("/openapi.json")).json()
        assert "/livez" not in described["paths"]

    async def test_say_what_is_missing_but_not_needed(self, http):
        body = await (await http.get("/readyz")).json()

        assert body["missing"] == ["cache"]
        assert body["components"]["token_store"] == "ok"

    async def test_tell_in_figures_how_back_ends_are_when_they_are_asked(self, http):
        text = await (await http.get("/metrics")).text()

        assert 'kourse_component_up{component="token_store",service="tiny"} 1.0' in text
        assert 'kourse_component_up{component="cache",service="tiny"} 0.0' in text

    async def test_count_requests_by_route(self, http, issuer):
        await http.get("/v1/cohorts/some-name", headers=bearer(issuer.token()))
        text = await (await http.get("/metrics")).text()

        assert 'route="/v1/cohorts/{cohort}",service="tiny",status="403"' in text
        assert "some-name" not in text
        assert "kourse_http_request_duration_seconds_bucket" in text


class TestDescription:
    async def test_has_problems_permissions_and_stable_ids(self, http):
        document = await (await http.get("/openapi.json")).json()
        operation = document["paths"]["/v1/members"]["get"]

        assert operation["operationId"] == "tiny_members"
        assert operation["x-permission"] == "membership:manage"
        assert operation["security"] == [{"bearer": []}]
        schema = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}
        assert document["components"]["schemas"]["Problem"]["required"]
        assert "HTTPValidationError" not in document["components"]["schemas"]


class TestClientThatLeaves:
    async def test_harms_nobody(self, service, http):
        _, writer = await asyncio.open_connection("127.0.0.1", service.http_port)
        writer.write(b"POST /v1/notes HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

        assert (await http.get("/livez")).status == 200


class TestLog:
    @pytest.fixture
    def lines(self):
        root = logging.getLogger()
        before = (root.handlers, root.level, structlog.get_config())
        stream = io.BytesIO()
        telemetry.configure_logs("tiny", "INFO", stream)
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
        root.handlers, root.level = before[:2]
        structlog.configure(**before[2])

    async def test_joins_request_trace_tenant_and_subject(self, lines, http, issuer):
        def of(correlation):
            return [line for line in lines() if line.get("correlation") == correlation]

        trace = "80f198ee56343ba864fe8b2a57d3eff7"
        headers = bearer(
            issuer.token(),
            **{"x-request-id": "joined-0001", "traceparent": f"00-{trace}-e457b5a2e4d86bd1-01"},
        )
        await http.get("/v1/me", headers=headers)
        await http.get("/v1/fail/bug", headers={"x-request-id": "joined-0002"})

        await until(lambda: len(of("joined-0001")) == 1 and len(of("joined-0002")) == 2)
        (request,) = of("joined-0001")
        assert (request["event"], request["route"], request["status"]) == ("request", "/v1/me", 200)
        assert (request["tenant"], request["subject"]) == ("demo", LEARNER)
        assert request["trace_id"] == trace
        failed, answered = of("joined-0002")
        assert (failed["event"], failed["level"]) == ("request failed", "error")
        assert "RuntimeError" in failed["exception"]
        assert "subject" not in answered
        assert issuer.token()[:20] not in str(lines())
