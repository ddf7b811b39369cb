"""Channels to siblings: made on first use in the running loop, kept, closed at the end."""

from __future__ import annotations

import json
from collections.abc import Callable

import grpc.aio

from kourse.contracts.errors import Unavailable
from kourse.kit.auth.service_tokens import ServiceTokens
from kourse.kit.rpc.client import Calls

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
)
"""All replicas share the calls, and a sibling that restarts is found again within seconds."""


class Channels:
    """Channels by sibling.

    Args:
        address_of: ``host:port`` of a sibling, or "".
        tokens: Gives service tokens.
    """

    def __init__(self, address_of: Callable[[str], str], tokens: ServiceTokens) -> None:
        self._address_of = address_of
        self._tokens = tokens
        self._channels: dict[str, grpc.aio.Channel] = {}

    def to(self, peer: str) -> grpc.aio.Channel:
        """The channel to a sibling; calls through it raise the catalog's errors.

        Raises:
            Unavailable: No address is configured for it.
        """
        if peer not in self._channels:
            address = self._address_of(peer)
            if not address:
                raise Unavailable(f"No address is configured for {peer}.")
            self._channels[peer] = grpc.aio.insecure_channel(
                address, options=OPTIONS, interceptors=[Calls(peer, self._tokens)]
            )
        return self._channels[peer]

    async def close(self) -> None:
        """Ends every channel; calls in flight fail."""
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            await channel.close(grace=None)
