"""Leaderboards of cohorts: only those stand there who chose to, and only members look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound, Unavailable
from kourse.kit.auth import Actor
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse.notification.domain.leaderboards import Place, ranked
from kourse.notification.repository import boards
from kourse.notification.repository.boards import Board
from kourse_rpc.profile.v1.profile_pb2 import ListProfilesRequest
from kourse_rpc.profile.v1.profile_pb2_grpc import ProfileServiceStub

DEADLINE_S = 1.0
log = get_logger(__name__)


@dataclass(frozen=True)
class Standings:
    """A leaderboard.

    Attributes:
        board: Whose it is.
        places: The best, those who share a rank together.
        shown: How many stand on it.
        own: The reader's own points.
        rank: The reader's own rank; None while they do not stand on it.
        names: Display names by learner, as far as profile told them.
    """

    board: Board
    places: Sequence[Place]
    shown: int
    own: int
    rank: int | None
    names: dict[UUID, str]


async def list_boards(tx: AsyncSession, learner_id: UUID) -> list[Board]:
    """The boards that the learner may look at."""
    return await boards.list_boards(tx, learner_id)


async def show(tx: AsyncSession, learner_id: UUID, cohort: str) -> None:
    """The learner stands on the cohort's board from now on.

    Raises:
        NotFound: They are in no such cohort.
    """
    await boards.show(tx, (await _board(tx, learner_id, cohort)).cohort_id, learner_id)


async def hide(tx: AsyncSession, learner_id: UUID, cohort: str) -> None:
    """The learner stands on the cohort's board no more.

    Raises:
        NotFound: They are in no such cohort.
    """
    await boards.hide(tx, (await _board(tx, learner_id, cohort)).cohort_id, learner_id)


async def standings(runtime: Runtime, actor: Actor, cohort: str, *, limit: int) -> Standings:
    """The cohort's board for one of its members; without names while profile does not answer.

    Args:
        runtime: The service.
        actor: Who looks.
        cohort: The cohort's name.
        limit: Most places.

    Raises:
        NotFound: They are in no such cohort.
    """
    async with runtime.database.transaction(actor.tenant) as tx:
        board = await _board(tx, actor.user_id, cohort)
        points = await boards.points_of_shown(tx, board.cohort_id, board.run) if board.run else {}
        own = points.get(actor.user_id)
        if own is None:
            alone = await boards.points_in(tx, [actor.user_id], board.run) if board.run else {}
            own = alone.get(actor.user_id, 0)
    places = ranked(points)
    mine = next((one.rank for one in places if one.learner_id == actor.user_id), None)
    names = await _names(runtime, actor.tenant, [one.learner_id for one in places[:limit]])
    return Standings(board, places[:limit], len(places), own, mine, names)


async def _board(tx: AsyncSession, learner_id: UUID, cohort: str) -> Board:
    found = await boards.list_boards(tx, learner_id, name=cohort)
    if not found:
        raise NotFound(f"You are in no cohort {cohort!r}.")
    return found[0]


async def _names(runtime: Runtime, tenant: str, learners: Sequence[UUID]) -> dict[UUID, str]:
    if not learners:
        return {}
    request = ListProfilesRequest(tenant=tenant, learner_ids=[str(one) for one in learners])
    try:
        stub = ProfileServiceStub(runtime.rpc("profile"))
        answer = await stub.ListProfiles(request, timeout=DEADLINE_S)
    except Unavailable as error:
        log.warning("leaderboard.without_names", reason=error.detail)
        return {}
    return {UUID(one.learner_id): one.display_name for one in answer.profiles}
