"""The mail sink and Prometheus, which watches everything else of the stack."""

import json
from pathlib import Path

from hack.install.machine import ROOT
from hack.stack.layout import write_private
from hack.stack.pki import Pki
from hack.stack.process import Probe, ProbeKind, Process, digest_of
from hack.stack.site import (
    PYTHON,
    RUNNER,
    SERVICES,
    Site,
    base_environment,
    program,
    python_environment,
)

RULES = ROOT / "charts" / "kourse" / "files" / "rules.yaml"
"""The rules that the chart ships."""
KUBERNETES_METRICS = (
    "up|process_.*|apiserver_(request_total|storage_objects|current_inflight_requests)"
)
"""What is worth keeping of the API server's figures; all of them take 100 MiB."""


def mail_sink(site: Site) -> Process:
    """Return the SMTP server that keeps mails for reading."""
    data = site.layout.data("mail")
    ports = ["--smtp-port", str(site.ports["smtp"]), "--http-port", str(site.ports["mail"])]
    source = Path(__file__).with_name("mail_sink.py")
    return Process(
        name="mail",
        argv=(PYTHON, "-m", "hack.stack.mail_sink", *ports, "--file", str(data / "mails.jsonl")),
        env=python_environment(data),
        cwd=str(data),
        probe=Probe(ProbeKind.SMTP, site.ports["smtp"]),
        ports=site.numbers("smtp", "mail"),
        address=f"{site.url('mail')}/messages",
        inputs=digest_of([source]),
    )


def prometheus(site: Site) -> Process:
    """Return Prometheus with a job for every part that has figures."""
    data = site.layout.data("prometheus")
    config = site.layout.config("prometheus.json")
    write_private(config, json.dumps(_config(site), indent=1))
    flags = {
        "config.file": str(config),  # JSON, which is YAML
        "storage.tsdb.path": str(data / "store"),
        "storage.tsdb.retention.time": "2d",
        "web.listen-address": site.address("prometheus"),
        "log.level": "warn",
    }
    return Process(
        name="prometheus",
        argv=(str(program("prometheus")), *(f"--{name}={value}" for name, value in flags.items())),
        env={**base_environment(data), "GOMEMLIMIT": "192MiB"},
        cwd=str(data),
        probe=Probe(ProbeKind.HTTP, site.ports["prometheus"], "/-/ready"),
        ports=site.numbers("prometheus"),
        address=site.url("prometheus"),
        inputs=digest_of([config, RULES]),
    )


def _config(site: Site) -> dict[str, object]:
    pki = Pki(site.layout.directory("pki"))
    client = {
        "ca_file": str(pki.authority),
        "cert_file": str(pki.certificate("admin")),
        "key_file": str(pki.key("admin")),
    }
    ours = [_job(name, site.address(name)) for name in (*SERVICES, RUNNER, "operator")]
    theirs = [
        _job("prometheus", site.address("prometheus")),
        _job("etcd", site.address("etcd")),
        _job("rabbitmq", site.address("rabbitmq-metrics")),
        _job("minio", site.address("minio"), metrics_path="/minio/v2/metrics/cluster"),
        _job(
            "kubernetes",
            site.address("kubernetes"),
            scheme="https",
            tls_config=client,
            metric_relabel_configs=[
                {"source_labels": ["__name__"], "action": "keep", "regex": KUBERNETES_METRICS}
            ],
        ),
    ]
    return {
        "global": {"scrape_interval": "15s", "scrape_timeout": "10s", "evaluation_interval": "15s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [*ours, *theirs],
    }


def _job(name: str, target: str, **settings: object) -> dict[str, object]:
    return {"job_name": name, "static_configs": [{"targets": [target]}], **settings}
