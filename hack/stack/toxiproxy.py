"""Toxiproxy between the parts of a stack, so that a test can disturb the network on purpose."""

import json
from collections.abc import Mapping
from dataclasses import replace

from hack.install.tools import TOXIPROXY
from hack.stack.layout import write_private
from hack.stack.process import Probe, ProbeKind, Process, digest_of
from hack.stack.site import DATABASE_SERVICES, HOST, Site, base_environment

NAME = "toxiproxy"
PROXIED = (
    "gateway",
    "postgres",
    "rabbitmq",
    "redis-tokens",
    "redis-cache",
    "smtp",
    *DATABASE_SERVICES,
    *(f"{name}-rpc" for name in DATABASE_SERVICES),
)
"""What stands behind a proxy; the proxy of a part has the part's name."""

PORTS = (NAME, *(f"{name}-proxy" for name in PROXIED))

LIMITS: Mapping[str, Mapping[str, str]] = {
    "identity": {"KOURSE_IDENTITY_HASH_MEMORY_KIB": "1024", "KOURSE_IDENTITY_HASH_ITERATIONS": "1"},
    "gateway": {"KOURSE_GATEWAY_FAILURE_QUOTA": "1000000"},
    "notification": {"KOURSE_NOTIFICATION_SENDER_LEASE_S": "24"},
}
"""Settings of a disturbed stack: all learners come from one address, nobody waits two minutes for the mails
that a killed sender held, and what a password costs to guess is no promise that a storm checks."""


def detoured(site: Site) -> Site:
    """Return the site with its processes talking to each other through the proxies."""
    return replace(site, detours={name: site.ports[f"{name}-proxy"] for name in PROXIED})


def toxiproxy(site: Site) -> Process:
    """Return the proxies; without toxics they pass everything on."""
    data = site.layout.data(NAME)
    config = site.layout.config("toxiproxy.json")
    rows = [
        {
            "name": name,
            "listen": site.address(f"{name}-proxy"),
            "upstream": site.address(name),
            "enabled": True,
        }
        for name in PROXIED
    ]
    write_private(config, json.dumps(rows, indent=1))
    return Process(
        name=NAME,
        argv=(
            str(TOXIPROXY.path),
            *("-host", HOST, "-port", str(site.ports[NAME])),
            *("-config", str(config)),
        ),
        env={**base_environment(data), "LOG_LEVEL": "error"},
        cwd=str(data),
        probe=Probe(ProbeKind.HTTP, site.ports[NAME], "/version"),
        ports=site.numbers(*PORTS),
        address=site.url(NAME),
        inputs=digest_of([config]),
    )
