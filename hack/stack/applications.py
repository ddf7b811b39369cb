"""The migrations, our services and the operator, each with its settings as environment."""

import hashlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from hack.install.machine import ROOT
from hack.install.venv import ENVIRONMENT
from hack.stack.kubernetes import NAMESPACE, OPERATOR_NAMESPACE
from hack.stack.layout import write_private
from hack.stack.people import ADMIN
from hack.stack.pki import Pki
from hack.stack.process import Probe, ProbeKind, Process, digest_of
from hack.stack.site import (
    DATABASE_SERVICES,
    HOST,
    PYTHON,
    RUNNER,
    S3_REGION,
    S3_USER,
    SERVICES,
    Site,
    python_environment,
)

SOURCES = ROOT / "services"
SHARED_SOURCES = (
    SOURCES / "kourse" / "contracts",
    SOURCES / "kourse" / "rules",
    SOURCES / "kourse" / "kit",
    SOURCES / "kourse_rpc",
)
OPERATOR_SOURCES = (ROOT / "operator", SOURCES / "kourse")
STOP_SECONDS = 20.0

CALLS: Mapping[str, tuple[str, ...]] = {
    "assessment": ("course", "identity", "profile"),
    "course": ("assessment", "identity", "profile"),
    "dashboard": ("assessment", "course", "identity", "notification", "profile"),
    "gateway": ("identity",),
    "notification": ("assessment", "course", "dashboard", "identity", "profile"),
    "profile": ("course", "identity"),
}
"""Which service calls which: for itself, to fetch events that it misses from their producer's archive, and
all of them to tell the audit trail what they did and denied. Identity gives out tokens for these calls only."""

Settings = Mapping[str, str]


def applications(
    site: Site,
    more: Mapping[str, Settings] | None = None,
    needs: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Process]:
    """Return the rows of our own processes; their settings are written below ``env.d``.

    Args:
        site: The stack.
        more: What single services are told besides.
        needs: What has to be ready before single services, besides.
    """
    services = [
        service(site, name, (more or {}).get(name, {}), (needs or {}).get(name, ()))
        for name in SERVICES
    ]
    return [
        migrate(site),
        runner(site),
        *services,
        operator(site, (more or {}).get("operator", {})),
    ]


def migrate(site: Site) -> Process:
    """Return the task that brings every schema to the newest version."""
    data = site.layout.data("migrate")
    sources = SOURCES / "kourse"
    migrations = [*sources.glob("*/migrations"), sources / "kit" / "migrations.py"]
    url = site.database_url("kourse_migrate")
    return Process(
        name="migrate",
        argv=(str(ENVIRONMENT / "bin" / "kourse"), "admin", "migrate"),
        env={**python_environment(data), "KOURSE_MIGRATE_DATABASE_URL": url},
        cwd=str(data),
        needs=("postgres-roles",),
        once=True,
        inputs=digest_of(sorted(migrations), (".py", ".sql", ".ini", ".mako")),
    )


def service(site: Site, name: str, more: Settings, besides: tuple[str, ...] = ()) -> Process:
    """Return one service."""
    settings = {**shared_settings(site), **own_settings(site, name), **EXTRA[name](site), **more}
    needs = ("migrate", "redis-tokens", "redis-cache", "rabbitmq", "minio", *besides)
    rpc = (f"{name}-rpc",) if name in DATABASE_SERVICES else ()
    return _python_process(
        site,
        name,
        module=f"kourse.{name}",
        settings=settings,
        needs=needs,
        ports=(name, *rpc),
        sources=(*SHARED_SOURCES, SOURCES / "kourse" / name),
    )


def runner(site: Site) -> Process:
    """Return the code runner: it is told its port and nothing else, as programs of learners run below it."""
    settings = {"KOURSE_HOST": HOST, "KOURSE_RUNNER_PORT": str(site.ports[RUNNER])}
    return _python_process(
        site,
        RUNNER,
        module="kourse.runner",
        settings=settings,
        needs=(),
        ports=(RUNNER,),
        sources=(*SHARED_SOURCES, SOURCES / "kourse" / RUNNER),
    )


def operator(site: Site, more: Settings) -> Process:
    """Return the operator, which logs in to Kubernetes as its own narrow user."""
    shared = shared_settings(site)
    names = [name for name in shared if name.startswith("KOURSE_S3_")]
    settings = {
        **{name: shared[name] for name in (*names, "KOURSE_BROKER_URL", "KOURSE_BUCKET_PREFIX")},
        "KOURSE_OPERATOR_PORT": str(site.ports["operator"]),
        "KOURSE_OPERATOR_DATABASE_URL": site.reached.database_url("kourse_operator"),
        "KOURSE_OPERATOR_BROKER_MANAGEMENT_URL": site.broker_management_url,
        "KOURSE_OPERATOR_NAMESPACES": "[]",
        "KOURSE_OPERATOR_LEASE_NAMESPACE": OPERATOR_NAMESPACE,
        "KUBECONFIG": str(site.layout.operator_kubeconfig),
        **more,
    }
    return _python_process(
        site,
        "operator",
        module="kourse_operator",
        settings=settings,
        needs=("cluster-resources", "migrate", "rabbitmq", "minio"),
        ports=("operator",),
        sources=OPERATOR_SOURCES,
    )


def _python_process(
    site: Site,
    name: str,
    *,
    module: str,
    settings: Settings,
    needs: tuple[str, ...],
    ports: tuple[str, ...],
    sources: tuple[Path, ...],
) -> Process:
    data = site.layout.data(name)
    write_private(site.layout.directory("env.d") / f"{name}.env", render_environment(settings))
    return Process(
        name=name,
        argv=(PYTHON, "-m", module),
        env={**python_environment(data), **settings},
        cwd=str(data),
        needs=needs,
        probe=Probe(ProbeKind.HTTP, site.ports[name], "/readyz"),
        stop_seconds=STOP_SECONDS,
        ports=site.numbers(*ports),
        address=site.url(name),
        inputs=digest_of(sources, (".py", ".json", ".txt", ".html", ".j2", ".yaml")),
    )


def render_environment(settings: Settings) -> str:
    """Return settings as a file that a shell can source."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(settings.items()))


def shared_settings(site: Site) -> Settings:
    """Return what all services are told."""
    site = site.reached
    peers = {
        f"KOURSE_{name.upper()}_RPC_ADDR": site.address(f"{name}-rpc") for name in DATABASE_SERVICES
    }
    return {
        "KOURSE_HOST": HOST,
        "KOURSE_BROKER_URL": site.broker_url,
        "KOURSE_CACHE_URL": site.redis_url("redis-cache"),
        "KOURSE_TOKEN_STORE_URL": site.redis_url("redis-tokens"),
        "KOURSE_S3_ENDPOINT": site.url("minio"),
        "KOURSE_S3_PUBLIC_ENDPOINT": site.url("minio"),
        "KOURSE_S3_REGION": S3_REGION,
        "KOURSE_S3_ACCESS_KEY": S3_USER,
        "KOURSE_S3_SECRET_KEY": site.secret("s3"),
        "KOURSE_BUCKET_PREFIX": "kourse",
        "KOURSE_TOKEN_ISSUER": site.url("gateway"),
        "KOURSE_JWKS_URL": f"{site.url('identity')}/.well-known/jwks.json",
        "KOURSE_IDENTITY_URL": site.url("identity"),
        "KOURSE_PUBLIC_URL": site.url("gateway"),
        "KOURSE_DEFAULT_TENANT": NAMESPACE,
        "KOURSE_DEVELOPMENT": "true",
        **peers,
    }


def own_settings(site: Site, name: str) -> Settings:
    """Return what one service alone is told: its ports, its roles, its secret."""
    prefix = f"KOURSE_{name.upper()}_"
    settings = {
        f"{prefix}PORT": str(site.ports[name]),
        f"{prefix}CLIENT_SECRET": site.secret(f"client-{name}"),
    }
    if name in DATABASE_SERVICES:
        settings |= {
            f"{prefix}RPC_PORT": str(site.ports[f"{name}-rpc"]),
            f"{prefix}DATABASE_URL": site.reached.database_url(f"kourse_{name}"),
            f"{prefix}WORKER_DATABASE_URL": site.reached.database_url(f"kourse_{name}_worker"),
        }
    return settings


def _identity(site: Site) -> Settings:
    clients = site.layout.config("clients.json")
    write_private(clients, json.dumps(_clients(site), indent=1))
    keys = Pki(site.layout.directory("secrets"))
    return {
        "KOURSE_IDENTITY_SIGNING_KEY_FILE": str(keys.ensure_key("token-signing")),
        "KOURSE_IDENTITY_DATA_KEY_FILE": str(keys.ensure_key("identity-data")),
        "KOURSE_IDENTITY_CLIENTS_FILE": str(clients),
        "KOURSE_IDENTITY_BOOTSTRAP_ADMIN_EMAIL": ADMIN.email,
        "KOURSE_IDENTITY_BOOTSTRAP_ADMIN_PASSWORD": site.secret(ADMIN.secret),
    }


def _clients(site: Site) -> dict[str, object]:
    """Return identity's list of service clients: who may ask for a token for whom."""
    return {
        name: {
            "secretSha256": hashlib.sha256(site.secret(f"client-{name}").encode()).hexdigest(),
            "audiences": list(CALLS.get(name, ())),
        }
        for name in SERVICES
    }


def _assessment(site: Site) -> Settings:
    return {"KOURSE_ASSESSMENT_JUDGE_URL": site.reached.url(RUNNER)}


def _notification(site: Site) -> Settings:
    keys = Pki(site.layout.directory("secrets"))
    return {
        "KOURSE_NOTIFICATION_DATA_KEY_FILE": str(keys.ensure_key("notification-data")),
        "KOURSE_NOTIFICATION_WEBHOOK_PLAIN_HTTP": "true",
        "KOURSE_NOTIFICATION_WEBHOOK_NETWORKS": json.dumps(["127.0.0.0/8"]),
        "KOURSE_NOTIFICATION_SMTP_HOST": HOST,
        "KOURSE_NOTIFICATION_SMTP_PORT": str(site.reached.ports["smtp"]),
        "KOURSE_NOTIFICATION_SMTP_STARTTLS": "false",
        "KOURSE_NOTIFICATION_MAIL_FROM": "kourse <no-reply@kourse.example>",
    }


def _gateway(site: Site) -> Settings:
    upstreams = {name: site.reached.url(name) for name in DATABASE_SERVICES}
    return {
        "KOURSE_GATEWAY_UPSTREAMS": json.dumps(upstreams),
        "KOURSE_GATEWAY_ALLOWED_HOSTS": json.dumps([HOST, "localhost"]),
    }


def _nothing(_site: Site) -> Settings:
    return {}


EXTRA = {
    "identity": _identity,
    "profile": _nothing,
    "course": _nothing,
    "assessment": _assessment,
    "notification": _notification,
    "dashboard": _nothing,
    "gateway": _gateway,
}
"""What single services are told besides."""
