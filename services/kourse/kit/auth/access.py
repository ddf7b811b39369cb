"""What a route asks of its caller; a route that asks nothing is refused at start.

Annotations are kept as objects here, because FastAPI reads those of callable instances at run time.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request

from kourse.contracts.errors import Forbidden, Malformed, Unauthenticated, Unavailable
from kourse.contracts.permissions import DENIALS, Permission
from kourse.kit.auth.actor import Actor, actor_from
from kourse.kit.auth.claims import USER_AUDIENCE
from kourse.kit.telemetry import bind

NEVER_BLIND = frozenset(
    {
        Permission.ACCOUNT_MANAGE,
        Permission.ASSIGNMENT_EXTEND,
        Permission.ATTEMPT_GRADE,
        Permission.INVITATION_MANAGE,
        Permission.AUDIT_READ,
        Permission.MEMBERSHIP_MANAGE,
        Permission.ROLE_ASSIGN,
        Permission.SERVICE_ACCOUNT_MANAGE,
        Permission.SUBMISSION_GRADE,
    }
)
"""Routes with these permissions answer 503 while revoked tokens cannot be told from others."""

_NO_TOKEN = "Send an access token: `Authorization: Bearer <token>`."  # noqa: S105 -- a message


@dataclass(frozen=True)
class Allow:
    """Dependency that gives the actor when they hold the permission.

    Attributes:
        permission: What the caller needs.
        scoped: Whether holding it for some course or cohort is enough to enter; the route must then
            ask ``actor.holds`` for the one in hand.
        by_place: Whether people who lack it come in as well, since their place in a cohort may allow it;
            the route must then ask ``actor.holds_at`` and refuse all others.
    """

    permission: Permission
    scoped: bool = False
    by_place: bool = False

    async def __call__(self, request: Request) -> Actor:
        """The actor.

        Raises:
            Unauthenticated: There is no valid token.
            Forbidden: The permission is not held.
            Unavailable: Tokens cannot be checked as far as this permission needs.
        """
        actor = await actor_of(request)
        held = actor.holds_somewhere if self.scoped else actor.holds
        if not (self.by_place or held(self.permission)):
            raise Forbidden(DENIALS[self.permission])
        if self.permission in NEVER_BLIND and not request.state.revocation_known:
            raise Unavailable("Log-ins cannot be checked right now.", retry_after_s=2)
        return actor


def allow(permission: Permission, *, scoped: bool = False, by_place: bool = False) -> Any:
    """What stands in ``Annotated[Actor, …]`` of a route that needs the permission."""
    return Depends(Allow(permission, scoped, by_place))


async def is_public(request: Request) -> None:
    """Dependency that lets everybody in; the tenant then follows from the host."""
    request.state.is_public = True


async def is_internal(request: Request) -> None:
    """Dependency of routes for siblings, which check the caller themselves; never at the gateway."""
    request.state.is_public = True


public: Any = Depends(is_public)
"""``dependencies=[public]`` on a route without a token."""
internal: Any = Depends(is_internal)
"""``dependencies=[internal]`` on a route that the gateway must not offer."""


async def actor_of(request: Request) -> Actor:
    """The actor of a request; verified once, then kept with the request.

    Raises:
        Malformed: Two tokens, one in the address, or one that is too long.
        Unauthenticated: No token, or one that is not valid here.
        Unavailable: No public keys are known yet.
    """
    known: Actor | None = getattr(request.state, "actor", None)
    if known is not None:
        return known
    runtime = request.app.state.runtime
    claims = await runtime.verifier.verify(_bearer(request), USER_AUDIENCE)
    if host_tenant(request) not in {None, claims.tenant}:
        raise Unauthenticated("This access token is for another tenant.")
    request.state.revocation_known = await runtime.deny_list.check(claims)
    bind(tenant=claims.tenant, subject=claims.subject)
    request.state.claims = claims
    request.state.actor = actor_from(claims)
    return actor_from(claims)


async def tenant_of(request: Request) -> str:
    """The tenant in which a request acts: its actor's, or on public routes the host's.

    Raises:
        KourseError: As ``actor_of``, on routes that are not public.
    """
    if not getattr(request.state, "is_public", False):
        return (await actor_of(request)).tenant
    tenant = host_tenant(request) or str(request.app.state.runtime.settings.default_tenant)
    bind(tenant=tenant)
    return tenant


def host_tenant(request: Request) -> str | None:
    """Tenant that the host names (``<tenant>.<domain>``), or None where it names none."""
    domain = request.app.state.runtime.settings.domain
    host = request.headers.get("host", "").partition(":")[0].lower()
    if not domain or not host.endswith(f".{domain}"):
        return None
    label = host.removesuffix(f".{domain}")
    return label if "." not in label else None


def _bearer(request: Request) -> str:
    offered = request.headers.getlist("authorization")
    if "access_token" in request.query_params:
        raise Malformed("An access token never belongs into an address.")
    if len(offered) > 1:
        raise Malformed("There must be one Authorization header.")
    scheme, _, token = (offered[0] if offered else "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(_NO_TOKEN)
    return token.strip()
