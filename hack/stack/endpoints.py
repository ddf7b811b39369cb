"""Where the parts of a running stack are, for tests and scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hack.stack.broker import rabbitmq_environment
from hack.stack.database import ROLES
from hack.stack.kubernetes import NAMESPACE
from hack.stack.site import (
    BROKER_USER,
    DATABASE_SERVICES,
    HOST,
    RUNNER,
    S3_REGION,
    S3_USER,
    SERVICES,
    SUPERUSER,
    Site,
)


@dataclass(frozen=True)
class Endpoints:
    """Addresses and logins of one stack. Printing one shows no secret.

    Attributes:
        state_dir: Its state directory; ``env.d/<service>.env`` is there.
        kubeconfig: The administrator's.
        operator_kubeconfig: The operator's narrow user.
        namespace: Where the samples are applied.
        superuser_url: PostgreSQL's superuser (``postgresql://``), for making databases.
        database_urls: By role (``postgresql+psycopg://``).
        broker_url: AMQP.
        broker_management_url: RabbitMQ's management API; user and password are the broker's.
        broker_user: RabbitMQ's administrator.
        broker_password: Its password.
        broker_environment: For ``rabbitmqctl``.
        token_store_url: The Redis that keeps every acknowledged write.
        cache_url: The Redis that may drop anything.
        s3_endpoint: The S3 server.
        s3_region: Its region.
        s3_access_key: Its user.
        s3_secret_key: That user's secret.
        smtp_host: The mail sink.
        smtp_port: The mail sink.
        mail_url: ``GET`` lists the mails, ``?to=`` filters, ``DELETE`` forgets them.
        prometheus_url: Prometheus (full profile).
        service_urls: HTTP by service (full profile), ``runner`` and ``operator`` included.
        rpc_addresses: gRPC ``host:port`` by service (full profile).
    """

    state_dir: Path
    kubeconfig: Path
    operator_kubeconfig: Path
    namespace: str
    superuser_url: str = field(repr=False)
    database_urls: Mapping[str, str] = field(repr=False)
    broker_url: str = field(repr=False)
    broker_management_url: str
    broker_user: str
    broker_password: str = field(repr=False)
    broker_environment: Mapping[str, str]
    token_store_url: str = field(repr=False)
    cache_url: str = field(repr=False)
    s3_endpoint: str
    s3_region: str
    s3_access_key: str
    s3_secret_key: str = field(repr=False)
    smtp_host: str
    smtp_port: int
    mail_url: str
    prometheus_url: str
    service_urls: Mapping[str, str]
    rpc_addresses: Mapping[str, str]

    @property
    def gateway_url(self) -> str:
        """The one address that people use."""
        return self.service_urls["gateway"]


def endpoints(site: Site) -> Endpoints:
    """Return the endpoints of a stack."""
    return Endpoints(
        state_dir=site.layout.root,
        kubeconfig=site.layout.kubeconfig,
        operator_kubeconfig=site.layout.operator_kubeconfig,
        namespace=NAMESPACE,
        superuser_url=site.database_url(SUPERUSER, driver="postgresql"),
        database_urls={role: site.database_url(role) for role in ROLES},
        broker_url=site.broker_url,
        broker_management_url=site.url("rabbitmq-management"),
        broker_user=BROKER_USER,
        broker_password=site.secret("rabbitmq"),
        broker_environment=rabbitmq_environment(site),
        token_store_url=site.redis_url("redis-tokens"),
        cache_url=site.redis_url("redis-cache"),
        s3_endpoint=site.url("minio"),
        s3_region=S3_REGION,
        s3_access_key=S3_USER,
        s3_secret_key=site.secret("s3"),
        smtp_host=HOST,
        smtp_port=site.ports["smtp"],
        mail_url=f"{site.url('mail')}/messages",
        prometheus_url=site.url("prometheus"),
        service_urls={name: site.url(name) for name in (*SERVICES, RUNNER, "operator")},
        rpc_addresses={name: site.address(f"{name}-rpc") for name in DATABASE_SERVICES},
    )
