"""What several routes of identity ask of a request."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Depends, Header, Request

from kourse.identity.errors import ClientRejected
from kourse.identity.service.house import House
from kourse.kit.auth import host_tenant


async def _house(request: Request) -> House:
    house: House = request.app.state.runtime.extras["house"]
    return house


CurrentHouse = Annotated[House, Depends(_house)]
Client = Annotated[str, Header(alias="user-agent", include_in_schema=False)]
"""What the client says of itself."""


def tenant_in(request: Request, named: str | None) -> str:
    """The host's tenant, else the one named, else the default."""
    default: str = request.app.state.runtime.settings.default_tenant
    return host_tenant(request) or named or default


def address_of(request: Request) -> str:
    """The network address of whoever asks, as the gateway saw it."""
    forwarded = request.headers.get("x-forwarded-for", "")
    return forwarded or (request.client.host if request.client else "")


def basic_credentials(header: str) -> tuple[str, str]:
    """Client id and secret of an Authorization header (RFC 7617).

    Raises:
        ClientRejected: It holds neither.
    """
    scheme, _, encoded = header.partition(" ")
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    client_id, separator, secret = pair.partition(":")
    if scheme.lower() != "basic" or not separator:
        raise ClientRejected
    return client_id, secret
