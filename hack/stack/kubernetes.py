"""etcd and kube-apiserver: a real Kubernetes API without nodes, all that the operator needs."""

from hack.install.machine import ROOT
from hack.install.tools import KUBE_APISERVER
from hack.stack.layout import write_private
from hack.stack.pki import Pki, kubeconfig
from hack.stack.process import Probe, ProbeKind, Process
from hack.stack.site import HOST, Site, base_environment, program
from hack.stack.tasks import task

ADVERTISED = "10.88.0.1"
"""The address the API server publishes: not a loopback one, and nobody connects to it."""

NAMESPACE = "demo"
"""Where the sample course lives; a namespace is a tenant."""

OPERATOR_NAMESPACE = "kourse-system"
OPERATOR_USER = f"system:serviceaccount:{OPERATOR_NAMESPACE}:kourse-operator"
"""The operator logs in with a certificate in its service account's name: the same roles bind it."""

CRDS = ROOT / "crds"
INFRASTRUCTURE = ROOT / "manifests" / "infra"


def kubernetes(site: Site) -> list[Process]:
    """Return etcd, kube-apiserver and the task that puts our definitions and roles into it.

    Keys, certificates and kubeconfigs are made if missing.
    """
    _make_logins(site)
    return [
        _etcd(site),
        _apiserver(site),
        task(
            site,
            "cluster-resources",
            "hack.stack.cluster",
            needs=("kubernetes",),
            inputs=[CRDS, INFRASTRUCTURE],
        ),
    ]


def _etcd(site: Site) -> Process:
    data = site.layout.data("etcd")
    client, peer = site.url("etcd"), site.url("etcd-peer")
    flags = {
        "name": "kourse",
        "data-dir": str(data / "store"),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"kourse={peer}",
        "auto-compaction-retention": "1",
        "quota-backend-bytes": str(512 * 1024 * 1024),
        "logger": "zap",
        "log-level": "warn",
    }
    return Process(
        name="etcd",
        argv=(str(program("etcd-server")), *_flags(flags)),
        env=base_environment(data),
        cwd=str(data),
        probe=Probe(ProbeKind.HTTP, site.ports["etcd"], "/health"),
        ports=site.numbers("etcd", "etcd-peer"),
        address=site.address("etcd"),
    )


def _apiserver(site: Site) -> Process:
    data = site.layout.data("kubernetes")
    pki = Pki(site.layout.directory("pki"))
    flags = {
        "etcd-servers": site.url("etcd"),
        "bind-address": HOST,
        "advertise-address": ADVERTISED,
        "secure-port": str(site.ports["kubernetes"]),
        "client-ca-file": str(pki.authority),
        "tls-cert-file": str(pki.certificate("kubernetes")),
        "tls-private-key-file": str(pki.key("kubernetes")),
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(pki.key("service-accounts")),
        "service-account-signing-key-file": str(pki.key("service-accounts")),
        "service-cluster-ip-range": "10.96.0.0/24",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
        "profiling": "false",
    }
    return Process(
        name="kubernetes",
        argv=(str(KUBE_APISERVER.path), *_flags(flags)),
        env={**base_environment(data), "GOGC": "60"},
        cwd=str(data),
        needs=("etcd",),
        probe=Probe(ProbeKind.HTTPS, site.ports["kubernetes"], "/readyz"),
        ports=site.numbers("kubernetes"),
        address=f"https://{site.address('kubernetes')}",
    )


def _make_logins(site: Site) -> None:
    pki = Pki(site.layout.directory("pki"))
    pki.ensure_authority()
    pki.ensure_key("service-accounts")
    pki.ensure_server("kubernetes", f"IP:{HOST},IP:{ADVERTISED},DNS:localhost")
    pki.ensure_client("admin", "kourse-admin", group="system:masters")
    pki.ensure_client("operator", OPERATOR_USER)
    server = f"https://{site.address('kubernetes')}"
    write_private(site.layout.kubeconfig, kubeconfig(pki, server, "admin", NAMESPACE))
    operator = kubeconfig(pki, server, "operator", NAMESPACE)
    write_private(site.layout.operator_kubeconfig, operator)


def _flags(values: dict[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]
