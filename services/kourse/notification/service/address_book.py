"""Asks identity over gRPC for addresses and codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import grpc.aio

from kourse.contracts.errors import NotFound
from kourse.notification.service.ports import Contact, Redeemed
from kourse_rpc.identity.v1 import identity_pb2, identity_pb2_grpc


class IdentityAddressBook:
    """The address book that identity keeps.

    Args:
        channel: Gives the channel to identity.
    """

    def __init__(self, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._channel = channel

    async def contacts(self, tenant: str, user_ids: Sequence[UUID]) -> dict[UUID, Contact]:
        """Contacts of active members of the tenant, by id."""
        request = identity_pb2.ListContactsRequest(
            tenant=tenant, user_ids=[str(one) for one in user_ids]
        )
        answer = await self._stub().ListContacts(request)
        return {
            UUID(one.user_id): Contact(
                email=one.email,
                is_verified=one.email_verified,
                display_name=one.display_name,
                locale=one.locale,
            )
            for one in answer.contacts
        }

    async def redeem(self, tenant: str, delivery_id: UUID) -> Redeemed | None:
        """The secret of one mail, fresh each time; None when nothing is to be delivered."""
        request = identity_pb2.RedeemDeliveryRequest(tenant=tenant, delivery_id=str(delivery_id))
        try:
            answer = await self._stub().RedeemDelivery(request)
        except NotFound:
            return None
        contact = Contact(answer.email, False, answer.display_name, answer.locale)
        return Redeemed(contact, answer.secret, answer.expires_in_seconds)

    def _stub(self) -> identity_pb2_grpc.IdentityServiceAsyncStub:
        return identity_pb2_grpc.IdentityServiceStub(self._channel())
