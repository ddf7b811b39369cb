"""Every failure of the catalog survives the way through gRPC."""

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from kourse.contracts.errors import (
    DeadlineExceeded,
    Forbidden,
    KourseError,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from kourse.kit.rpc.statuses import error_of, status_of, trailers_of

CATALOG = [kind for kind in KourseError.catalog.values() if kind.__module__.startswith("kourse.contracts")]  # fmt: skip
OF_THE_CALLER = (Unauthenticated, Forbidden)


def sent(failure):
    """The failure as the other side gets it."""
    return AioRpcError(
        status_of(failure), Metadata(), Metadata(*trailers_of(failure)), details=failure.detail
    )


def trouble(code):
    return AioRpcError(code, Metadata(), Metadata())


class TestErrorOf:
    @pytest.mark.parametrize(
        "kind", [k for k in CATALOG if k not in OF_THE_CALLER], ids=lambda kind: kind.code
    )
    def test_gives_the_same_failure_back(self, kind):
        failure = error_of(sent(kind("Why.", retry_after_s=1.5)))

        assert (type(failure), failure.detail, failure.retry_after_s) == (kind, "Why.", 1.5)

    @pytest.mark.parametrize("kind", OF_THE_CALLER)
    def test_blames_no_person_for_a_refused_service(self, kind):
        assert type(error_of(sent(kind()))) is Unavailable

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (grpc.StatusCode.UNAVAILABLE, Unavailable),
            (grpc.StatusCode.DEADLINE_EXCEEDED, DeadlineExceeded),
            (grpc.StatusCode.CANCELLED, Unavailable),
            (grpc.StatusCode.RESOURCE_EXHAUSTED, Unavailable),
            (grpc.StatusCode.NOT_FOUND, NotFound),
            (grpc.StatusCode.UNIMPLEMENTED, KourseError),
            (grpc.StatusCode.INTERNAL, KourseError),
        ],
    )
    def test_names_trouble_on_the_way(self, code, kind):
        assert type(error_of(trouble(code))) is kind


class TestStatusOf:
    @pytest.mark.parametrize("kind", CATALOG, ids=lambda kind: kind.code)
    def test_is_a_failure_for_every_entry(self, kind):
        assert status_of(kind()) is not grpc.StatusCode.OK
