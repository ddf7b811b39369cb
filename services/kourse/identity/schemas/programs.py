"""Personal access tokens, service accounts and the exchange of their secrets on the wire."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from kourse.contracts.permissions import Permission
from kourse.identity.domain.programs import Scope as Part
from kourse.identity.repository.personal_tokens import PersonalToken
from kourse.identity.repository.service_accounts import Secret, ServiceAccount
from kourse.identity.schemas.account import Confirmed
from kourse.identity.schemas.people import HeldRole, Label, Name, Scope, printable
from kourse.identity.service.exchange import Access
from kourse.identity.service.personal_tokens import NewToken
from kourse.identity.service.service_accounts import Rights
from kourse.kit.http import Body, View

LONGEST_DAYS = 366
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS, examples=[90])]
"""After how many days a secret opens nothing; there is none without an end."""
Permissions = Annotated[
    list[Permission], Field(min_length=1, max_length=len(Permission), examples=[["course:plan"]])
]
Description = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(printable)
]


class TokenRequest(Confirmed):
    """A personal access token that somebody wants."""

    name: Annotated[Name, Field(examples=["grade export"])]
    permissions: Permissions
    """Names from the catalog of permissions; all that the token allows."""
    scope: Scope = Field(default_factory=Scope)
    lifetime_days: Days

    def wanted(self) -> NewToken:
        """As the use case has it."""
        return NewToken(
            name=self.name,
            permissions=frozenset(self.permissions),
            scope=Part(self.scope.course, self.scope.cohort),
            lifetime=timedelta(days=self.lifetime_days),
        )


class PersonalTokenView(View):
    """A personal access token, as its holder sees it afterwards."""

    id: UUID
    name: str
    permissions: list[Permission]
    scope: Scope
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    """About when it was last exchanged, to the hour."""

    @classmethod
    def of(cls, token: PersonalToken) -> Self:
        """As its holder sees it."""
        return cls(
            id=token.id,
            name=token.name,
            permissions=sorted(token.permissions),
            scope=Scope(course=token.scope.course, cohort=token.scope.cohort),
            created_at=token.created_at,
            expires_at=token.expires_at,
            used_at=token.used_at,
        )


class NewPersonalToken(View):
    """A personal access token with its secret, which is shown this once."""

    token: Annotated[str, Field(examples=["kourse_pat_…"])]
    details: PersonalTokenView


class PersonalTokens(View):
    """Everybody's own tokens in the tenant."""

    items: list[PersonalTokenView]


class RightsBody(Body):
    """What a service account may do."""

    roles: Annotated[list[HeldRole], Field(min_length=1, max_length=50)]
    permissions: Permissions | None = None
    """All that the roles allow it at most; none given: all but what makes sense for people alone."""

    def rights(self) -> Rights:
        """As the use cases have it."""
        return Rights(
            roles=tuple(dict.fromkeys(one.assignment() for one in self.roles)),
            permissions=None if self.permissions is None else frozenset(self.permissions),
        )


class ServiceAccountRequest(RightsBody):
    """A program that is to act for itself."""

    name: Annotated[Label, Field(examples=["pipeline"])]
    description: Description = ""


class SecretRequest(Body):
    """How long a new secret is to be good."""

    lifetime_days: Days

    def lifetime(self) -> timedelta:
        """As the use case has it."""
        return timedelta(days=self.lifetime_days)


class SecretView(View):
    """A secret of a service account, as administrators see it afterwards."""

    id: UUID
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    """About when it was last shown, to the hour."""

    @classmethod
    def of(cls, secret: Secret) -> Self:
        """As administrators see it."""
        return cls.model_validate(secret)


class NewSecret(View):
    """Client credentials; the secret is shown this once."""

    client_id: UUID
    client_secret: Annotated[str, Field(examples=["kourse_sas_…"])]
    details: SecretView


class ServiceAccountView(View):
    """A service account, as administrators see it."""

    id: UUID
    """Its client id too."""
    name: str
    description: str
    roles: list[HeldRole]
    permissions: list[Permission] | None
    status: Literal["active", "disabled"]
    created_at: datetime
    secrets: list[SecretView]

    @classmethod
    def of(cls, account: ServiceAccount) -> Self:
        """As administrators see it."""
        limit = account.permissions
        return cls(
            id=account.id,
            name=account.name,
            description=account.description,
            roles=[HeldRole.of(one) for one in account.roles],
            permissions=None if limit is None else sorted(limit),
            status="disabled" if account.is_disabled else "active",
            created_at=account.created_at,
            secrets=[SecretView.of(one) for one in account.secrets],
        )


class ServiceAccounts(View):
    """Every service account of the tenant."""

    items: list[ServiceAccountView]


class AccessToken(BaseModel):
    """An access token for a program, in the words of RFC 6749 section 5.1 and RFC 8693 section 2.2.1."""

    access_token: str
    issued_token_type: str = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a type's name
    expires_in: int
    """Seconds for which the access token is good."""
    scope: Annotated[str, Field(examples=["cohort:plan course:plan exam:plan"])]
    """Every permission that it allows somewhere, separated by spaces."""

    @classmethod
    def of(cls, access: Access) -> Self:
        """The answer for a fresh token."""
        return cls(
            access_token=access.issued.access_token,
            expires_in=int(access.issued.lifetime.total_seconds()),
            scope=" ".join(sorted(access.permissions)),
        )
