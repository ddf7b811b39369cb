"""Service clients: which program may call which service, from a file that the installer writes."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from kourse.identity.errors import AudienceRefused, ClientRejected

_NOBODY = hashlib.sha256(b"").hexdigest()


class Client(BaseModel):
    """One program.

    Attributes:
        secret_sha256: SHA-256 of its secret, in hexadecimal.
        audiences: Services that it may call.
    """

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)
    secret_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", alias="secretSha256")]
    audiences: frozenset[str]


_FILE = TypeAdapter(dict[str, Client])


class Clients:
    """The registered clients."""

    def __init__(self, clients: dict[str, Client]) -> None:
        self._clients = clients

    @classmethod
    def load(cls, path: Path | None) -> Clients:
        """The clients of a file; none without a file.

        Raises:
            ValueError: The file does not hold what it should.
        """
        return cls({} if path is None else _FILE.validate_json(path.read_bytes()))

    def ensure_allowed(self, client_id: str, secret: str, audience: str) -> None:
        """Returns when the secret is the client's and it may call the audience.

        Raises:
            ClientRejected: Unknown client or wrong secret.
            AudienceRefused: The client may not call that audience.
        """
        client = self._clients.get(client_id)
        known = client.secret_sha256 if client else _NOBODY
        presented = hashlib.sha256(secret.encode()).hexdigest()
        if not hmac.compare_digest(known, presented) or client is None:
            raise ClientRejected
        if audience not in client.audiences:
            raise AudienceRefused
