"""Made-up notifications of every kind, for those who look after the platform's templates."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.notification.domain.kinds import Kind
from kourse.notification.schemas import previews as schemas
from kourse.notification.service import rendering, samples

router = APIRouter(prefix="/v1/notifications/previews", tags=["notifications"])
Keeper = Annotated[Actor, allow(Permission.PLATFORM_OPERATE)]
Wanted = Annotated[Kind | None, Query(alias="type", description="One kind alone.")]
Language = Annotated[str, Query(description="Language to show them in.", max_length=35)]


@router.get("")
async def preview_notifications(
    actor: Keeper, kind: Wanted = None, lang: Language = rendering.LOCALES[0]
) -> schemas.Previews:
    """What people are told, by kind, with made-up facts: in the feed, as text and as HTML."""
    del actor
    kinds = [kind] if kind else list(Kind)
    return schemas.Previews(
        language=rendering.best_locale(lang),
        items=[schemas.Preview.of(one, samples.preview(one, lang)) for one in kinds],
    )
