"""The person or the service account on whose behalf a request is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from kourse.contracts.permissions import PLACE_PERMISSIONS, Permission, Place, permissions_of
from kourse.kit.auth.claims import Claims


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, where, and what they may do.

    Attributes:
        user_id: The account, or the service account.
        tenant: The only tenant in which they act now.
        roles: Roles in the whole tenant.
        session_id: The log-in, or the secret that a program showed.
        permissions: What the tenant-wide roles allow; ``holds`` also knows narrower ones.
        client: The service account, where a program acts for itself; None for a person.
        scopes: Narrower roles, as ``role@course:name`` or ``role@cohort:name``.
        limit: Permissions beyond which no role allows anything; None where there is no such limit.
    """

    user_id: UUID
    tenant: str
    roles: frozenset[str]
    session_id: str
    permissions: frozenset[Permission]
    client: str | None = None
    scopes: tuple[str, ...] = ()
    limit: frozenset[Permission] | None = None

    def holds(
        self, permission: Permission, *, course: str | None = None, cohort: str | None = None
    ) -> bool:
        """Whether it is held in the whole tenant, or for this course or this cohort."""
        if permission in self.permissions:
            return True
        wanted = {
            f"{kind}:{name}" for kind, name in (("course", course), ("cohort", cohort)) if name
        }
        return any(
            scope in wanted and self._allows(role, permission)
            for role, scope in map(_split, self.scopes)
        )

    def holds_somewhere(self, permission: Permission) -> bool:
        """Whether it is held in the whole tenant or for at least one course or cohort."""
        return permission in self.permissions or any(
            self._allows(role, permission) for role, _ in map(_split, self.scopes)
        )

    def holds_at(self, place: Place, permission: Permission) -> bool:
        """Whether it is held by somebody who has this place in the cohort in hand."""
        is_within = self.limit is None or permission in self.limit
        return is_within and self.client is None and permission in PLACE_PERMISSIONS[place]

    def scope_names(self, permission: Permission, kind: str) -> frozenset[str]:
        """Names of the ``kind`` ("course" or "cohort") for which it is held by a narrower role."""
        return frozenset(
            scope.removeprefix(f"{kind}:")
            for role, scope in map(_split, self.scopes)
            if scope.startswith(f"{kind}:") and self._allows(role, permission)
        )

    def _allows(self, role: str, permission: Permission) -> bool:
        is_within = self.limit is None or permission in self.limit
        return is_within and permission in role_permissions(role)


def actor_from(claims: Claims) -> Actor:
    """The actor whom a token for the platform names; unknown permissions in it allow nothing."""
    limit = None if claims.permissions is None else _catalogued(claims.permissions)
    allowed = _permissions(claims.roles)
    return Actor(
        user_id=UUID(claims.subject),
        tenant=claims.tenant,
        roles=claims.roles,
        session_id=claims.session_id,
        permissions=allowed if limit is None else allowed & limit,
        client=claims.client,
        scopes=claims.scopes,
        limit=limit,
    )


def role_permissions(role: str) -> frozenset[Permission]:
    """What one role allows; an unknown role allows nothing."""
    return _permissions(frozenset({role}))


@lru_cache(maxsize=256)
def _permissions(roles: frozenset[str]) -> frozenset[Permission]:
    return permissions_of(roles)


@lru_cache(maxsize=256)
def _catalogued(names: frozenset[str]) -> frozenset[Permission]:
    return frozenset(permission for permission in Permission if permission.value in names)


def _split(held: str) -> tuple[str, str]:
    role, _, scope = held.partition("@")
    return role, scope
