"""The few things that are asked of Docker's command line."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.install.machine import PrerequisiteMissing


@dataclass(frozen=True)
class Docker:
    """A running Docker engine.

    Attributes:
        host: Its address as ``DOCKER_HOST`` spells it; empty for the command line's own default.
    """

    host: str = ""

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment in which docker and kind find the engine.

        The classic builder is asked for: it needs no plug-in, and pulls nothing of its own.
        """
        chosen = {"DOCKER_HOST": self.host} if self.host else {}
        return {**os.environ, "DOCKER_BUILDKIT": "0", **chosen}

    def answers(self) -> bool:
        """Tell whether the engine is there."""
        try:
            return self._run(["version", "--format", "{{.Server.Version}}"]).returncode == 0
        except FileNotFoundError:
            return False

    def run(self, *arguments: str, stdin: Path | None = None) -> str:
        """Return what a docker command prints.

        Raises:
            PrerequisiteMissing: It fails; the text holds its last words.
        """
        done = self._run(arguments, stdin)
        if done.returncode != 0:
            reason = " / ".join(done.stderr.strip().splitlines()[-3:])
            raise PrerequisiteMissing(f"`docker {arguments[0]}` failed: {reason}")
        return done.stdout.strip()

    def has_image(self, tag: str) -> bool:
        """Tell whether an image is there."""
        return bool(self.run("images", "--quiet", tag))

    def containers(self) -> list[str]:
        """Return the ids of the containers that run."""
        return self.run("ps", "--quiet").split()

    def address_of(self, container: str) -> str:
        """Return a container's first IPv4 address.

        Raises:
            PrerequisiteMissing: There is no such container.
        """
        path = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        return self.run("inspect", "--format", path, container).split()[0]

    def prune(self) -> None:
        """Remove what builds left: ended containers, nameless images, yesterday's builds of kourse."""
        self.run("container", "prune", "--force")
        self.run("image", "prune", "--force")
        ours = ("--filter=label=org.opencontainers.image.title=kourse", "--filter=until=24h")
        self.run("image", "prune", "--all", "--force", *ours)

    def _run(
        self, arguments: Sequence[str], stdin: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        with (stdin or Path(os.devnull)).open("rb") as source:
            return subprocess.run(
                ["docker", *arguments],
                env=self.environment,
                stdin=source,
                capture_output=True,
                text=True,
                check=False,
            )
