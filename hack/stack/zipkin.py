"""Zipkin, which shows what one request did in all the processes; it keeps traces in memory only."""

from collections.abc import Mapping

from hack.install.zipkin import zipkin_command
from hack.stack.process import Probe, ProbeKind, Process
from hack.stack.site import HOST, SERVICES, Site, base_environment

NAME = "zipkin"
MOST_SPANS = 50_000


def zipkin(site: Site) -> Process:
    """Return Zipkin's server."""
    data = site.layout.data(NAME)
    settings = {
        "ARMERIA_PORTS_0_IP": HOST,
        "ARMERIA_PORTS_0_PORT": str(site.ports[NAME]),
        "ARMERIA_PORTS_0_PROTOCOLS_0": "http",
        "STORAGE_TYPE": "mem",
        "MEM_MAX_SPANS": str(MOST_SPANS),
        "SELF_TRACING_ENABLED": "false",
        "QUERY_LOOKBACK": "86400000",
    }
    return Process(
        name=NAME,
        argv=tuple(zipkin_command()),
        env={**base_environment(data), **settings},
        cwd=str(data),
        probe=Probe(ProbeKind.HTTP, site.ports[NAME], "/health"),
        ports=site.numbers(NAME),
        address=f"{site.url(NAME)}/zipkin",
    )


def told(site: Site) -> Mapping[str, Mapping[str, str]]:
    """Return what each of our processes is told, so that it sends its traces there."""
    settings = {"KOURSE_ZIPKIN_ENDPOINT": f"{site.url(NAME)}/api/v2/spans"}
    return dict.fromkeys((*SERVICES, "operator"), settings)
