"""Calls between services over real gRPC: who may call, for how long, and what failures become."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kourse.contracts.errors import (
    Conflict,
    DeadlineExceeded,
    KourseError,
    NotFound,
    TooManyRequests,
    Unavailable,
)
from kourse.kit.rpc import caller, client
from kourse.kit.telemetry import accept_correlation, correlation_id, span, traceparent
from kourse_rpc.notification.v1 import notification_pb2, notification_pb2_grpc
from support.serving import Service, running, settings_of
from support.tokens import Issuer

PEER = "notification"
Request = notification_pb2.GetStandingRequest


class Standing(notification_pb2_grpc.NotificationServiceServicer):
    """Fails as the learner's id says, and notes what it saw."""

    def __init__(self):
        self.seen = {}

    async def GetStanding(self, request, context):  # noqa: N802 -- named by the contract
        self.seen = {
            "caller": caller(),
            "correlation": correlation_id(),
            "trace": traceparent(),
            "seconds": context.time_remaining(),
        }
        match request.learner_id:
            case "not-found":
                raise NotFound("No such learner.")
            case "conflict":
                raise Conflict("Not now.")
            case "slow-down":
                raise TooManyRequests("Later.", retry_after_s=7)
            case "redis":
                raise ConnectionError("s3cret address")
            case "bug":
                raise RuntimeError("s3cret internals")
            case "slow":
                await asyncio.sleep(30)
        return notification_pb2.GetStandingResponse(points=10)


@pytest.fixture
async def standing():
    return Standing()


@pytest.fixture
async def called(identity, standing):
    def register(server, _runtime):
        notification_pb2_grpc.add_NotificationServiceServicer_to_server(standing, server)

    settings = settings_of(PEER, jwks_url=f"{identity.url}/.well-known/jwks.json", development=True)
    async with running(Service(settings, PEER, servicers=[register])) as process:
        yield process


@pytest.fixture
async def calling(identity, called):
    settings = settings_of(
        "dashboard",
        identity_url=identity.url,
        client_secret="s3cret",
        notification_rpc_addr=f"127.0.0.1:{called.rpc_port}",
    )
    async with running(Service(settings, "dashboard")) as process:
        yield process.runtime


@pytest.fixture
def stub(calling):
    return notification_pb2_grpc.NotificationServiceStub(calling.rpc(PEER))


@pytest.fixture
async def stranger(called):
    """A stub without any of the kit's doing."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{called.rpc_port}") as channel:
        yield notification_pb2_grpc.NotificationServiceStub(channel)


def bearer(token):
    return (("authorization", f"Bearer {token}"),)


class TestCall:
    async def test_shows_who_calls_and_carries_trace_and_correlation(self, stub, standing):
        accept_correlation("request-0001")
        with span("outer"):
            answer = await stub.GetStanding(Request(tenant="demo"))
            trace = traceparent()[3:35]

        assert answer.points == 10
        assert standing.seen["caller"] == "dashboard"
        assert standing.seen["correlation"] == "request-0001"
        assert standing.seen["trace"][3:35] == trace
        # By the caller's clock; gRPC converts between clocks with an error of its own.
        assert 0 < standing.seen["seconds"] < client.DEADLINE_S + 1

    async def test_asks_identity_once_for_many_calls(self, stub, identity):
        for _ in range(5):
            await stub.GetStanding(Request())

        assert identity.asked == 1

    @pytest.mark.parametrize(
        ("learner", "failure", "detail"),
        [
            ("not-found", NotFound, "No such learner."),
            ("conflict", Conflict, "Not now."),
            ("slow-down", TooManyRequests, "Later."),
        ],
    )
    async def test_raises_the_siblings_own_failure(self, stub, learner, failure, detail):
        with pytest.raises(failure) as raised:
            await stub.GetStanding(Request(learner_id=learner))

        assert raised.value.detail == detail
        assert raised.value.retry_after_s == (7.0 if learner == "slow-down" else None)

    async def test_hides_the_siblings_internals(self, stub):
        with pytest.raises(KourseError) as bug:
            await stub.GetStanding(Request(learner_id="bug"))
        with pytest.raises(Unavailable) as outage:
            await stub.GetStanding(Request(learner_id="redis"))

        assert "s3cret" not in f"{bug.value.detail}{outage.value.detail}"

    async def test_ends_at_its_deadline(self, stub):
        with pytest.raises(DeadlineExceeded):
            await stub.GetStanding(Request(learner_id="slow"), timeout=0.2)

    async def test_is_unavailable_while_the_sibling_is_away(self, stub, called):
        await called.stop()

        with pytest.raises(Unavailable):
            await stub.GetStanding(Request())

    async def test_is_unavailable_while_identity_is_away(self, stub, identity):
        identity.is_down = True

        with pytest.raises(Unavailable):
            await stub.GetStanding(Request())

    async def test_needs_an_address(self, calling):
        with pytest.raises(Unavailable):
            calling.rpc("course")

    async def test_is_counted_on_both_sides(self, stub, calling):
        from prometheus_client import REGISTRY

        method = "/kourse_rpc.notification.v1.NotificationService/GetStanding"
        await stub.GetStanding(Request())

        served = {"service": PEER, "method": method, "code": "OK"}
        made = {"peer": PEER, "method": method, "code": "OK"}
        assert REGISTRY.get_sample_value("kourse_rpc_requests_total", served) >= 1
        assert REGISTRY.get_sample_value("kourse_rpc_client_calls_total", made) >= 1


class TestServer:
    @pytest.mark.parametrize(
        "metadata",
        [
            lambda issuer: (),
            lambda issuer: (("authorization", "Basic eDp5"),),
            lambda issuer: bearer("x.y.z"),
            lambda issuer: bearer(issuer.token()),
            lambda issuer: bearer(issuer.service_token("dashboard", "course")),
            lambda issuer: bearer(issuer.service_token("dashboard", PEER, exp=1)),
            lambda issuer: bearer(Issuer().service_token("dashboard", PEER)),
            lambda issuer: bearer(issuer.service_token("dashboard", PEER)) * 2,
        ],
        ids=["none", "basic", "broken", "a person's", "for another", "expired", "forged", "two"],
    )
    async def test_refuses_callers_without_a_token_for_it(self, stranger, issuer, metadata):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stranger.GetStanding(Request(), timeout=60, metadata=metadata(issuer))

        assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert ("kourse-code", "unauthenticated") in list(raised.value.trailing_metadata())

    async def test_refuses_calls_without_a_deadline(self, stranger, issuer):
        metadata = bearer(issuer.service_token("dashboard", PEER))

        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stranger.GetStanding(Request(), metadata=metadata)

        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT

    async def test_answers_health_checks_of_anybody(self, called):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{called.rpc_port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=60)

        assert answer.status == health_pb2.HealthCheckResponse.SERVING

    async def test_lists_its_methods_in_development(self, called):
        from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

        async with grpc.aio.insecure_channel(f"127.0.0.1:{called.rpc_port}") as channel:
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            asked = reflection_pb2.ServerReflectionRequest(list_services="")
            call = stub.ServerReflectionInfo(iter([asked]), timeout=60)
            (answer,) = [item async for item in call]

        names = {service.name for service in answer.list_services_response.service}
        assert "kourse_rpc.notification.v1.NotificationService" in names
