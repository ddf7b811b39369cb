"""The end state that both operators have to reach, looked up at every back end itself."""

from __future__ import annotations

from typing import Any

import aiohttp
import psycopg
from minio import Minio

from hack.bench.operator_load import LESSONS, Api
from hack.bench.operator_rig import Rig
from kourse.contracts import names

_EVERY = 25
"""Versioning and rules cost a request for each bucket, so they are asked of every 25th."""
_ROWS = """
SELECT count(DISTINCT d.name), count(DISTINCT c.id), count(DISTINCT v.course_id),
  count(DISTINCT h.id), count(DISTINCT l.id)
FROM course.document d
LEFT JOIN course.course c ON c.id = d.id AND c.live_version = 1
LEFT JOIN course.course_version v ON v.course_id = c.id AND v.number = 1 AND v.live_at IS NOT NULL
LEFT JOIN course.chapter h ON h.course_id = c.id AND h.version = 1
LEFT JOIN course.lesson l ON l.course_id = c.id AND l.version = 1 AND length(l.text) > 500
WHERE d.tenant = %s AND d.kind = 'Course'
"""
_EVENTS = """
SELECT count(*) FROM course.outbox WHERE tenant = %s AND type = 'course.content.published'
"""


async def check(rig: Rig, api: Api, namespace: str, count: int) -> None:
    """Everything of that many new courses is where it belongs.

    Raises:
        RuntimeError: Something is not.
    """
    found = await api.list(namespace)
    _require("ready courses", sum(map(_is_ready, found)), count)
    _check_rows(rig, namespace, count)
    buckets = _check_buckets(rig, namespace, [item["metadata"]["name"] for item in found])
    _require("buckets", buckets, count)
    _require("bound exchanges", await _bound(rig, namespace), count)


def _is_ready(item: dict[str, Any]) -> bool:
    meta, status = item["metadata"], item.get("status", {})
    told = {entry["type"]: entry for entry in status.get("conditions", ())}
    wanted = ("Ready", "RowsSynced", "BucketReady", "BindingsReady")
    return (
        status.get("observedGeneration") == meta["generation"]
        and bool(meta.get("finalizers"))
        and all(
            told.get(kind, {}).get("status") == "True"
            and told[kind].get("observedGeneration") == meta["generation"]
            for kind in wanted
        )
    )


def _check_rows(rig: Rig, tenant: str, count: int) -> None:
    with psycopg.connect(rig.superuser_url) as connection:
        rows = connection.execute(_ROWS, (tenant,)).fetchone() or ()
        events = connection.execute(_EVENTS, (tenant,)).fetchone() or (0,)
    kinds = ("documents", "courses", "versions", "chapters", "lessons")
    for kind, number in zip(kinds, rows, strict=True):
        _require(kind, number, count * LESSONS if kind == "lessons" else count)
    _require("events", events[0], count)


def _check_buckets(rig: Rig, tenant: str, courses: list[str]) -> int:
    store = Minio(
        rig.endpoints.s3_endpoint.removeprefix("http://"),
        rig.endpoints.s3_access_key,
        rig.endpoints.s3_secret_key,
        secure=False,
    )
    there = {bucket.name for bucket in store.list_buckets()}
    wanted = [names.bucket("kourse", tenant, course) for course in courses]
    for name in wanted[::_EVERY]:
        rules = store.get_bucket_lifecycle(name)
        is_kept = store.get_bucket_versioning(name).status == "Enabled"
        if not is_kept or rules is None or not rules.rules:
            raise RuntimeError(f"bucket {name} is not versioned or has no rules")
    return len(there.intersection(wanted))


async def _bound(rig: Rig, tenant: str) -> int:
    """Course exchanges of the tenant that are bound to the events exchange."""
    url = f"{rig.site.broker_management_url}/api/exchanges/kourse/{names.EVENTS_EXCHANGE}"
    async with aiohttp.ClientSession() as session, session.get(f"{url}/bindings/source") as answer:
        bindings = await answer.json()
    mine = names.course_exchange(tenant, "")
    found = {item["destination"] for item in bindings if item["destination"].startswith(mine)}
    return len(found)


def _require(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} {what} where there should be {wanted}")
