"""Settings of the gateway."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from kourse.kit.settings import ServiceSettings


class GatewaySettings(ServiceSettings, service="gateway"):
    """Environment variables ``KOURSE_GATEWAY_…``."""

    upstreams: dict[str, str] = Field(default_factory=dict)
    """JSON object from service to its internal HTTP address. A service that is not named answers
    503."""
    allowed_hosts: list[str] = Field(default_factory=lambda: ["127.0.0.1", "localhost"])
    """JSON list of the hosts that clients may name, without ports; `*.example.org` stands for its
    subdomains. Anything else is refused, so that no link is ever made for a stranger's host."""
    trusted_proxies: list[str] = Field(default_factory=list)
    """JSON list of networks (CIDR) of proxies before the gateway, whose `X-Forwarded-For` and
    `X-Forwarded-Proto` are believed. None by default: anybody could write them."""
    upstream_connections: int = Field(default=128, ge=1)
    """Most connections to one service, so that a slow one cannot take them all."""
    answer_timeout: timedelta = timedelta(seconds=5)
    """Time within which a service must begin to answer."""
    patient_timeout: timedelta = timedelta(seconds=25)
    """The same for the few routes that compute long, as plans do; clients of ours wait 30 seconds."""
    total_timeout: timedelta = timedelta(seconds=10)
    """Time within which an answer must be complete; routes that stream are not bounded."""
    stream_idle_timeout: timedelta = timedelta(seconds=60)
    """Time after which a stream ends on which nothing could be passed on, because the service is silent
    or the client does not read."""
    upstream_streams: int = Field(default=2000, ge=0)
    """Most streams open at one service; they take none of `upstream_connections`."""
    body_timeout: timedelta = timedelta(seconds=30)
    """Time within which a client must have sent its body."""
    user_quota: int = Field(default=300, ge=1)
    """Requests that a person may make in `user_window`; also the size of a burst."""
    user_window: timedelta = timedelta(seconds=60)
    """Time over which `user_quota` comes back, evenly."""
    failure_quota: int = Field(default=120, ge=1)
    """Refused requests that one network address may make in `failure_window`. Only failures count,
    because a whole school may sit behind one address."""
    failure_window: timedelta = timedelta(seconds=60)
    """Time over which `failure_quota` comes back, evenly."""
    replicas: int = Field(default=1, ge=1)
    """Gateways that share the quotas; while Redis is down each gives its part."""
    description_ttl: timedelta = timedelta(seconds=60)
    """Time for which the merged API description is kept."""
