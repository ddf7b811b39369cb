"""Points, level and unread notices for siblings."""

from __future__ import annotations

from uuid import UUID

import grpc.aio

from kourse.contracts.errors import Malformed
from kourse.kit.db import Database
from kourse.kit.runtime import Runtime
from kourse.notification.service import reading, standing
from kourse_rpc.notification.v1 import notification_pb2, notification_pb2_grpc


class NotificationServicer(notification_pb2_grpc.NotificationServiceServicer):
    """Answers siblings; the kit's interceptors have checked who calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def GetStanding(  # noqa: N802 - the procedure's name
        self, request: notification_pb2.GetStandingRequest, _context: object
    ) -> notification_pb2.GetStandingResponse:
        """Points, level and number of unread entries; zeros for somebody who is not known."""
        try:
            learner_id = UUID(request.learner_id)
        except ValueError:
            raise Malformed("The learner's id is not a UUID.") from None
        async with self._database.transaction(request.tenant) as tx:
            reached = await standing.of(tx, learner_id)
            unread = await reading.count_unread(tx, learner_id)
        return notification_pb2.GetStandingResponse(
            points=reached.points, level=reached.level, unread=unread
        )


def register(server: grpc.aio.Server, runtime: Runtime) -> None:
    """Offers the service on a server."""
    servicer = NotificationServicer(runtime.database)
    notification_pb2_grpc.add_NotificationServiceServicer_to_server(servicer, server)
