"""A learner's points and why each was given, and their streak."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit
from kourse.notification.api.positions import position
from kourse.notification.schemas import points as schemas
from kourse.notification.service import standing

router = APIRouter()
Learner = Annotated[Actor, allow(Permission.POINTS_OWN)]


@router.get("/v1/points", tags=["points"])
async def read_points(
    tx: Transaction, actor: Learner, limit: Limit = 20, after: After = None
) -> schemas.PointsView:
    """The learner's own points and level, and a sentence for every entry of the ledger."""
    reached = await standing.of(tx, actor.user_id)
    entries = await standing.explained_entries(
        tx, actor.user_id, after=position(after), limit=limit + 1
    )
    shown, following = Cursor.page(
        entries, limit, key=lambda one: (one.entry.earned_at, one.entry.id)
    )
    return schemas.PointsView(
        points=reached.points,
        level=reached.level,
        next_level_at=reached.next_level_at,
        entries=[schemas.PointsEntryView.of(one) for one in shown],
        next=following,
    )


@router.get("/v1/streak", tags=["points"])
async def read_streak(tx: Transaction, actor: Learner) -> schemas.StreakView:
    """The learner's own days of study in a row, by their own calendar, and the freeze days put by."""
    return schemas.StreakView.of(await standing.days(tx, actor.user_id))
