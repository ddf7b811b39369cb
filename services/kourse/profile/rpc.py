"""gRPC of profile: profiles, goals and members."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import grpc.aio

from kourse.contracts.errors import Malformed
from kourse.kit.runtime import Runtime
from kourse.profile.service import roster
from kourse_rpc.profile.v1 import profile_pb2 as pb
from kourse_rpc.profile.v1 import profile_pb2_grpc


class ProfileServicer(profile_pb2_grpc.ProfileServiceServicer):
    """Answers siblings; each call opens a transaction of its own."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def ListProfiles(  # noqa: N802 - the name in the protocol
        self,
        request: pb.ListProfilesRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ListProfilesResponse:
        """Profiles of several learners."""
        learners = [_uuid(text) for text in request.learner_ids]
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await roster.profiles(tx, learners)
        return pb.ListProfilesResponse(
            profiles=[
                pb.Profile(
                    learner_id=str(row.user_id),
                    display_name=row.display_name,
                    level=row.level,
                    time_zone=row.time_zone,
                    locale=row.locale,
                )
                for row in found
            ]
        )

    async def ListGoals(  # noqa: N802 - the name in the protocol
        self,
        request: pb.ListGoalsRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ListGoalsResponse:
        """A learner's goals, nearest target date first."""
        learner = _uuid(request.learner_id)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await roster.goals(tx, learner)
        return pb.ListGoalsResponse(
            goals=[
                pb.Goal(
                    id=str(row.id),
                    title=row.title,
                    target_date=row.target_on.isoformat() if row.target_on else "",
                    achieved=row.achieved_at is not None,
                )
                for row in found
            ]
        )

    async def ListMembers(  # noqa: N802 - the name in the protocol
        self,
        request: pb.ListMembersRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ListMembersResponse:
        """Members of a cohort."""
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await roster.cohort_members(tx, request.cohort)
        return pb.ListMembersResponse(
            members=[pb.Member(learner_id=str(row.user_id), role=row.role) for row in found]
        )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Malformed(f"{text!r} is not a UUID.") from None


def register(server: grpc.aio.Server, runtime: Runtime) -> None:
    """Adds the servicer to a server."""
    profile_pb2_grpc.add_ProfileServiceServicer_to_server(ProfileServicer(runtime), server)
