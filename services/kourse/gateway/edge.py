"""The way of every request through the gateway: read, admit, limit, forward."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cached_property

from starlette.types import Receive, Scope, Send

from kourse.contracts.errors import (
    Forbidden,
    KourseError,
    NotFound,
    TooManyRequests,
    Unauthenticated,
)
from kourse.contracts.permissions import DENIALS
from kourse.gateway.bodies import ClientGone, RequestBody
from kourse.gateway.clients import Clients, limit_key
from kourse.gateway.forwarding import Call, Streaming, forward
from kourse.gateway.headers import outgoing
from kourse.gateway.limits import FailureLimiter, Limiter, limit_headers
from kourse.gateway.settings import GatewaySettings
from kourse.gateway.strictness import METHODS, allowed_host, canonical_path, check_headers
from kourse.gateway.table import Route, RouteTable
from kourse.gateway.upstreams import Upstreams
from kourse.kit.audit.denials import Denials
from kourse.kit.auth import USER_AUDIENCE, Actor, Verifier
from kourse.kit.auth.actor import actor_from
from kourse.kit.http import MethodNotAllowed, problem_response
from kourse.kit.telemetry import accept_client_address, bind

ROUTE_KEY = "kourse.route"
"""Where the template of the matched route is left for metrics."""
_REFUSALS = frozenset({400, 401, 403, 404, 405, 413})
"""Answers of the gateway that count against the address they go to."""
_DENIED = frozenset({401, 403})
"""Refusals of somebody who is known: their token is for another tenant, or lacks the permission."""
_DENIALS = frozenset({400, 401, 403})
"""Answers of services that do; not to find a thing is no offence."""


@dataclass
class Passage:
    """What is known of one request on its way.

    Attributes:
        address: The client.
        actor: Who asks, once that is known.
        headers: Headers of the answer, also of a refusal.
    """

    address: str
    actor: Actor | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Edge:
    """The data path, as an ASGI application.

    Attributes:
        settings: Hosts and time-outs.
        table: What exists.
        verifier: Checks tokens, and remembers them for a minute.
        upstreams: The services.
        users: Quota of each person.
        failures: Quota of failures of each address.
        clients: Tells clients' addresses.
        denials: What the audit trail is told.
        draining: Set when streams are to end, since this process does.
    """

    settings: GatewaySettings
    table: RouteTable
    verifier: Verifier
    upstreams: Upstreams
    users: Limiter
    failures: FailureLimiter
    clients: Clients
    denials: Denials
    draining: asyncio.Event

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        peer = scope["client"][0] if scope.get("client") else None
        passage = Passage(self.clients.address(peer, scope["headers"]))
        accept_client_address(passage.address)
        key = limit_key(passage.address)
        try:
            if wait_s := self.failures.wait_s(key):
                raise TooManyRequests(
                    "Too many of the last requests from here failed.", retry_after_s=wait_s
                )
            is_failure = await self._pass(scope, receive, send, passage) in _DENIALS
        except ClientGone:
            return
        except KourseError as refusal:
            self._note_denial(scope, refusal, passage)
            is_failure = refusal.status in _REFUSALS
            await problem_response(refusal, passage.headers)(scope, receive, send)
        if is_failure:
            await self.failures.note(key)

    async def _pass(self, scope: Scope, receive: Receive, send: Send, passage: Passage) -> int:
        route = self._route(scope, passage)
        actor = await self._admit(scope, route, passage)
        body = RequestBody(scope["headers"], receive, self.settings.body_timeout.total_seconds())
        call = self._call(scope, route, actor, passage)
        return await forward(call, body, receive, send)

    def _route(self, scope: Scope, passage: Passage) -> Route:
        """The route that the request means, when it is well formed."""
        raw, query = scope["raw_path"], scope["query_string"]
        allowed_host(scope["headers"], self.hosts)
        check_headers(scope["headers"], query)
        found = self.table.find(canonical_path(raw, query))
        if not found:
            raise NotFound("There is nothing at this address.")
        scope[ROUTE_KEY] = next(iter(found.values())).path
        route = found.get(scope["method"])
        if route is None or scope["method"] not in METHODS:
            passage.headers["allow"] = ", ".join(sorted(found))
            raise MethodNotAllowed("Use one of the methods that the Allow header names.")
        return route

    async def _admit(self, scope: Scope, route: Route, passage: Passage) -> Actor | None:
        """Who asks, when the route needs to know, within their permissions and their quota."""
        if route.permission is None:
            return None
        claims = await self.verifier.verify(_bearer(scope), USER_AUDIENCE)
        passage.actor = actor = actor_from(claims)
        bind(tenant=actor.tenant, subject=claims.subject)
        if self._host_tenant(scope) not in {None, actor.tenant}:
            raise Unauthenticated("This access token is for another tenant.")
        decision = await self.users.take(claims.subject)
        passage.headers |= limit_headers(self.users.quota, decision)
        if not decision.is_allowed:
            raise TooManyRequests(
                "You have made too many requests.",
                retry_after_s=decision.retry_after_s,
                extensions={"violated-policies": [self.users.quota.name]},
            )
        if not route.admits(actor):
            raise Forbidden(DENIALS[route.permission])
        return actor

    def _note_denial(self, scope: Scope, refusal: KourseError, passage: Passage) -> None:
        """The audit trail hears of people with a valid token who try what it does not allow."""
        if passage.actor is None or refusal.status not in _DENIED:
            return
        method = scope["method"]
        self.denials.note(
            tenant=passage.actor.tenant,
            actor=passage.actor.user_id,
            target=f"{method} {scope['path']}",
            route=f"{method} {scope.get(ROUTE_KEY, '')}",
            code=refusal.code,
        )

    def _call(self, scope: Scope, route: Route, actor: Actor | None, passage: Passage) -> Call:
        peer = scope["client"][0] if scope.get("client") else None
        host = _header(scope, b"host")
        headers = outgoing(
            scope["headers"],
            actor=actor,
            address=passage.address,
            scheme=self.clients.scheme(peer, scope["scheme"], scope["headers"]),
            host=host,
        )
        query = scope["query_string"].decode("latin-1")
        limits = self.settings
        answer = limits.patient_timeout if route.patient else limits.answer_timeout
        return Call(
            upstream=self.upstreams.get(route.service),
            method=route.method,
            target=scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
            headers=headers,
            extra=[(name.encode(), value.encode()) for name, value in passage.headers.items()],
            answer_s=answer.total_seconds(),
            total_s=limits.total_timeout.total_seconds(),
            stream=Streaming(limits.stream_idle_timeout.total_seconds(), self.draining)
            if route.streams
            else None,
        )

    @cached_property
    def hosts(self) -> list[str]:
        """Hosts that clients may name: those configured, and tenants' own below the domain."""
        domain = self.settings.domain
        return [*self.settings.allowed_hosts, *([domain, f"*.{domain}"] if domain else [])]

    def _host_tenant(self, scope: Scope) -> str | None:
        domain = self.settings.domain
        name = _header(scope, b"host").partition(":")[0].lower()
        return name.removesuffix(f".{domain}") if domain and name.endswith(f".{domain}") else None


def _header(scope: Scope, wanted: bytes) -> str:
    """The header's value, or "" without one."""
    values = (value for name, value in scope["headers"] if name == wanted)
    return next(values, b"").decode("latin-1")


def _bearer(scope: Scope) -> str:
    scheme, _, token = _header(scope, b"authorization").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send an access token: `Authorization: Bearer <token>`.")
    return token.strip()
