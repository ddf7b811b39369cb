"""Buckets: made private, versioned and tidy, with what plain S3 offers.

A store without an optional feature still serves: what is missing is reported as a degradation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from kourse.contracts.errors import KourseError
from kourse.kit.storage.requests import FeatureMissing, Requests, StoreRefused

T = TypeVar("T")
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_REFUSED_RULE = frozenset({"InvalidArgument", "MalformedXML", "InvalidRequest"})
_ABSENT = frozenset({"NoSuchBucket", "NoSuchBucketPolicy", "NoSuchLifecycleConfiguration"})
_FIRST_REGION = "us-east-1"
"""The one region that S3 wants left out when a bucket is made."""
_OLD_VERSIONS = "kourse-noncurrent"
_UPLOADS = "kourse-uploads"
_DAYS = (
    "{*}NoncurrentVersionExpiration/{*}NoncurrentDays",
    "{*}AbortIncompleteMultipartUpload/{*}DaysAfterInitiation",
)


@dataclass(frozen=True)
class Degradation:
    """An optional feature that the store does not have.

    Attributes:
        feature: ``versioning``, ``policy``, ``lifecycle`` or ``uploads``.
        message: What follows from its absence.
    """

    feature: str
    message: str


@dataclass(frozen=True)
class BucketState:
    """How a bucket is; None is a feature that the store does not have.

    Attributes:
        versioning: ``Enabled``, ``Suspended`` or ``off``.
        policy: ``none``, or the policy that lets others in.
        old_versions_days: Days after which old versions go, 0 for never.
        unfinished_days: Days after which abandoned uploads go, 0 for never.
    """

    versioning: str | None
    policy: str | None
    old_versions_days: int | None
    unfinished_days: int | None


_LIMITS = {
    "versioning": "Overwritten and deleted objects cannot be restored.",
    "policy": "The store has no bucket policies; it must be private by itself.",
    "lifecycle": "Old versions must be removed by other means.",
    "uploads": "The store has no rule against abandoned uploads; it must remove them by itself.",
}


class BucketAdmin:
    """Looks after buckets.

    What is ensured of a bucket that was only just made (``new``) is not looked up first. Every method
    raises Unavailable when the store cannot be reached or refuses the keys.

    Args:
        endpoint: ``http(s)://host[:port]`` of the store.
        region: Region of the store.
        access_key: Key that may make buckets.
        secret_key: Its secret.
    """

    def __init__(self, endpoint: str, *, region: str, access_key: str, secret_key: str) -> None:
        self._region = region
        self._requests = Requests(
            endpoint, region=region, access_key=access_key, secret_key=secret_key
        )
        self._lacking: set[str] = set()

    async def ensure_bucket(self, name: str) -> bool:
        """The bucket exists; whether it was made now."""
        return not await self.exists(name) and await self.make(name)

    async def ensure_ready(self, name: str) -> None:
        """The bucket exists; one that was made now is private and keeps its versions."""
        if await self.ensure_bucket(name):
            await self.ensure_private(name)
            await self.ensure_versioning(name)

    async def make(self, name: str) -> bool:
        """The bucket, which was not there, exists; False when somebody else was quicker."""
        body = b"" if self._region in {"", _FIRST_REGION} else _located(self._region)
        try:
            await self._requests.call("PUT", name, body=body)
        except StoreRefused as error:
            if error.answer != "BucketAlreadyOwnedByYou":
                raise
            return False
        return True

    async def ensure_versioning(self, name: str, *, new: bool = False) -> list[Degradation]:
        """Older contents are kept; a degradation where the store cannot."""
        return await self._optional("versioning", self._version(name, new=new))

    async def ensure_private(self, name: str) -> list[Degradation]:
        """No policy lets strangers in; a new bucket has none."""
        return await self._optional("policy", self._close_to_strangers(name))

    async def ensure_lifecycle(
        self,
        name: str,
        *,
        noncurrent_days: int = 30,
        incomplete_days: int = 1,
        new: bool = False,
    ) -> list[Degradation]:
        """Old versions and abandoned uploads go after these days.

        A rule that the store refused once is not asked of it again.
        """
        days = {_OLD_VERSIONS: noncurrent_days, _UPLOADS: incomplete_days}
        if "uploads" not in self._lacking and not await self._optional(
            "uploads", self._set_rules(name, days, new=new)
        ):
            return []
        del days[_UPLOADS]
        old = await self._optional("lifecycle", self._set_rules(name, days, new=new))
        return old or [Degradation("uploads", _LIMITS["uploads"])]

    async def exists(self, name: str) -> bool:
        """Whether the bucket is there."""
        try:
            await self._requests.call("HEAD", name)
        except StoreRefused as error:
            if error.answer not in _ABSENT:
                raise
            return False
        return True

    async def look(self, name: str) -> BucketState | None:
        """How the bucket is, or None when it is not there."""
        if not await self.exists(name):
            return None
        days = await self._tried(self._rules(name))
        return BucketState(
            versioning=await self._tried(self._versioning(name)),
            policy=await self._tried(self._policy(name)),
            old_versions_days=None if days is None else days.get(_OLD_VERSIONS, 0),
            unfinished_days=None if days is None else days.get(_UPLOADS, 0),
        )

    async def delete_bucket(self, name: str) -> None:
        """Bucket, objects and all their versions are gone; they need not have been there."""
        try:
            while doomed := await self._versions(name):
                await self._delete(name, doomed)
            await self._requests.call("DELETE", name)
        except StoreRefused as error:
            if error.answer not in _ABSENT:
                raise

    async def ping(self) -> None:
        """Returns when the store answers."""
        await self.exists("kourse-probe")

    async def close(self) -> None:
        """Closes the connections."""
        await self._requests.close()

    async def _optional(self, feature: str, act: Awaitable[None]) -> list[Degradation]:
        try:
            await act
        except FeatureMissing:
            self._lacking.add(feature)
            return [Degradation(feature, _LIMITS[feature])]
        return []

    async def _tried(self, look: Awaitable[T]) -> T | None:
        """What was seen, or None where the store does not know the question."""
        try:
            return await look
        except FeatureMissing:
            return None

    async def _version(self, name: str, *, new: bool) -> None:
        if not new and await self._versioning(name) == "Enabled":
            return
        body = _document("VersioningConfiguration", "<Status>Enabled</Status>")
        await self._requests.call("PUT", name, {"versioning": ""}, body)

    async def _versioning(self, name: str) -> str:
        found = _parsed(await self._requests.call("GET", name, {"versioning": ""}))
        return found.findtext("{*}Status") or "off"

    async def _policy(self, name: str) -> str:
        try:
            return (await self._requests.call("GET", name, {"policy": ""})).decode()
        except StoreRefused as error:
            if error.answer not in _ABSENT:
                raise
            return "none"

    async def _close_to_strangers(self, name: str) -> None:
        try:
            await self._requests.call("DELETE", name, {"policy": ""})
        except StoreRefused as error:
            if error.answer not in _ABSENT:
                raise

    async def _set_rules(self, name: str, days: dict[str, int], *, new: bool) -> None:
        """Sets the rules unless they are there; MinIO refuses the one about uploads."""
        if not new and days.items() <= (await self._rules(name)).items():
            return
        body = _document("LifecycleConfiguration", "".join(_rules(days)))
        try:
            await self._requests.call("PUT", name, {"lifecycle": ""}, body)
        except StoreRefused as error:
            if _UPLOADS in days and error.answer in _REFUSED_RULE:
                raise FeatureMissing(error.answer) from error
            raise

    async def _rules(self, name: str) -> dict[str, int]:
        try:
            found = _parsed(await self._requests.call("GET", name, {"lifecycle": ""}))
        except StoreRefused as error:
            if error.answer not in _ABSENT:
                raise
            return {}
        return {
            rule.findtext("{*}ID", ""): int(text)
            for rule in found.iterfind("{*}Rule")
            for path in _DAYS
            if (text := rule.findtext(path))
        }

    async def _versions(self, name: str) -> list[tuple[str, str]]:
        """Keys and version ids of the first objects, up to a thousand."""
        found = _parsed(await self._requests.call("GET", name, {"versions": ""}))
        entries = [*found.iterfind("{*}Version"), *found.iterfind("{*}DeleteMarker")]
        return [(e.findtext("{*}Key", ""), e.findtext("{*}VersionId", "")) for e in entries]

    async def _delete(self, name: str, doomed: list[tuple[str, str]]) -> None:
        objects = "".join(
            f"<Object><Key>{escape(key)}</Key><VersionId>{escape(version)}</VersionId></Object>"
            for key, version in doomed
        )
        body = _document("Delete", f"<Quiet>true</Quiet>{objects}")
        answer = await self._requests.call("POST", name, {"delete": ""}, body)
        if code := _parsed(answer).findtext("{*}Error/{*}Code"):
            raise KourseError(f"An object could not be removed: {code}.")


def _parsed(content: bytes) -> ET.Element:
    return ET.fromstring(content)  # noqa: S314 -- our own store


def _document(name: str, content: str) -> bytes:
    return f'<{name} xmlns="{_NAMESPACE}">{content}</{name}>'.encode()


def _located(region: str) -> bytes:
    place = f"<LocationConstraint>{escape(region)}</LocationConstraint>"
    return _document("CreateBucketConfiguration", place)


def _rules(days: dict[str, int]) -> Iterator[str]:
    actions = {
        _OLD_VERSIONS: "<NoncurrentVersionExpiration><NoncurrentDays>{}</NoncurrentDays>"
        "</NoncurrentVersionExpiration>",
        _UPLOADS: "<AbortIncompleteMultipartUpload><DaysAfterInitiation>{}</DaysAfterInitiation>"
        "</AbortIncompleteMultipartUpload>",
    }
    for name, number in days.items():
        action = actions[name].format(number)
        scope = "<Status>Enabled</Status><Filter><Prefix></Prefix></Filter>"
        yield f"<Rule><ID>{name}</ID>{scope}{action}</Rule>"
