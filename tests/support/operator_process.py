"""The operator as a process of its own, as it runs in production."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

from yarl import URL

from hack.stack.kubernetes import OPERATOR_NAMESPACE
from support.waiting import LONG_S, eventually

QUICK = {
    "RESYNC_INTERVAL": "PT3S",
    "OBSERVE_INTERVAL": "PT2S",
    "RETRY_FIRST": "PT0.2S",
    "RETRY_LONGEST": "PT1S",
    "WORKERS": "8",
    "POOL_SIZE": "2",
    "LEASE_DURATION": "PT2M",
    "LEASE_RENEW_DEADLINE": "PT1M",
    "LEASE_RETRY": "PT0.5S",
    "PROGRESS_AFTER": "PT1M",
}
"""Settings that make a test quick, and the same on a slow machine; nothing else differs from production."""


def environment(endpoints, scratch, broker_url, namespace):
    """Environment of an operator that serves one namespace."""
    login = {"user": endpoints.broker_user, "password": endpoints.broker_password}
    management = URL(endpoints.broker_management_url)
    for name, value in login.items():
        management = getattr(management, f"with_{name}")(value)
    own = {
        "DATABASE_URL": scratch.url("kourse_operator"),
        "BROKER_URL": broker_url,
        "BROKER_MANAGEMENT_URL": str(management),
        "S3_ENDPOINT": endpoints.s3_endpoint,
        "S3_REGION": endpoints.s3_region,
        "S3_ACCESS_KEY": endpoints.s3_access_key,
        "S3_SECRET_KEY": endpoints.s3_secret_key,
        "NAMESPACES": json.dumps([namespace]),
        "LEASE_NAME": namespace,
        "LEASE_NAMESPACE": OPERATOR_NAMESPACE,
        **QUICK,
    }
    prefixed = {f"KOURSE_OPERATOR_{name}": value for name, value in own.items()}
    return {"KUBECONFIG": str(endpoints.operator_kubeconfig), **prefixed}


class OperatorProcess:
    """``python -m kourse_operator``, from start to a clean end.

    Attributes:
        process: The child.
        log: The file that takes its output.
    """

    def __init__(self, settings, log):
        self._settings = settings
        self._port = 0
        self.log = log
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Runs and is ready."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kourse_operator"],
                env={**inherited, **self._settings, "KOURSE_OPERATOR_PORT": str(self._port)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        eventually(lambda: self._is_ready() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()[-4000:]

    def stop(self):
        """Ends as on a rollout: with SIGTERM, in time, without a complaint."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LONG_S) == 0, self.log.read_text()[-4000:]

    def kill(self):
        """Ends suddenly."""
        self.process.kill()
        self.process.wait(LONG_S)

    def leads(self):
        """Whether it holds the lease."""
        return self.metric("leader_election_master_status") == 1

    def get(self, path):
        """Status and text of its own port."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self._port}{path}", timeout=LONG_S
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name, **labels):
        """Sum of a metric's samples that carry these labels."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            match = re.match(rf"{name}(?:\{{(.*)\}})? (\S+)$", line)
            if match and all(
                f'{key}="{value}"' in (match[1] or "") for key, value in labels.items()
            ):
                total += float(match[2])
        return total

    def _is_ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False
