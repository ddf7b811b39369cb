"""What the chart renders for every combination of values that somebody would choose."""

import subprocess
from functools import cache

import yaml

from hack.install.machine import ROOT
from hack.install.tools import HELM, KUBERNETES

CHART = ROOT / "charts" / "kourse"
COMBINATIONS = {
    "defaults": [],
    "one-namespace": ["operator.namespaces={school}", "operator.aggregateRoles=false"],
    "evaluation": [
        "evaluation.enabled=true",
        "evaluation.nodePorts.gateway=30080",
        "evaluation.nodePorts.objectStore=30900",
        "evaluation.nodePorts.mail=30025",
    ],
    "hpa": ["autoscaling.mode=hpa", "priorityClasses.create=true"],
    "ingress": ["ingress.enabled=true", "ingress.host=kourse.example", "ingress.tlsSecret=tls"],
    "placed": [
        "imagePullSecrets={registry}",
        "image.digest=sha256:" + "0" * 64,
        "defaults.nodeSelector.pool=school",
        "priorityClasses.criticalName=high",
        "broker.tls=true",
        "objectStore.endpoint=https://s3.example.org",
    ],
    "single": ["defaults.replicas=1", "networkPolicy.enabled=false"],
    "telemetry": [
        "telemetry.otlpEndpoint=http://collector:4318",
        "smtp.existingSecret=mail",
        "bootstrapAdmin.existingSecret=admin",
        "networkPolicy.gatewayFrom.team=web",
    ],
    "dashboards": ["dashboards.enabled=true"],
    "judge": ["judge.url=https://judge0.example.org", "judge.existingSecret=judge"],
    "kernel": ["runner.runtimeClassName=gvisor"],
}
"""Name to settings; those that need definitions of other projects are in FOREIGN."""

FOREIGN = {
    "keda": ["autoscaling.mode=keda"],
    "route": ["httpRoute.enabled=true", "httpRoute.parentRefs[0].name=public"],
    "monitor": ["serviceMonitor.enabled=true", "prometheusRule.enabled=true"],
    "operators": ["cloudNativePG.enabled=true", "rabbitmqCluster.enabled=true"],
}

SUPPORTED = ("1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
"""Versions of Kubernetes that the chart's README states."""


@cache
def render(*settings: str, release: str = "kourse") -> str:
    """The manifests for these settings; the namespace has the release's name."""
    flags = [word for setting in settings for word in ("--set", setting)]
    command = [str(HELM.path), "template", release, str(CHART), "--namespace", release]
    version = ["--kube-version", KUBERNETES]
    return subprocess.run(
        [*command, *version, *flags], capture_output=True, text=True, check=True
    ).stdout


@cache
def documents(*settings: str, release: str = "kourse") -> tuple[dict, ...]:
    """The same, read."""
    return tuple(found for found in yaml.safe_load_all(render(*settings, release=release)) if found)
