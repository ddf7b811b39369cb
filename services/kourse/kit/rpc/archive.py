"""The archive of published events over gRPC: the producer's side and the consumer's, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kourse.contracts import events
from kourse.contracts.errors import Forbidden, Malformed
from kourse.contracts.events import Stream
from kourse.kit.archive import read
from kourse.kit.inbox.cursor import Arrival
from kourse.kit.rpc.server import caller
from kourse_rpc.events.v1 import events_pb2 as pb
from kourse_rpc.events.v1 import events_pb2_grpc

if TYPE_CHECKING:
    import grpc.aio

    from kourse.kit.runtime import Runtime

FETCH_S = 10.0
"""Seconds for one page, which waits for nobody's request."""


class ArchiveServicer(events_pb2_grpc.ArchiveServiceServicer):
    """Gives a service's published events to the consumers of their streams."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def Fetch(  # noqa: N802 - the name in the protocol
        self,
        request: pb.FetchRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.FetchResponse:
        """A page of an entity's events.

        Raises:
            Malformed: There is no such stream.
            Forbidden: The caller is no consumer of the stream.
        """
        if request.stream not in set(Stream):
            raise Malformed(f"There is no stream {request.stream!r}.")
        if request.stream not in events.streams_of(caller()):
            raise Forbidden(f"The catalog does not send the stream {request.stream} to {caller()}.")
        async with self._runtime.database.transaction(request.tenant) as tx:
            page = await read(
                tx, request.stream, request.entity, request.after_seq, request.before_seq
            )
        return pb.FetchResponse(
            events=[
                pb.ArchivedEvent(
                    headers={name: str(value) for name, value in kept.headers.items()},
                    payload=kept.payload,
                )
                for kept in page
            ]
        )


def register(server: grpc.aio.Server, runtime: Runtime) -> None:
    """Adds the servicer to a server."""
    events_pb2_grpc.add_ArchiveServiceServicer_to_server(ArchiveServicer(runtime), server)


class RpcArchive:
    """The producers' archives as a consumer sees them; an ``inbox.Archive``."""

    def __init__(self, runtime: Runtime) -> None:
        """Calls nobody yet.

        Args:
            runtime: Of the consumer's service.
        """
        self._runtime = runtime

    async def fetch(
        self, tenant: str, stream: str, entity: str, after_seq: int, before_seq: int
    ) -> Sequence[Arrival]:
        """The archived events of an entity between two numbers, both exclusive, in their order.

        May be fewer than there are, but then the first of them; none when the archive holds none.

        Raises:
            Unavailable: The producer does not answer, or refuses.
        """
        stub = events_pb2_grpc.ArchiveServiceStub(
            self._runtime.rpc(events.producer_of(Stream(stream)))
        )
        page = await stub.Fetch(
            pb.FetchRequest(
                tenant=tenant,
                stream=stream,
                entity=entity,
                after_seq=after_seq,
                before_seq=before_seq,
            ),
            timeout=FETCH_S,
        )
        return [Arrival.of(dict(event.headers), event.payload) for event in page.events]
