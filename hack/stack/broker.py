"""RabbitMQ and Erlang's port mapper, which finds its nodes by name."""

from hack.stack.layout import write_private
from hack.stack.process import Probe, ProbeKind, Process, digest_of
from hack.stack.site import BROKER_USER, HOST, VIRTUAL_HOST, Site, base_environment, program

PORTS = ("rabbitmq", "rabbitmq-distribution", "rabbitmq-management", "rabbitmq-metrics")
ERLANG_FLAGS = (
    "+sbwt none +sbwtdcpu none +sbwtdio none",  # idle schedulers sleep instead of spinning
    "-start_epmd false",
    "-kernel inet_dist_use_interface {127,0,0,1}",
)


def rabbitmq(site: Site) -> list[Process]:
    """Return the broker and the port mapper it needs."""
    data = site.layout.data("rabbitmq")
    config = site.layout.config("rabbitmq.conf")
    write_private(config, _config(site))
    plugins = site.layout.config("rabbitmq.plugins")
    write_private(plugins, "[rabbitmq_management,rabbitmq_prometheus].\n")
    environment = {
        **base_environment(data),
        **rabbitmq_environment(site),
        "RUNNING_UNDER_SYSTEMD": "true",  # makes the launcher become the server
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
        "RABBITMQ_LOG_BASE": str(data / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_DIST_PORT": str(site.ports["rabbitmq-distribution"]),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(ERLANG_FLAGS),
    }
    server = Process(
        name="rabbitmq",
        argv=(str(program("rabbitmq-server")),),
        env=environment,
        cwd=str(data),
        needs=("epmd",),
        probe=Probe(ProbeKind.AMQP, site.ports["rabbitmq"]),
        stop_seconds=30.0,
        ports=site.numbers(*PORTS),
        address=site.address("rabbitmq"),
        inputs=digest_of([config, plugins]),
    )
    return [_epmd(site), server]


def rabbitmq_environment(site: Site) -> dict[str, str]:
    """Return what the server and ``rabbitmqctl`` have to agree on."""
    return {
        "RABBITMQ_NODENAME": f"kourse-{site.layout.identity()[:8]}@localhost",
        "ERL_EPMD_PORT": str(site.ports["epmd"]),
        "ERL_EPMD_ADDRESS": HOST,
        "HOME": str(site.layout.data("rabbitmq")),
    }


def _config(site: Site) -> str:
    settings = {
        "listeners.tcp.1": site.address("rabbitmq"),
        "default_user": BROKER_USER,
        "default_pass": site.secret("rabbitmq"),
        "default_vhost": VIRTUAL_HOST,
        "default_user_tags.administrator": "true",
        "management.tcp.ip": HOST,
        "management.tcp.port": str(site.ports["rabbitmq-management"]),
        "prometheus.tcp.ip": HOST,
        "prometheus.tcp.port": str(site.ports["rabbitmq-metrics"]),
        "vm_memory_high_watermark.absolute": "512MB",
        "disk_free_limit.absolute": "64MB",
        # Quorum queues keep in memory what is in their log's newest file; the default is 512 MB of it.
        "raft.wal_max_size_bytes": str(128 << 20),
        "log.console": "true",
        "log.console.level": "warning",
    }
    return "".join(f"{key} = {value}\n" for key, value in settings.items())


def _epmd(site: Site) -> Process:
    """Return Erlang's port mapper as a child of ours: started by RabbitMQ it would outlive it."""
    data = site.layout.data("epmd")
    return Process(
        name="epmd",
        argv=("/usr/bin/epmd",),
        env={**base_environment(data), **rabbitmq_environment(site), "HOME": str(data)},
        cwd=str(data),
        probe=Probe(ProbeKind.TCP, site.ports["epmd"]),
        ports=site.numbers("epmd"),
        address=site.address("epmd"),
    )
