"""Which processes a stack has: the API server alone, the infrastructure, or everything."""

from enum import StrEnum

from hack.stack import datastores, keycloak, toxiproxy, zipkin
from hack.stack.applications import applications
from hack.stack.broker import rabbitmq
from hack.stack.kubernetes import kubernetes
from hack.stack.layout import Layout
from hack.stack.monitoring import mail_sink, prometheus
from hack.stack.ports import allocate
from hack.stack.postgres import postgres
from hack.stack.process import Plan, Process
from hack.stack.site import DATABASE_SERVICES, RUNNER, Site

PORTS = (
    "gateway",
    *DATABASE_SERVICES,
    *(f"{name}-rpc" for name in DATABASE_SERVICES),
    "operator",
    RUNNER,
    "etcd",
    "etcd-peer",
    "kubernetes",
    "postgres",
    "redis-tokens",
    "redis-cache",
    "epmd",
    "rabbitmq",
    "rabbitmq-distribution",
    "rabbitmq-management",
    "rabbitmq-metrics",
    "minio",
    "smtp",
    "mail",
    "prometheus",
    zipkin.NAME,
    *toxiproxy.PORTS,
    *keycloak.PORTS,
)
"""Every port a stack may need, so that a larger profile later keeps the smaller one's."""


class Profile(StrEnum):
    """How much of the stack runs."""

    CLUSTER = "cluster"
    INFRA = "infra"
    FULL = "full"
    TRACED = "traced"
    """Everything, with Zipkin and what every process did for each request."""
    CHAOS = "chaos"
    """Everything, with Toxiproxy between the parts."""
    KEYCLOAK = "keycloak"
    """PostgreSQL and Keycloak alone, for tests of the adapter."""


class IdentityBackend(StrEnum):
    """Where identity keeps credentials."""

    LOCAL = "local"
    KEYCLOAK = "keycloak"


def locate(layout: Layout, in_use: frozenset[int]) -> Site:
    """Return the stack's addresses, picking ports for what has none.

    Args:
        layout: Its state directory.
        in_use: Ports on which it listens already.
    """
    return Site(layout, allocate(layout, PORTS, in_use))


def make_plan(
    site: Site, profile: Profile, backend: IdentityBackend = IdentityBackend.LOCAL
) -> Plan:
    """Return the plan of a profile; configuration files and secrets are written on the way.

    Args:
        site: The stack.
        profile: How much of it.
        backend: Where identity keeps credentials, where it runs at all.
    """
    if profile is Profile.CLUSTER:
        return Plan(site.layout.identity(), tuple(kubernetes(site)))
    if profile is Profile.KEYCLOAK:
        return Plan(site.layout.identity(), (*postgres(site), *keycloak.keycloak(site)))
    processes = [*infrastructure(site)]
    if profile is Profile.FULL and backend is IdentityBackend.KEYCLOAK:
        told = {"identity": keycloak.identity_settings(site)}
        needs = {"identity": ("keycloak",)}
        processes += [prometheus(site), *keycloak.keycloak(site), *applications(site, told, needs)]
    elif profile is Profile.FULL:
        processes += [prometheus(site), *applications(site)]
    elif profile is Profile.TRACED:
        processes += [prometheus(site), zipkin.zipkin(site)]
        processes += applications(site, zipkin.told(site))
    if profile is Profile.CHAOS:
        proxies = toxiproxy.toxiproxy(site)
        processes += [proxies, *applications(toxiproxy.detoured(site), toxiproxy.LIMITS)]
    return Plan(site.layout.identity(), tuple(processes))


def infrastructure(site: Site) -> list[Process]:
    """Return the servers below our own processes."""
    return [
        *kubernetes(site),
        *postgres(site),
        datastores.redis(site, "redis-tokens", datastores.TOKEN_POLICY),
        datastores.redis(site, "redis-cache", datastores.CACHE_POLICY),
        *rabbitmq(site),
        datastores.minio(site),
        mail_sink(site),
    ]
