"""The tool that builds images: docker, podman or buildah, whichever is there."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, report
from hack.kind import engine

REMEDY = "install docker, podman or buildah, or run this as root on Debian."


@dataclass(frozen=True)
class Builder:
    """A program whose ``build`` takes a context, as all of them do.

    Attributes:
        program: Its name.
        environment: The environment it runs in.
    """

    program: str
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def build(
        self, context: Path, tag: str, arguments: Mapping[str, str], *, cached: bool = True
    ) -> None:
        """Build the Dockerfile of a context without a network.

        Args:
            context: The folder with everything that is copied.
            tag: The image's name.
            arguments: Build arguments.
            cached: Whether steps of earlier builds may be taken over.

        Raises:
            PrerequisiteMissing: The build fails; the text holds its last words.
        """
        started = time.monotonic()
        options = [f"--build-arg={name}={value}" for name, value in sorted(arguments.items())]
        options += [] if cached else ["--no-cache"]
        command = [self.program, "build", "--network=none", f"--tag={tag}", *options, str(context)]
        done = subprocess.run(
            command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            reason = " / ".join(done.stdout.strip().splitlines()[-8:])
            raise PrerequisiteMissing(f"`{self.program} build` failed: {reason}")
        report(tag, "built", started)

    def has(self, tag: str) -> bool:
        """Tell whether an image is there."""
        command = [self.program, "images", "--quiet", tag]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.returncode == 0 and bool(done.stdout.strip())


def find_builder() -> Builder:
    """Return the builder named by ``BUILDER``, else the first that works here.

    Docker comes first where its engine runs; without any tool, an engine of our own is started.

    Raises:
        PrerequisiteMissing: There is none, and none can be started.
    """
    named = os.environ.get("BUILDER")
    if named and named != "docker":
        if shutil.which(named) is None:
            raise PrerequisiteMissing(f"`{named}` is not on PATH: {REMEDY}")
        return Builder(named)
    running = engine.find()
    if running is None and not named:
        other = next((name for name in ("podman", "buildah") if shutil.which(name)), None)
        if other is not None:
            return Builder(other)
    return Builder("docker", (running or engine.ensure()).environment)
