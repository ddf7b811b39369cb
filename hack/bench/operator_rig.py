"""Servers and processes of the operator's benchmark: both operators, on the same back ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

from hack.bench.operator_load import PARALLEL
from hack.install.tools import BENCH_OPERATOR, build_tools
from hack.stack.kubernetes import OPERATOR_NAMESPACE
from hack.stack.layout import Layout
from hack.stack.lifecycle import ensure
from hack.stack.site import SUPERUSER, Site, python_environment
from kourse.kit.bus import Broker, declare_topology
from kourse.kit.migrate import upgrade

START_S = 180.0
MIB = 1 << 20
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    """An operator that runs.

    Attributes:
        process: Its process.
        port: Where it serves its metrics; 0 when it does not.
    """

    process: subprocess.Popen[bytes]
    port: int

    async def until_dead(self) -> None:
        """Waits for ever.

        Raises:
            RuntimeError: The operator has ended.
        """
        while self.process.poll() is None:  # noqa: ASYNC110 -- nobody tells of it
            await asyncio.sleep(1)
        raise RuntimeError("the operator ended; see log/bench-operators.log")

    def cpu_s(self) -> float:
        """CPU time it has used, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S

    def peak_mib(self) -> float:
        """The most memory it ever held resident, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MIB

    def metric(self, name: str) -> float:
        """Sum of all samples of a metric that it serves."""
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        found = [line for line in lines if line.startswith((f"{name}{{", f"{name} "))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)


class Rig:
    """The back ends, up and migrated."""

    def __init__(self, state: Path) -> None:
        """Brings up what is not up; the caller takes it down."""
        build_tools((BENCH_OPERATOR,))
        self.endpoints = ensure(state)
        self.site = Site.load(Layout(state))
        upgrade(self.endpoints.database_urls["kourse_migrate"])
        asyncio.run(self._declare())
        self.log = state / "log" / "bench-operators.log"

    @property
    def superuser_url(self) -> str:
        """The database as its superuser, whom no policy binds."""
        return self.site.database_url(SUPERUSER, driver="postgresql")

    @property
    def pki(self) -> Path:
        """Where the certificates of the API server's users are."""
        return self.site.layout.directory("pki")

    async def _declare(self) -> None:
        broker = Broker(self.endpoints.broker_url, name="kourse-bench")
        await declare_topology(broker)
        await broker.close()

    @contextmanager
    def ours(self, namespace: str, **settings: str) -> Iterator[Running]:
        """The platform's operator serves the namespace."""
        found, port = self.endpoints, _free_port()
        told = {
            "NAMESPACES": json.dumps([namespace]),
            "WORKERS": str(PARALLEL),
            "DATABASE_URL": found.database_urls["kourse_operator"],
            "BROKER_URL": found.broker_url,
            "BROKER_MANAGEMENT_URL": self.site.broker_management_url,
            "S3_ENDPOINT": found.s3_endpoint,
            "S3_REGION": found.s3_region,
            "S3_ACCESS_KEY": found.s3_access_key,
            "S3_SECRET_KEY": found.s3_secret_key,
            "HOST": "127.0.0.1",
            "LEASE_NAMESPACE": OPERATOR_NAMESPACE,
            "PORT": str(port),
            **settings,
        }
        env = {f"KOURSE_OPERATOR_{name}": value for name, value in told.items()}
        env["KUBECONFIG"] = str(found.operator_kubeconfig)
        command = [sys.executable, "-m", "kourse_operator"]
        with self._run(command, {**python_environment(self.log.parent), **env}) as process:
            _until_serving(process, f"http://127.0.0.1:{port}/readyz")
            running = Running(process, port)
            while not running.metric("leader_election_master_status"):
                _check(process, monotonic() + START_S)
            yield running

    @contextmanager
    def peer(self, namespace: str) -> Iterator[Running]:
        """The Go operator serves the namespace."""
        found = self.endpoints
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.log.parent),
            "KUBECONFIG": str(found.kubeconfig),
            "NAMESPACE": namespace,
            "LEASE_NAMESPACE": OPERATOR_NAMESPACE,
            "WORKERS": str(PARALLEL),
            "DATABASE_URL": found.database_urls["kourse_operator"].replace("+psycopg", ""),
            "BROKER_URL": found.broker_url,
            "S3_ENDPOINT": found.s3_endpoint,
            "S3_REGION": found.s3_region,
            "S3_ACCESS_KEY": found.s3_access_key,
            "S3_SECRET_KEY": found.s3_secret_key,
        }
        before = self.log.stat().st_size if self.log.exists() else 0
        with self._run([str(BENCH_OPERATOR.path)], env) as process:
            _until_said(process, self.log, before, b"Starting workers")
            yield Running(process, 0)

    @contextmanager
    def _run(self, command: list[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("ab") as out:
            process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _until_serving(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = monotonic() + START_S
    while True:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 -- our own child
                return
        except (URLError, OSError):
            _check(process, deadline)


def _until_said(process: subprocess.Popen[bytes], log: Path, start: int, text: bytes) -> None:
    deadline = monotonic() + START_S
    while text not in log.read_bytes()[start:]:
        _check(process, deadline)


def _check(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Waits a little.

    Raises:
        RuntimeError: The process has ended, or time is over.
    """
    if process.poll() is not None or monotonic() > deadline:
        raise RuntimeError("an operator did not start; see log/bench-operators.log")
    sleep(0.05)
