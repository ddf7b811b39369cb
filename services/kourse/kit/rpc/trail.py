"""The audit trail over gRPC, as services see it that do not keep it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from kourse.contracts.errors import Malformed
from kourse.kit.audit.entries import Entry
from kourse_rpc.audit.v1 import audit_pb2 as pb
from kourse_rpc.audit.v1 import audit_pb2_grpc

if TYPE_CHECKING:
    from kourse.kit.runtime import Runtime

APPEND_S = 10.0
"""Seconds for one batch, which nobody waits for."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class RpcTrail:
    """Identity's trail; an ``audit.Trail``.

    Args:
        runtime: Of the service that records.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def append(self, entries: Sequence[Entry]) -> None:
        """The entries are in the trail.

        Raises:
            KourseError: Identity does not answer, or refuses.
        """
        stub = audit_pb2_grpc.TrailServiceStub(self._runtime.rpc("identity"))
        request = pb.AppendRequest(entries=[written(entry) for entry in entries])
        await stub.Append(request, timeout=APPEND_S)


def written(entry: Entry) -> pb.Entry:
    """The entry as a message."""
    return pb.Entry(
        id=str(entry.id),
        tenant=entry.tenant,
        at_us=(entry.at - _EPOCH) // _MICROSECOND,
        actor=entry.actor,
        action=entry.action,
        target=entry.target,
        outcome=entry.outcome,
        detail=orjson.dumps(entry.detail),
        correlation=entry.correlation,
        address=entry.address,
    )


def read(message: pb.Entry) -> Entry:
    """The entry of a message.

    Raises:
        Malformed: It is none.
    """
    try:
        return Entry(
            id=UUID(message.id),
            tenant=message.tenant,
            at=_EPOCH + message.at_us * _MICROSECOND,
            actor=message.actor,
            action=message.action,
            target=message.target,
            outcome=message.outcome,
            detail=orjson.loads(message.detail),
            correlation=message.correlation,
            address=message.address,
        )
    except (ValueError, OverflowError):
        raise Malformed("This is no entry of an audit trail.") from None
