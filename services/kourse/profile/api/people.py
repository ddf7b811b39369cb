"""Routes of a person's own profile and goals."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.profile import schemas
from kourse.profile.api.versions import IfMatch, etag_of, version_of
from kourse.profile.service import goals, people

router = APIRouter(tags=["profile"])
Owner = Annotated[Actor, allow(Permission.PROFILE_OWN)]
NO_TARGET = "9999-12-31"


@router.get("/v1/profile", summary="Your profile")
async def read_profile(actor: Owner, tx: Transaction, response: Response) -> schemas.ProfileView:
    """The profile, made when you registered; its ETag guards changes."""
    found = schemas.ProfileView.model_validate(await people.get(tx, actor.user_id))
    response.headers["ETag"] = etag_of(found.version)
    return found


@router.patch("/v1/profile", summary="Change your profile")
async def change_profile(
    actor: Owner,
    tx: Transaction,
    body: schemas.ProfileChange,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.ProfileView:
    """The profile with the values sent; with If-Match only when nobody changed it since."""
    values = {
        name: value
        for name, value in body.model_dump(exclude_unset=True, mode="json").items()
        if value is not None
    }
    changed = await people.change(tx, actor.user_id, values, seen_version=version_of(if_match))
    response.headers["ETag"] = etag_of(changed.version)
    return schemas.ProfileView.model_validate(changed)


@router.delete("/v1/profile", status_code=204, summary="Forget what you said of yourself")
async def reset_profile(actor: Owner, tx: Transaction, if_match: IfMatch = None) -> None:
    """Level, pace, preferences, goals, plans and the calendar's link are as on the first day.

    Your name and language stay; who wants to be forgotten altogether deletes the account.
    """
    await people.reset(tx, actor.user_id, seen_version=version_of(if_match))


@router.get("/v1/profile/goals", summary="Your goals")
async def list_goals(
    actor: Owner, tx: Transaction, limit: Limit = 20, after: After = None
) -> Page[schemas.GoalView]:
    """Goals, the nearest target first, those without a target last."""
    found = await goals.list_own(tx, actor.user_id, _start(after), limit + 1)
    items, following = Cursor.page(
        found, limit, key=lambda row: (str(row.target_on or NO_TARGET), str(row.id))
    )
    return Page(items=[schemas.GoalView.model_validate(row) for row in items], next=following)


def _start(after: str | None) -> tuple[date, UUID] | None:
    key = Cursor.decode(after, 2)
    try:
        return (date.fromisoformat(str(key[0])), UUID(str(key[1]))) if key else None
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None


@router.post("/v1/profile/goals", status_code=201, summary="Set a goal")
async def add_goal(
    actor: Owner,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    body: schemas.NewGoal,
) -> schemas.GoalView:
    """The new goal."""
    goal = {"title": body.title, "course": body.course, "target_on": body.target_date}
    made = schemas.GoalView.model_validate(await goals.add(tx, actor.user_id, goal))
    return await key.remember(tx, 201, made)


@router.patch("/v1/profile/goals/{goal_id}", summary="Change a goal")
async def change_goal(
    actor: Owner, tx: Transaction, goal_id: UUID, body: schemas.GoalChange
) -> schemas.GoalView:
    """The goal with the values sent."""
    sent = body.model_dump(exclude_unset=True)
    values = {
        name: value for name in ("title", "achieved") if (value := sent.get(name)) is not None
    }
    if "target_date" in sent:
        values["target_on"] = sent["target_date"]
    changed = await goals.change(tx, actor.user_id, goal_id, values)
    return schemas.GoalView.model_validate(changed)


@router.delete("/v1/profile/goals/{goal_id}", status_code=204, summary="Delete a goal")
async def delete_goal(actor: Owner, tx: Transaction, goal_id: UUID) -> None:
    """The goal is gone."""
    await goals.delete(tx, actor.user_id, goal_id)
