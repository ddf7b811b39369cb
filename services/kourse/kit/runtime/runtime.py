"""What a service works with: every client is made on first use and connects when it is needed.

So a back end that is not there yet delays only what needs it, and a service that needs none of a
kind never loads its library.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from redis.asyncio import BlockingConnectionPool, Redis

from kourse.kit.audit.denials import Denials
from kourse.kit.auth import DenyList, KeyCache, ServiceTokens, Verifier, ec_keys, http_fetcher
from kourse.kit.http.health import Health
from kourse.kit.settings import PREFIX, ServiceSettings

if TYPE_CHECKING:
    import grpc.aio

    from kourse.kit.bus import Broker
    from kourse.kit.db import Database
    from kourse.kit.rpc import Channels
    from kourse.kit.storage import BucketAdmin, ObjectStore

REDIS_TIMEOUT_S = 0.5
"""Time after which Redis counts as down; it answers in well under a millisecond."""
REDIS_CONNECTIONS = 16
"""Connections to one Redis; a storm waits for them instead of opening hundreds at once."""
REDIS_QUEUE_S = 2.0
"""Longest wait for a connection."""


class NotConfigured(RuntimeError):
    """The service uses something for which it has no setting."""


class Runtime:
    """Clients and facts of one running service.

    Attributes:
        settings: The service's settings; narrow the type where its own fields are read.
        health: What probes see.
        extras: The service's own objects, put there by its ``setup``.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings: Any = settings
        self.health = Health(settings.service)
        self.extras: dict[str, Any] = {}

    @cached_property
    def database(self) -> Database:
        """Pool of the service's own role."""
        return self._database("database_url", self.settings.service)

    @cached_property
    def worker_database(self) -> Database:
        """Pool of the worker role, which relays and sweeps across tenants."""
        return self._database("worker_database_url", f"{self.settings.service}-worker", 4)

    @cached_property
    def broker(self) -> Broker:
        """Connections to RabbitMQ."""
        from kourse.kit.bus import Broker

        return Broker(self._setting("broker_url"), name=f"kourse-{self.settings.service}")

    @cached_property
    def cache(self) -> Redis:
        """The cache; answers are bytes, and it may be gone at any time."""
        return redis_client(self._setting("cache_url"))

    @cached_property
    def token_store(self) -> Redis:
        """The durable store of sessions, codes and the deny list."""
        return redis_client(self._setting("token_store_url"))

    @cached_property
    def store(self) -> ObjectStore:
        """Objects and links to them."""
        from kourse.kit.storage import ObjectStore

        return ObjectStore(
            self._setting("s3_endpoint"),
            public_endpoint=self.settings.s3_public_endpoint or self.settings.s3_endpoint,
            region=self.settings.s3_region,
            access_key=self.settings.s3_access_key,
            secret_key=self.settings.s3_secret_key,
        )

    @cached_property
    def buckets(self) -> BucketAdmin:
        """Buckets themselves."""
        from kourse.kit.storage import BucketAdmin

        return BucketAdmin(
            self._setting("s3_endpoint"),
            region=self.settings.s3_region,
            access_key=self.settings.s3_access_key,
            secret_key=self.settings.s3_secret_key,
        )

    @cached_property
    def verifier(self) -> Verifier:
        """Verifies access tokens of people and services."""
        keys = KeyCache(http_fetcher(self._setting("jwks_url")), ec_keys)
        return Verifier(self._setting("token_issuer"), keys)

    @cached_property
    def deny_list(self) -> DenyList:
        """Revoked log-ins; without a token store nothing can be known of them."""
        return DenyList(self.token_store if self.settings.token_store_url else None)

    @cached_property
    def denials(self) -> Denials:
        """Denials on their way to the audit trail."""
        return Denials(self.settings.service)

    @cached_property
    def service_tokens(self) -> ServiceTokens:
        """Tokens for calls to siblings."""
        return ServiceTokens(
            self._setting("identity_url"), self.settings.service, self._setting("client_secret")
        )

    def rpc(self, peer: str) -> grpc.aio.Channel:
        """Channel to a sibling; calls have 2 s unless they say otherwise.

        Raises:
            Unavailable: It has no configured address.
        """
        return self._channels.to(peer)

    async def close(self) -> None:
        """Close every client that was made."""
        made = self.__dict__
        for name in ("_channels", "broker", "database", "worker_database", "buckets"):
            if name in made:
                await made[name].close()
        for name in ("cache", "token_store"):
            if name in made:
                await made[name].aclose()

    @cached_property
    def _channels(self) -> Channels:
        from kourse.kit.rpc import Channels

        return Channels(self.settings.rpc_address, self.service_tokens)

    def _database(self, field: str, application: str, pool_size: int = 10) -> Database:
        from kourse.kit.db import Database

        database = Database(
            self._setting(field),
            self.settings.service,
            pool_size=pool_size,
            application=f"kourse-{application}",
        )
        database.info["runtime"] = self
        return database

    def _setting(self, field: str) -> str:
        value = str(getattr(self.settings, field))
        if not value:
            raise NotConfigured(f"{PREFIX}{field.upper()} is needed and not set")
        return value


def redis_client(url: str) -> Redis:
    """A client that gives up on a silent server within a moment; connects on first use."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=REDIS_CONNECTIONS,
        timeout=REDIS_QUEUE_S,
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        health_check_interval=15,
    )
    return Redis.from_pool(pool)


async def current_runtime(request: Request) -> Runtime:
    """The runtime of the application that serves the request."""
    runtime: Runtime = request.app.state.runtime
    return runtime


CurrentRuntime = Annotated[Runtime, Depends(current_runtime)]
"""Parameter type for routes."""
