"""Users of a Keycloak realm, by their ids there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Literal

from kourse.contracts.errors import Unavailable
from kourse.identity.domain.keycloak import Failures, RealmUser, failures_of, realm_user
from kourse.identity.errors import AddressTaken
from kourse.identity.repository.keycloak import Keycloak, part

PAGE = 100
CredentialKind = Literal["password", "otp"]


class KeycloakUsers:
    """Reads and writes users; a user that is gone is no error unless said."""

    def __init__(self, keycloak: Keycloak) -> None:
        self._keycloak = keycloak
        self.issuer = keycloak.realm.issuer

    async def add(self, user: dict[str, Any]) -> tuple[str, bool]:
        """The id of the user with this address, and whether it was made by this call."""
        answer = await self._keycloak.ask("POST", "users", user)
        if answer.status == HTTPStatus.CONFLICT:
            return await self._id_of(user["email"]), False
        return answer.location.rpartition("/")[2], True

    async def put(self, subject: str, changes: dict[str, Any]) -> bool:
        """Whether the user is there; it has these fields now and its others as before.

        Raises:
            AddressTaken: Another user of the realm has the address among them.
        """
        answer = await self._keycloak.ask("PUT", f"users/{part(subject)}", changes)
        if answer.status == HTTPStatus.CONFLICT:
            raise AddressTaken
        return answer.is_good

    async def find(self, subject: str) -> dict[str, Any] | None:
        """The user with this id."""
        answer = await self._keycloak.ask("GET", f"users/{part(subject)}")
        return answer.body if answer.is_good else None

    async def pages(self) -> AsyncIterator[list[RealmUser]]:
        """All users; one that comes or goes meanwhile may be missing or come twice."""
        first = 0
        while True:
            query = {"first": str(first), "max": str(PAGE), "briefRepresentation": "true"}
            answer = await self._keycloak.ask("GET", "users", query=query)
            yield [realm_user(one) for one in answer.body or ()]
            if len(answer.body or ()) < PAGE:
                return
            first += PAGE

    async def find_standing(self, subject: str) -> RealmUser | None:
        """How the user with this id stands in the realm."""
        found = await self.find(subject)
        return None if found is None else realm_user(found)

    async def remove(self, subject: str) -> None:
        """There is no user with this id."""
        await self._keycloak.ask("DELETE", f"users/{part(subject)}")

    async def end_sessions(self, subject: str) -> None:
        """The user is logged in nowhere in the realm."""
        await self._keycloak.ask("POST", f"users/{part(subject)}/logout")

    async def credentials(self, subject: str) -> list[dict[str, Any]]:
        """The user's credentials, without their secrets; empty for nobody."""
        answer = await self._keycloak.ask("GET", f"users/{part(subject)}/credentials")
        return list(answer.body) if answer.is_good else []

    async def remove_credentials(self, subject: str, kind: CredentialKind) -> None:
        """The user has no credential of this kind."""
        for one in await self.credentials(subject):
            if one["type"] == kind:
                path = f"users/{part(subject)}/credentials/{part(one['id'])}"
                await self._keycloak.ask("DELETE", path)

    async def failures(self, subject: str) -> Failures:
        """How the user stands with brute force detection; nobody has no failures."""
        answer = await self._keycloak.ask("GET", _detection(subject))
        return failures_of(answer.body) if answer.is_good else Failures(0, None)

    async def forget_failures(self, subject: str) -> None:
        """No failure of the user is counted, and they are not locked."""
        await self._keycloak.ask("DELETE", _detection(subject))

    async def _id_of(self, email: str) -> str:
        query = {"email": email, "exact": "true", "briefRepresentation": "true"}
        answer = await self._keycloak.ask("GET", "users", query=query)
        if not answer.body:
            raise Unavailable("The account is being changed elsewhere.", retry_after_s=1.0)
        return str(answer.body[0]["id"])


def _detection(subject: str) -> str:
    return f"attack-detection/brute-force/users/{part(subject)}"
