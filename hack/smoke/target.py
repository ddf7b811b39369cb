"""Where the smoke runs: the addresses and log-ins of one running platform."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
"""Where the project's own environment keeps its commands."""


class NotRunning(Exception):
    """There is no platform to run against; the message says how to get one."""


@dataclass(frozen=True)
class Target:
    """One running platform.

    Attributes:
        url: Address of the gateway.
        mailbox_url: Address of the SMTP sink's listing.
        kubeconfig: For kubectl as the platform team.
        namespace: Where manifests are applied.
        teacher_email: Log-in of a person who may author and teach.
        teacher_password_file: File with their password.
        kubectl: The command.
        kourse: The command.
    """

    url: str
    mailbox_url: str
    kubeconfig: Path
    namespace: str
    teacher_email: str
    teacher_password_file: Path
    kubectl: str = "kubectl"
    kourse: str = "kourse"

    @property
    def teacher_password(self) -> str:
        """The teacher's password."""
        return self.teacher_password_file.read_text().strip()

    @classmethod
    def of_state(cls, state: Path) -> Target:
        """The platform whose local stack keeps its state in this folder.

        Raises:
            NotRunning: The stack is not up.
        """
        env_file = state / "env"
        if not env_file.exists():
            raise NotRunning(f"no stack is up in {state}: run 'make up' first")
        return cls.of_env({**os.environ, **exports(env_file.read_text())})

    @classmethod
    def of_env(cls, env: Mapping[str, str]) -> Target:
        """The platform that these environment variables describe.

        Raises:
            NotRunning: One of them is missing.
        """
        try:
            return cls(
                url=env["KOURSE_URL"].rstrip("/"),
                mailbox_url=env["KOURSE_MAILBOX_URL"].rstrip("/"),
                kubeconfig=Path(env["KUBECONFIG"]),
                namespace=env.get("KOURSE_NAMESPACE", "demo"),
                teacher_email=env["KOURSE_TEACHER_EMAIL"],
                teacher_password_file=Path(env["KOURSE_TEACHER_PASSWORD_FILE"]),
                kubectl=env.get("KOURSE_KUBECTL", str(BIN / "kubectl")),
                kourse=env.get("KOURSE_CLI", str(BIN / "kourse")),
            )
        except KeyError as missing:
            raise NotRunning(
                f"{missing.args[0]} is not set: run 'make up' and source its env"
            ) from None


def exports(text: str) -> dict[str, str]:
    """Variables of a file of ``export NAME=value`` lines; quotes around a value are removed."""
    found = {}
    for line in text.splitlines():
        name, separator, value = line.removeprefix("export ").partition("=")
        if separator and name.isidentifier():
            found[name] = value.strip().strip("'\"")
    return found
