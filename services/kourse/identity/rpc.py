"""What siblings may know of accounts: how to reach members, and the secret of a mail about to leave."""

from __future__ import annotations

from uuid import UUID

import grpc.aio

from kourse.contracts.errors import Forbidden, Malformed
from kourse.contracts.names import SERVICES
from kourse.identity.domain.accounts import Account
from kourse.identity.service import members, redeeming
from kourse.identity.service.house import House
from kourse.identity.service.trail import LocalTrail
from kourse.kit.rpc import caller
from kourse.kit.rpc.trail import read
from kourse.kit.runtime import Runtime
from kourse_rpc.audit.v1 import audit_pb2, audit_pb2_grpc
from kourse_rpc.identity.v1 import identity_pb2, identity_pb2_grpc

MOST_CONTACTS = 1000
SENDERS = frozenset({"notification"})
"""Services that write to people and so may learn addresses and secrets."""


RECORDERS = frozenset({*SERVICES, "gateway"}) - {"identity"}
"""Programs that tell the audit trail what they did and denied."""


class IdentityServicer(identity_pb2_grpc.IdentityServiceServicer):
    """Answers siblings; the kit's interceptors have checked who calls."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def ListContacts(  # noqa: N802 - the procedure's name
        self, request: identity_pb2.ListContactsRequest, _context: object
    ) -> identity_pb2.ListContactsResponse:
        """Addresses of active members of the tenant, for at most 1000 ids."""
        _ensure_sender()
        if len(request.user_ids) > MOST_CONTACTS:
            raise Malformed(f"Ask for at most {MOST_CONTACTS} people at a time.")
        found = await members.list_contacts(
            self._house, request.tenant, [_uuid(one) for one in request.user_ids]
        )
        return identity_pb2.ListContactsResponse(contacts=[_contact(one) for one in found])

    async def RedeemDelivery(  # noqa: N802 - the procedure's name
        self, request: identity_pb2.RedeemDeliveryRequest, _context: object
    ) -> identity_pb2.RedeemDeliveryResponse:
        """A fresh secret for one mail, with its recipient."""
        _ensure_sender()
        redeemed = await redeeming.redeem_delivery(
            self._house, request.tenant, _uuid(request.delivery_id)
        )
        return identity_pb2.RedeemDeliveryResponse(
            email=redeemed.email,
            display_name=redeemed.display_name,
            locale=redeemed.locale,
            secret=redeemed.secret,
            expires_in_seconds=int(redeemed.lifetime.total_seconds()),
        )


class TrailServicer(audit_pb2_grpc.TrailServiceServicer):
    """Takes what siblings tell the audit trail; each speaks for itself only."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def Append(  # noqa: N802 - the procedure's name
        self, request: audit_pb2.AppendRequest, _context: object
    ) -> audit_pb2.AppendResponse:
        """The entries are in their tenants' trails."""
        if caller() not in RECORDERS:
            raise Forbidden("Only services of the platform tell the audit trail.")
        entries = [read(message) for message in request.entries]
        await LocalTrail(self._house.database, caller()).append(entries)
        return audit_pb2.AppendResponse()


def register(server: grpc.aio.Server, runtime: Runtime) -> None:
    """Offers the services on a server."""
    recorder = TrailServicer(runtime.extras["house"])
    audit_pb2_grpc.add_TrailServiceServicer_to_server(recorder, server)
    servicer = IdentityServicer(runtime.extras["house"])
    identity_pb2_grpc.add_IdentityServiceServicer_to_server(servicer, server)


def _ensure_sender() -> None:
    if caller() not in SENDERS:
        raise Forbidden("Only services that send mail may ask this.")


def _contact(account: Account) -> identity_pb2.Contact:
    return identity_pb2.Contact(
        user_id=str(account.id),
        email=account.email,
        email_verified=account.is_verified,
        display_name=account.display_name,
        locale=account.locale,
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Malformed("An id is not a UUID.") from None
