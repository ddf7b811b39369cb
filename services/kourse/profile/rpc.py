"""gRPC of profile: profiles, goals and members."""

from __future__ import annotations

from typing import Any

import grpc.aio

from kourse.kit.rpc import requests
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
        learners = requests.learner_ids(request.learner_ids)
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
        learner = requests.learner_id(request.learner_id)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await roster.goals(tx, learner)
        return pb.ListGoalsResponse(goals=map(_goal, found))

    async def BatchListGoals(  # noqa: N802 - the name in the protocol
        self,
        request: pb.BatchListGoalsRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.BatchListGoalsResponse:
        """Goals of several learners, each one's nearest target date first."""
        learners = requests.learner_ids(request.learner_ids)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await roster.goals_of(tx, learners)
        return pb.BatchListGoalsResponse(
            learners=[
                pb.LearnerGoals(learner_id=str(learner), goals=map(_goal, goals))
                for learner, goals in found.items()
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
        return pb.ListMembersResponse(members=map(_member, found))

    async def BatchListMembers(  # noqa: N802 - the name in the protocol
        self,
        request: pb.BatchListMembersRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.BatchListMembersResponse:
        """Members of several cohorts."""
        names = requests.names(request.cohorts)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await roster.members_of(tx, names)
        return pb.BatchListMembersResponse(
            cohorts=[
                pb.CohortMembers(cohort=name, members=map(_member, members))
                for name, members in found.items()
            ]
        )


def _goal(row: Any) -> pb.Goal:
    return pb.Goal(
        id=str(row.id),
        title=row.title,
        target_date=row.target_on.isoformat() if row.target_on else "",
        achieved=row.achieved_at is not None,
    )


def _member(row: Any) -> pb.Member:
    return pb.Member(learner_id=str(row.user_id), role=row.role)


def register(server: grpc.aio.Server, runtime: Runtime) -> None:
    """Adds the servicer to a server."""
    profile_pb2_grpc.add_ProfileServiceServicer_to_server(ProfileServicer(runtime), server)
