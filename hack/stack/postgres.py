"""PostgreSQL, sized for a laptop and as durable as in production."""

import os
import signal

from hack.stack.process import Probe, ProbeKind, Process
from hack.stack.site import HOST, Site, base_environment, program
from hack.stack.tasks import task

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "256MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "autovacuum_max_workers": "2",
    "max_parallel_workers_per_gather": "0",
    "log_min_duration_statement": "500ms",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "timezone": "UTC",
}


def postgres(site: Site) -> list[Process]:
    """Return the server and the tasks around it: its files before, roles and database after."""
    data = site.layout.data("postgres")
    cluster = data / "cluster"
    settings = {**SETTINGS, "port": str(site.ports["postgres"])}
    flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    server = Process(
        name="postgres",
        argv=tuple(as_postgres([str(program("postgresql")), "-D", str(cluster), *flags])),
        env=base_environment(data),
        cwd=str(data),
        needs=("postgres-cluster",),
        probe=Probe(ProbeKind.POSTGRES, site.ports["postgres"]),
        stop_signal=signal.SIGINT,
        stale_files=(str(cluster / "postmaster.pid"),),
        ports=site.numbers("postgres"),
        address=site.address("postgres"),
    )
    return [
        task(site, "postgres-cluster", "hack.stack.database"),
        server,
        task(site, "postgres-roles", "hack.stack.database", needs=("postgres",)),
    ]


def as_postgres(argv: list[str]) -> list[str]:
    """Return the command as the user ``postgres`` runs it, for PostgreSQL refuses root.

    The user keeps the right to pass directories it does not own: a clone may lie in one that only
    root enters. Another user than root runs it as itself.
    """
    if os.geteuid() != 0:
        return argv
    rights = "+dac_override,+dac_read_search"
    user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return ["/usr/bin/setpriv", *user, f"--inh-caps={rights}", f"--ambient-caps={rights}", *argv]
