"""What the use cases of identity work with, built once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from kourse.contracts.errors import NotFound
from kourse.identity.repository.codes import Codes
from kourse.identity.repository.families import Families
from kourse.identity.repository.keycloak_sign_on import KeycloakSignOn
from kourse.identity.repository.limits import Limits
from kourse.identity.repository.offers import FactorOffers
from kourse.identity.repository.one_time_tokens import OneTimeTokens
from kourse.identity.repository.sign_ons import SignOns
from kourse.identity.service.clients import Clients
from kourse.identity.service.credentials import CredentialStore
from kourse.identity.service.signing import SigningKeys
from kourse.identity.settings import IdentitySettings
from kourse.kit.db import Database
from kourse.kit.vault import Vault


@dataclass(frozen=True)
class House:
    """The stores and keys of identity.

    Attributes:
        issuer: Where people may sign on besides; None where they log in here alone.
    """

    settings: IdentitySettings
    database: Database
    credentials: CredentialStore
    issuer: KeycloakSignOn | None
    sign_ons: SignOns
    families: Families
    codes: Codes
    one_time_tokens: OneTimeTokens
    factor_offers: FactorOffers
    limits: Limits
    vault: Vault
    keys: SigningKeys
    clients: Clients

    def require_issuer(self) -> KeycloakSignOn:
        """Where people may sign on besides.

        Raises:
            NotFound: They log in here alone.
        """
        if self.issuer is None:
            raise NotFound("There is no single sign-on here.")
        return self.issuer
