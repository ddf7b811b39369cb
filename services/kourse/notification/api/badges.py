"""A learner's badges."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.notification.schemas.badges import BadgesView
from kourse.notification.service import collecting

router = APIRouter()
Learner = Annotated[Actor, allow(Permission.POINTS_OWN)]


@router.get("/v1/badges", tags=["points"])
async def list_badges(tx: Transaction, actor: Learner) -> BadgesView:
    """The learner's own badges, and how far they are with those that they can still win."""
    return BadgesView.of(await collecting.collection(tx, actor.user_id))
