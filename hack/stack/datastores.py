"""Two Redis and an S3 store, sized for a laptop."""

from collections.abc import Mapping

from hack.install.tools import MINIO
from hack.stack.layout import write_private
from hack.stack.process import Probe, ProbeKind, Process, digest_of
from hack.stack.site import HOST, S3_REGION, S3_USER, Site, base_environment, program

TOKEN_POLICY = {
    "appendonly": "yes",
    "appendfsync": "always",
    "maxmemory": "64mb",
    "maxmemory-policy": "noeviction",
}
"""Token families and deny lists: an acknowledged write survives, nothing is pushed out."""

CACHE_POLICY = {"appendonly": "no", "maxmemory": "64mb", "maxmemory-policy": "allkeys-lru"}
"""What can be read again elsewhere: nothing is kept over a restart."""


def redis(site: Site, name: str, policy: Mapping[str, str]) -> Process:
    """Return one Redis.

    Args:
        site: The stack.
        name: Names the instance, its port and its password.
        policy: How it keeps and drops data.
    """
    data = site.layout.data(name)
    password = site.secret(name)
    settings = {
        "bind": HOST,
        "port": str(site.ports[name]),
        "dir": str(data),
        "requirepass": password,
        "save": '""',
        **policy,
    }
    file = site.layout.config(f"{name}.conf")
    write_private(file, "".join(f"{key} {value}\n" for key, value in settings.items()))
    return Process(
        name=name,
        argv=(str(program("redis-server")), str(file)),
        env=base_environment(data),
        cwd=str(data),
        probe=Probe(ProbeKind.REDIS, site.ports[name], password=password),
        ports=site.numbers(name),
        address=site.address(name),
        inputs=digest_of([file]),
    )


def minio(site: Site) -> Process:
    """Return the S3 server."""
    data = site.layout.data("minio")
    environment = {
        **base_environment(data),
        "MINIO_ROOT_USER": S3_USER,
        "MINIO_ROOT_PASSWORD": site.secret("s3"),
        "MINIO_REGION_NAME": S3_REGION,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "MINIO_PROMETHEUS_AUTH_TYPE": "public",
        "GOMEMLIMIT": "512MiB",
    }
    listen = ["--address", site.address("minio")]
    return Process(
        name="minio",
        argv=(str(MINIO.path), "server", "--quiet", *listen, str(data / "store")),
        env=environment,
        cwd=str(data),
        probe=Probe(ProbeKind.HTTP, site.ports["minio"], "/minio/health/ready"),
        ports=site.numbers("minio"),
        address=site.url("minio"),
    )
