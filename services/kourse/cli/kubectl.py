"""The user's own kubectl, with their contexts and credentials; no Kubernetes library is needed."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from kourse.cli.session import CommandError
from kourse.contracts.resources import GROUP, KINDS, Kind


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl.

    Attributes:
        command: Name or path of the program.
        namespace: The namespace, or an empty text for the context's.
    """

    command: str = "kubectl"
    namespace: str = ""

    def read(self, *arguments: str) -> Any:
        """What kubectl prints as JSON.

        Raises:
            CommandError: It cannot be run, or fails; the text is its own.
        """
        return json.loads(self.run(*arguments, "-o", "json"))

    def run(self, *arguments: str) -> str:
        """What kubectl prints.

        Raises:
            CommandError: It cannot be run, or fails; the text is its own.
        """
        where = ["--namespace", self.namespace] if self.namespace else []
        try:
            ran = subprocess.run(  # noqa: S603 - no shell
                [self.command, *arguments, *where], capture_output=True, text=True, check=False
            )
        except OSError:
            raise CommandError(
                f"{self.command!r} cannot be run; install kubectl, or say where it is with "
                "--kubectl (KOURSE_KUBECTL)."
            ) from None
        if ran.returncode:
            raise CommandError(ran.stderr.strip() or f"{self.command} ended with {ran.returncode}.")
        return ran.stdout


def resource(kind: Kind) -> str:
    """The kind as kubectl takes it, without any doubt about the group."""
    return f"{kind.plural}.{GROUP}"


def parse(text: str) -> tuple[Kind, str]:
    """Kind and name of an object, from ``course/statistics``; short names count too.

    Raises:
        CommandError: It is no such text.
    """
    word, slash, name = text.partition("/")
    for kind in KINDS:
        words = {kind.kind.lower(), kind.plural, kind.singular, *kind.short_names}
        if slash and name and word.lower() in words:
            return kind, name
    known = ", ".join(kind.singular for kind in KINDS)
    raise CommandError(f"{text!r} is not KIND/NAME, with one of {known} as the kind.")
