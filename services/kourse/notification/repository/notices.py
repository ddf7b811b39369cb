"""Rows of notifications, written together with their deliveries, and the feed that reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Integer, Text, Uuid, any_, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.kit.db import statement
from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.domain.preferences import Channel
from kourse.notification.repository import bell, hints
from kourse.notification.repository.wishes import mark
from kourse.notification.tables import SCHEMA, notification

_NOTIFY = """
WITH told AS (
  INSERT INTO {schema}.notification (id, tenant, user_id, kind, params, source_event, in_feed)
  SELECT gen_random_uuid(), :tenant, people.user_id, :kind, people.params, people.event,
    :in_feed AND NOT EXISTS (
      SELECT FROM {schema}.recipient
      WHERE tenant = :tenant AND user_id = people.user_id AND CAST(:mark AS text) = ANY(refused))
  FROM (%s) AS people
  ON CONFLICT (tenant, user_id, kind, source_event) DO NOTHING
  RETURNING id, tenant, user_id
), called AS (
  INSERT INTO {schema}.webhook_delivery (id, tenant, webhook_id, notification_id)
  SELECT gen_random_uuid(), told.tenant, hook.id, told.id
  FROM told JOIN {schema}.webhook AS hook ON hook.tenant = told.tenant AND hook.user_id = told.user_id
  WHERE :in_feed AND hook.disabled IS NULL
    AND (hook.kinds IS NULL OR CAST(:kind AS text) = ANY(hook.kinds))
    AND NOT EXISTS (
      SELECT FROM {schema}.recipient
      WHERE tenant = :tenant AND user_id = told.user_id AND CAST(:hook_mark AS text) = ANY(refused))
)
INSERT INTO {schema}.delivery (id, tenant, notification_id, channel, urgency)
SELECT gen_random_uuid(), tenant, id, 'email', :urgency FROM told WHERE :by_email
"""
_ONE_NOTICE = """
SELECT user_id, CAST(:params AS jsonb) AS params, CAST(:event AS uuid) AS event
FROM (%s) AS everybody
"""
_ONE = _ONE_NOTICE % "SELECT CAST(:user_id AS uuid) AS user_id"
_EACH = _ONE_NOTICE % "SELECT unnest(CAST(:user_ids AS uuid[])) AS user_id"
_EACH_THEIRS = """
SELECT user_id, CAST(params AS jsonb) AS params, event
FROM unnest(CAST(:user_ids AS uuid[]), CAST(:params AS text[]), CAST(:events AS uuid[]))
  AS everybody(user_id, params, event)
"""
_MEMBERS = (
    _ONE_NOTICE
    % """
  SELECT learner_id AS user_id FROM {schema}.cohort_member
  WHERE tenant = :tenant AND cohort_id = :cohort_id AND learner_id <> :author_id
  FOR KEY SHARE
"""
)
"""The lock has an erasure wait for this, which then takes along what was told here."""


@dataclass(frozen=True)
class Notice:
    """Something to tell.

    Attributes:
        params: What the templates need; ids and names, nothing personal, nothing secret.
        source_event: The event that it follows from; nobody is told twice for one event.
    """

    kind: Kind
    params: Mapping[str, Any]
    source_event: UUID


@dataclass(frozen=True)
class Telling:
    """What one of many is told; as in ``Notice``."""

    user_id: UUID
    params: Mapping[str, Any]
    source_event: UUID


@dataclass(frozen=True)
class Told:
    """A notification as its reader has it."""

    id: UUID
    kind: Kind
    params: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


async def tell(tx: AsyncSession, user_id: UUID, notice: Notice) -> None:
    """The person is told, once, by the channels of the kind."""
    bell.ring_after(tx)
    hints.touch(tx, [user_id])
    sql = statement(SCHEMA, _NOTIFY % _ONE)
    await tx.execute(sql, {**_values(tx, notice.kind), **_same(notice), "user_id": user_id})


async def tell_each(tx: AsyncSession, user_ids: Sequence[UUID], notice: Notice) -> None:
    """Each of these people is told, once, in one statement for all."""
    bell.ring_after(tx)
    hints.touch(tx, user_ids)
    sql = statement(SCHEMA, _NOTIFY % _EACH)
    await tx.execute(sql, {**_values(tx, notice.kind), **_same(notice), "user_ids": list(user_ids)})


async def tell_members(tx: AsyncSession, cohort_id: UUID, author_id: UUID, notice: Notice) -> None:
    """Every member of the cohort but the author is told, once, in one statement for all."""
    bell.ring_after(tx)
    hints.touch_everybody(tx)
    sql = statement(SCHEMA, _NOTIFY % _MEMBERS)
    who = {"cohort_id": cohort_id, "author_id": author_id}
    values = {**_values(tx, notice.kind), **_same(notice), **who}
    await tx.execute(sql, values)


async def tell_all(tx: AsyncSession, kind: Kind, tellings: Sequence[Telling]) -> None:
    """Each is told something of their own, once, in one statement for all."""
    if not tellings:
        return
    bell.ring_after(tx)
    hints.touch(tx, [one.user_id for one in tellings])
    columns = {
        "user_ids": [one.user_id for one in tellings],
        "params": [_json(one.params) for one in tellings],
        "events": [one.source_event for one in tellings],
    }
    sql = statement(SCHEMA, _NOTIFY % _EACH_THEIRS)
    await tx.execute(sql, {**_values(tx, kind), **columns})


async def first_runs_told(
    tx: AsyncSession, learner_ids: Sequence[UUID], attempt_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """The first grading run of each of these attempts that its learner was told of, where there is any.

    What is earlier than a run stays the same however often the run's event comes.
    """
    attempt_id = notification.c.params["attempt_id"].astext
    query = (
        select(
            attempt_id.label("attempt_id"),
            func.min(notification.c.params["run"].astext.cast(Integer)).label("run"),
        )
        .where(
            notification.c.user_id == any_(literal(list(learner_ids), ARRAY(Uuid))),
            notification.c.kind.in_([Kind.EXAM_GRADED.value, Kind.EXAM_REGRADED.value]),
            attempt_id == any_(literal([str(one) for one in attempt_ids], ARRAY(Text))),
        )
        .group_by(attempt_id)
    )
    return {UUID(row.attempt_id): row.run for row in (await tx.execute(query)).all()}


async def list_feed(
    tx: AsyncSession, user_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Told]:
    """A person's feed, newest first.

    Args:
        tx: A transaction of their tenant.
        user_id: Whose feed.
        after: Time and id of the last entry of the page before.
        limit: Most entries.
    """
    query = (
        select(notification)
        .where(notification.c.user_id == user_id, notification.c.in_feed)
        .order_by(notification.c.created_at.desc(), notification.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(notification.c.created_at, notification.c.id) < after)
    return [told_of(row) for row in (await tx.execute(query)).all()]


async def count_unread(tx: AsyncSession, user_id: UUID) -> int:
    """How many entries of a person's feed are unread."""
    query = (
        select(func.count())
        .select_from(notification)
        .where(
            notification.c.user_id == user_id,
            notification.c.in_feed,
            notification.c.read_at.is_(None),
        )
    )
    return int((await tx.execute(query)).scalar_one())


async def mark_read(tx: AsyncSession, user_id: UUID, notification_id: UUID) -> None:
    """The entry is read; the first time counts.

    Raises:
        NotFound: It is not in this person's feed.
    """
    change = (
        update(notification)
        .where(
            notification.c.id == notification_id,
            notification.c.user_id == user_id,
            notification.c.in_feed,
        )
        .values(read_at=func.coalesce(notification.c.read_at, func.clock_timestamp()))
        .returning(notification.c.id)
    )
    if (await tx.execute(change)).scalar_one_or_none() is None:
        raise NotFound("There is no such notification.")
    hints.touch(tx, [user_id])


async def mark_all_read(tx: AsyncSession, user_id: UUID, through: UUID) -> None:
    """The entry and all that are older are read; what came up after it is not.

    Raises:
        NotFound: It is not in this person's feed.
    """
    mine = (notification.c.user_id == user_id, notification.c.in_feed)
    place = tuple_(notification.c.created_at, notification.c.id)
    query = select(notification.c.created_at).where(notification.c.id == through, *mine)
    created_at = await tx.scalar(query)
    if created_at is None:
        raise NotFound("There is no such notification.")
    await tx.execute(
        update(notification)
        .where(*mine, notification.c.read_at.is_(None), place <= (created_at, through))
        .values(read_at=func.clock_timestamp())
    )
    hints.touch(tx, [user_id])


def told_of(row: Row[Any]) -> Told:
    """The notification in a row."""
    return Told(row.id, Kind(row.kind), row.params, row.created_at, row.read_at)


def _values(tx: AsyncSession, kind: Kind) -> dict[str, Any]:
    rule = RULES[kind]
    return {
        "tenant": tx.info["tenant"],
        "kind": kind.value,
        "in_feed": rule.in_feed,
        "mark": mark(kind, Channel.FEED),
        "hook_mark": mark(kind, Channel.WEBHOOK),
        "by_email": rule.by_email,
        "urgency": int(rule.urgency),
    }


def _same(notice: Notice) -> dict[str, Any]:
    return {"params": _json(notice.params), "event": notice.source_event}


def _json(params: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(params)).decode()


def ids_in(told: Sequence[Told]) -> list[UUID]:
    """Ids of the courses and cohorts that notifications speak of."""
    found = (one.params.get(key) for one in told for key in ("course_id", "cohort_id"))
    return [UUID(value) for value in found if value]
