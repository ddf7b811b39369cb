"""Connections to the services, each with its own pool and its own breaker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp
from prometheus_client import Counter, Gauge, Histogram

from kourse.contracts.errors import Unavailable
from kourse.gateway.breaker import Breaker, Circuit
from kourse.gateway.settings import GatewaySettings
from kourse.kit.telemetry.metrics import BUCKETS_S

CONNECT_TIMEOUT_S = 2.0
KEEP_ALIVE_S = 30.0
"""Shorter than a service's own 75 s, so that no request meets a connection that just closes."""
FULL_RETRY_S = 10.0
"""Seconds after which a client asks again for a stream when too many are open."""

CALLS = Counter(
    "kourse_gateway_upstream_calls_total", "Calls to services.", ("upstream", "outcome")
)
CALL_DURATION = Histogram(
    "kourse_gateway_upstream_duration_seconds",
    "Time until a service began to answer.",
    ("upstream",),
    buckets=BUCKETS_S,
)
OPEN = Gauge("kourse_gateway_breaker_open", "Whether calls are held back (1).", ("upstream",))

STREAMS = Gauge("kourse_gateway_streams", "Open streams.", ("upstream",))


@dataclass
class Upstream:
    """One service.

    Attributes:
        name: Its name.
        address: Its internal HTTP address.
        session: Its connections.
        lasting: Connections for streams, which take none from other calls.
        most_streams: Streams that may be open at a time.
        streams: Streams that are open.
        breaker: Whether it may be called.
    """

    name: str
    address: str
    session: aiohttp.ClientSession
    lasting: aiohttp.ClientSession
    most_streams: int
    streams: int = 0
    breaker: Breaker = field(default_factory=Breaker)

    def admit(self) -> None:
        """Returns when a call may be made; it must be recorded.

        Raises:
            Unavailable: The service failed too often just now.
        """
        wait_s = self.breaker.admit()
        if wait_s:
            raise Unavailable(f"The {self.name} service has trouble.", retry_after_s=wait_s)

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Counts a stream as open.

        Raises:
            Unavailable: As many are open as may be.
        """
        if self.streams >= self.most_streams:
            raise Unavailable("Too many streams are open.", retry_after_s=FULL_RETRY_S)
        self.streams += 1
        STREAMS.labels(self.name).set(self.streams)
        try:
            yield
        finally:
            self.streams -= 1
            STREAMS.labels(self.name).set(self.streams)

    def record(self, outcome: str, *, failed: bool, seconds: float) -> None:
        """How a call went."""
        self.breaker.record(failed=failed, seconds=seconds)
        CALLS.labels(self.name, outcome).inc()
        CALL_DURATION.labels(self.name).observe(seconds)
        OPEN.labels(self.name).set(self.breaker.state is Circuit.OPEN)


class Upstreams:
    """All services; make it inside of the running loop.

    Args:
        settings: Addresses and the size of the pools.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self._by_name = {
            name: Upstream(
                name,
                address.rstrip("/"),
                session=_session(settings.upstream_connections),
                lasting=_session(settings.upstream_streams),
                most_streams=settings.upstream_streams,
            )
            for name, address in settings.upstreams.items()
        }

    def get(self, name: str) -> Upstream:
        """The service.

        Raises:
            Unavailable: It has no configured address.
        """
        upstream = self._by_name.get(name)
        if upstream is None:
            raise Unavailable(f"The {name} service is not part of this installation.")
        return upstream

    def all(self) -> list[Upstream]:
        """Every configured service."""
        return list(self._by_name.values())

    async def close(self) -> None:
        """Ends all connections."""
        for upstream in self._by_name.values():
            await upstream.session.close()
            await upstream.lasting.close()


def _session(connections: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        auto_decompress=False,
    )
