"""Where the local stack keeps its things: one directory, ``.kourse`` in the clone by default."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hack.install.machine import ROOT

DEFAULT_STATE_DIR = ROOT / ".kourse"
STATE_VARIABLE = "KOURSE_STATE"


@dataclass(frozen=True)
class Layout:
    """The paths below one state directory.

    Attributes:
        root: The state directory, absolute.
    """

    root: Path

    @classmethod
    def from_environment(cls) -> "Layout":
        """Return the layout of ``$KOURSE_STATE``, or of ``.kourse`` in the clone."""
        return cls(Path(os.environ.get(STATE_VARIABLE) or DEFAULT_STATE_DIR).absolute())

    @property
    def ports_file(self) -> Path:
        """The ports in use, by name."""
        return self.root / "ports.json"

    @property
    def plan_file(self) -> Path:
        """What the supervisor shall run; holds secrets."""
        return self.root / "plan.json"

    @property
    def record_file(self) -> Path:
        """What the supervisor runs."""
        return self.root / "state.json"

    @property
    def supervisor_lock(self) -> Path:
        """Locked by the supervisor for as long as it lives."""
        return self.root / "supervisor.lock"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def operator_kubeconfig(self) -> Path:
        """The operator's kubeconfig: its own narrow user."""
        return self.root / "operator.kubeconfig"

    @property
    def environment_file(self) -> Path:
        """A file for the shell to source."""
        return self.root / "env"

    def directory(self, *names: str) -> Path:
        """Return a directory below the root, made (0700) if missing."""
        path = self.root.joinpath(*names)
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def data(self, name: str) -> Path:
        """Return the data directory of one process, made if missing."""
        return self.directory("data", name)

    def secret(self, name: str) -> Path:
        """Return the path of one secret; the directory is made if missing."""
        return self.directory("secrets") / name

    def config(self, name: str) -> Path:
        """Return the path of one rendered configuration file."""
        return self.directory("etc") / name

    def log(self, name: str) -> Path:
        """Return the log file of one process."""
        return self.directory("log") / f"{name}.log"

    def identity(self) -> str:
        """Return the id of this state directory, made up once.

        Every process of the stack carries it in its environment, so that left-over processes are
        told from everybody else's.
        """
        path = self.directory() / "id"
        if not path.exists():
            write_private(path, uuid.uuid4().hex)
        return path.read_text()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the directory for one command that changes it; others wait."""
        with (self.directory() / "command.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads (0600), whole or not at all.

    The file is not touched when it holds that text already.
    """
    if path.exists() and path.read_text() == text:
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    unfinished.rename(path)
