"""The Kubernetes API as the engine uses it: read an object, write its status and finalizer, post an Event.

The engine has a session of its own, apart from kopf's watches, so that its requests are bounded and
counted, and so that new credentials are taken as soon as old ones are refused.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
import kopf
import orjson

from kourse.contracts.errors import KourseError, Unavailable
from kourse.contracts.resources import API_VERSION, BY_KIND
from kourse.kit import clock
from kourse.kit.telemetry import get_logger
from kourse_operator import metrics
from kourse_operator.errors import Outdated
from kourse_operator.resource import Key, Resource

COMPONENT = "kourse-operator"
MOST_CONNECTIONS = 40
"""One for each worker and each that posts Events, as they come by default."""
MOST_EVENTS_WAITING = 5000
"""Some megabytes: two or three Events of each object of a large first apply."""
TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
_NOTE_LIMIT = 1024
_MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
_JSON = {"Content-Type": "application/json"}
_METADATA = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
PAGE = 500
log = get_logger(__name__)


def credentials() -> kopf.ConnectionInfo:
    """Where the cluster is and who we are: the pod's service account, else ``KUBECONFIG``.

    Raises:
        kopf.LoginError: Neither is there.
    """
    settings = kopf.OperatorSettings()
    found = kopf.login_with_service_account(settings=settings)
    found = found or kopf.login_with_kubeconfig(settings=settings)
    if found is None:
        raise kopf.LoginError("There is neither a service account nor a KUBECONFIG.")
    return found


def open_session(
    info: kopf.ConnectionInfo, *, connections: int = 0, trace: aiohttp.TraceConfig | None = None
) -> aiohttp.ClientSession:
    """A session with these credentials; 0 connections means any number."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=info.as_ssl_context()),
        headers={**info.as_http_headers(), "User-Agent": COMPONENT},
        trace_configs=[trace] if trace else [],
        proxy=info.proxy_url,
        trust_env=info.trust_env,
    )


class KubernetesCluster:
    """The cluster that the credentials lead to."""

    def __init__(
        self,
        identify: Callable[[], kopf.ConnectionInfo] = credentials,
        *,
        permit: Callable[[], object],
        namespaces: Sequence[str] = (),
        instance: str = "",
    ) -> None:
        """Does not connect yet.

        Args:
            identify: Gives the credentials.
            permit: Raises ``NotLeading`` when nothing may be written to an object.
            namespaces: Where to look for objects; everywhere when empty.
            instance: Names this process in Events.
        """
        self._identify = identify
        self._permit = permit
        self._namespaces = namespaces
        self._instance = instance
        self._session: aiohttp.ClientSession | None = None
        self._server = ""
        self._events: asyncio.Queue[tuple[str, str, bytes]] = asyncio.Queue(MOST_EVENTS_WAITING)

    async def find(self, key: Key) -> Resource | None:
        """The object as it is now, or None."""
        body = await self.request("GET", address(key))
        return Resource.of(key.kind, body) if body else None

    async def uids(self, kind: str) -> frozenset[str]:
        """The uid of every object of the kind, from lists of metadata alone."""
        plural = BY_KIND[kind].plural
        places = [f"namespaces/{name}/{plural}" for name in self._namespaces] or [plural]
        found: set[str] = set()
        for place in places:
            following: str | None = ""
            while following is not None:
                path = f"/apis/{API_VERSION}/{place}?limit={PAGE}&continue={following}"
                page = await self.request("GET", path, headers=_METADATA) or {}
                found |= {item["metadata"]["uid"] for item in page.get("items") or ()}
                following = page.get("metadata", {}).get("continue") or None
        return frozenset(found)

    async def patch_status(self, resource: Resource, patch: Mapping[str, Any]) -> Resource | None:
        """The object after the merge patch of its status, or None when it is gone."""
        return await self._patch(resource, "/status", {"status": patch})

    async def patch_finalizers(
        self, resource: Resource, finalizers: Sequence[str]
    ) -> Resource | None:
        """The object with exactly these finalizers, or None when it is gone."""
        return await self._patch(resource, "", {"metadata": {"finalizers": list(finalizers)}})

    async def _patch(
        self, resource: Resource, place: str, change: dict[str, Any]
    ) -> Resource | None:
        """Merges a change into the very state that it was decided on.

        Raises:
            Outdated: The object has another state now.
        """
        self._permit()
        known = {"resourceVersion": str(resource.version), **change.pop("metadata", {})}
        content = orjson.dumps({"metadata": known, **change})
        path = address(resource.key) + place
        body = await self.request("PATCH", path, content, _MERGE_PATCH)
        return Resource.of(resource.key.kind, body) if body else None

    def tell(
        self, resource: Resource, type_: str, reason: str, message: str, *, occurrence: str = ""
    ) -> None:
        """Posts a Kubernetes Event soon; dropped when too many wait already."""
        event = _event(resource, type_, reason, message, occurrence, self._instance)
        log.info("event", key=str(resource.key), type=type_, reason=reason, message=message)
        try:
            self._events.put_nowait((resource.key.namespace, reason, orjson.dumps(event)))
        except asyncio.QueueFull:
            metrics.EVENTS_DROPPED.inc()

    async def post_events(self) -> None:
        """Posts what ``tell`` collected, one after the other, until cancelled; run several of these."""
        while True:
            namespace, reason, event = await self._events.get()
            try:
                url = f"/api/v1/namespaces/{namespace}/events"
                await self.request("POST", url, event, _JSON)
            except KourseError as error:
                metrics.EVENTS_DROPPED.inc()
                log.warning("event_lost", reason=reason, detail=error.detail)

    async def close(self) -> None:
        """Closes the session."""
        if self._session:
            await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any] | None:
        """The answer's body, or None when there is no such object or it is there already.

        Raises:
            Outdated: The object has changed since it was read.
            Unavailable: The API server cannot be reached, is overloaded or refuses who we are.
            KourseError: It refuses the request; its sentence is the detail.
        """
        session = self._open()
        try:
            async with session.request(
                method, self._server + path, data=content, headers=headers, timeout=TIMEOUT
            ) as response:
                metrics.API_REQUESTS.labels(str(response.status), method).inc()
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            metrics.API_REQUESTS.labels("<error>", method).inc()
            raise Unavailable("The Kubernetes API does not answer right now.") from error
        if response.status == HTTPStatus.UNAUTHORIZED:
            await self._renew(session)
        return _answer(method, response.status, body)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            info = self._identify()
            self._server = info.server
            self._session = open_session(info, connections=MOST_CONNECTIONS)
        return self._session

    async def _renew(self, refused: aiohttp.ClientSession) -> None:
        if self._session is refused:
            self._session = None
            await refused.close()


def address(key: Key) -> str:
    """Path of an object in the Kubernetes API."""
    return f"/apis/{API_VERSION}/namespaces/{key.namespace}/{BY_KIND[key.kind].plural}/{key.name}"


def _answer(method: str, status: int, body: bytes) -> dict[str, Any] | None:
    if status < HTTPStatus.BAD_REQUEST:
        parsed: dict[str, Any] = orjson.loads(body)
        return parsed
    if status == HTTPStatus.NOT_FOUND or (method == "POST" and status == HTTPStatus.CONFLICT):
        return None
    text = f"The Kubernetes API answered {status} to {method}: {_sentence(body)}"
    if status == HTTPStatus.CONFLICT:
        raise Outdated(text)
    passing = (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in passing:
        raise Unavailable(text)
    raise KourseError(text)


def _sentence(body: bytes) -> str:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:200].decode(errors="replace")
    return str(parsed.get("message", ""))[:500] if isinstance(parsed, dict) else ""


def _event(
    resource: Resource, type_: str, reason: str, message: str, occurrence: str, instance: str
) -> dict[str, Any]:
    """A core/v1 Event whose name follows from what it says, so that it exists only once."""
    key = resource.key
    said = "\n".join(
        [resource.uid, str(resource.generation), type_, reason, message, occurrence]
    ).encode()
    now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{key.name}.{hashlib.sha256(said).hexdigest()[:16]}",
            "namespace": key.namespace,
        },
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": key.kind,
            "namespace": key.namespace,
            "name": key.name,
            "uid": resource.uid,
            "resourceVersion": str(resource.version),
        },
        "type": type_,
        "reason": reason,
        "message": message[:_NOTE_LIMIT],
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": COMPONENT, "host": instance},
        "reportingComponent": COMPONENT,
        "reportingInstance": instance,
    }
