"""Buckets: private, versioned, with rules that take away what nobody needs any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from kourse.kit.storage import BucketAdmin, Degradation
from kourse_operator.actuators.timing import timed
from kourse_operator.plans.steps import Bucket, Drift


class StoreBuckets:
    """Buckets of one object store."""

    def __init__(self, admin: BucketAdmin, permit: Callable[[], object]) -> None:
        """``admin`` has the keys that may make buckets; ``permit`` raises when nothing may be done."""
        self._admin = admin
        self._permit = permit

    async def differences(self, bucket: Bucket) -> Sequence[Drift]:
        """What is not as described; see ``ports.Buckets``."""
        with timed("bucket", "look"):
            found = await self._admin.look(bucket.name)
        if found is None:
            return [Drift(f"bucket {bucket.name}", "absent", "present")]
        wanted = {
            "bucket versioning": (found.versioning, "Enabled"),
            "bucket policy": (found.policy, "none"),
            "days until old versions go": (found.old_versions_days, bucket.old_versions_days),
        }
        if found.unfinished_days:  # a rule that not every store has
            days = (found.unfinished_days, bucket.unfinished_days)
            wanted["days until unfinished uploads go"] = days
        return [
            Drift(what, str(is_), str(should))
            for what, (is_, should) in wanted.items()
            if is_ is not None and is_ != should
        ]

    async def ensure(
        self, bucket: Bucket, on_missing: Callable[[], Awaitable[None]]
    ) -> tuple[str, ...]:
        """The bucket is there as described; see ``ports.Buckets``."""
        self._permit()
        with timed("bucket", "ensure"):
            new = not await self._admin.exists(bucket.name)
            if new:
                await on_missing()
                new = await self._admin.make(bucket.name)
            missing = await self._equip(bucket, new=new)
        return tuple(item.message for item in missing)

    async def _equip(self, bucket: Bucket, *, new: bool) -> list[Degradation]:
        """The bucket, where ``new`` only just made, is private, versioned and has its rules."""
        admin, name = self._admin, bucket.name
        return [
            *([] if new else await admin.ensure_private(name)),
            *await admin.ensure_versioning(name, new=new),
            *await admin.ensure_lifecycle(
                name,
                noncurrent_days=bucket.old_versions_days,
                incomplete_days=bucket.unfinished_days,
                new=new,
            ),
        ]

    async def remove(self, bucket: Bucket) -> None:
        """The bucket and all in it, all versions, are gone."""
        self._permit()
        with timed("bucket", "remove"):
            await self._admin.delete_bucket(bucket.name)

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._admin.close()
