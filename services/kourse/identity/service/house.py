"""What the use cases of identity work with, built once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from kourse.identity.repository.codes import Codes
from kourse.identity.repository.families import Families
from kourse.identity.service.clients import Clients
from kourse.identity.service.credentials import CredentialStore
from kourse.identity.service.signing import SigningKeys
from kourse.identity.settings import IdentitySettings
from kourse.kit.db import Database


@dataclass(frozen=True)
class House:
    """The stores and keys of identity."""

    settings: IdentitySettings
    database: Database
    credentials: CredentialStore
    families: Families
    codes: Codes
    keys: SigningKeys
    clients: Clients
