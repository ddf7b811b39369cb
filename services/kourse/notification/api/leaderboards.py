"""Leaderboards of cohorts, and whether one stands on them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import Limit
from kourse.kit.runtime import CurrentRuntime
from kourse.notification.schemas import leaderboards as schemas
from kourse.notification.service import comparing

router = APIRouter()
Learner = Annotated[Actor, allow(Permission.POINTS_OWN)]
CohortName = Annotated[str, Path(max_length=63, description="Name of the cohort.")]


@router.get("/v1/leaderboards", tags=["points"])
async def list_leaderboards(tx: Transaction, actor: Learner) -> schemas.BoardList:
    """The leaderboards of the learner's cohorts, and on which of them they stand."""
    found = await comparing.list_boards(tx, actor.user_id)
    return schemas.BoardList(items=[schemas.BoardView.of(one) for one in found])


@router.get("/v1/leaderboards/{cohort}", tags=["points"])
async def read_leaderboard(
    runtime: CurrentRuntime, actor: Learner, cohort: CohortName, limit: Limit = 20
) -> schemas.StandingsView:
    """The best of those members who chose to be compared, and the reader's own points."""
    found = await comparing.standings(runtime, actor, cohort, limit=limit)
    return schemas.StandingsView.of(found, actor.user_id)


@router.put("/v1/leaderboards/{cohort}/place", status_code=204, tags=["points"])
async def take_place(tx: Transaction, actor: Learner, cohort: CohortName) -> None:
    """The learner's name, points and rank are shown to the cohort's members; again changes nothing."""
    await comparing.show(tx, actor.user_id, cohort)


@router.delete("/v1/leaderboards/{cohort}/place", status_code=204, tags=["points"])
async def give_up_place(tx: Transaction, actor: Learner, cohort: CohortName) -> None:
    """The learner is shown to nobody, at once; again changes nothing."""
    await comparing.hide(tx, actor.user_id, cohort)
