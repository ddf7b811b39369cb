"""What a Docker engine leaves on a machine when it ends, and how that is undone.

It keeps its bridges and firewall rules for its next start. A cluster that is thrown away must not
change the machine, so what was there before is written down and the rest is taken away.
"""

import contextlib
import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
TABLES = ("filter", "nat")
CONTROL_GROUPS = Path("/sys/fs/cgroup")
PLUGINS = (Path("/run/docker/plugins"), Path("/run/docker"))


@dataclass(frozen=True)
class Traces:
    """The machine before our engine started.

    Attributes:
        forwarding: Whether packets were forwarded, as the kernel spells it.
        bridges: Names of the bridges that were there.
        policies: The FORWARD chain's policy.
    """

    forwarding: str
    bridges: tuple[str, ...]
    policy: str

    @classmethod
    def of_machine(cls) -> "Traces":
        """Return what is there now."""
        rules = _output("iptables", "--wait", "-S", "FORWARD").splitlines()
        policy = next((rule.split()[2] for rule in rules if rule.startswith("-P")), "ACCEPT")
        return cls(FORWARDING.read_text().strip(), tuple(_bridges()), policy)

    def write(self, path: Path) -> None:
        """Write it down."""
        path.write_text(json.dumps(asdict(self)))

    def remove(self) -> None:
        """Take away what came since: bridges, firewall rules, empty directories."""
        gone = [name for name in _bridges() if name not in self.bridges]
        for bridge in gone:
            _output("ip", "link", "delete", bridge)
        for program in ("iptables", "ip6tables"):
            for table in TABLES:
                _remove_rules(program, table, gone)
        _output("iptables", "--wait", "-P", "FORWARD", self.policy)
        FORWARDING.write_text(self.forwarding)
        _remove_directories()


def read_traces(path: Path) -> Traces | None:
    """Return what was written down, or None."""
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    return Traces(found["forwarding"], tuple(found["bridges"]), found["policy"])


def _bridges() -> list[str]:
    return sorted(path.parent.name for path in Path("/sys/class/net").glob("*/bridge"))


def _remove_rules(program: str, table: str, bridges: list[str]) -> None:
    """Delete the rules that name Docker's chains, its bridges or the networks behind them."""
    listed = _output(program, "--wait", "-t", table, "-S").splitlines()
    for rule in listed:
        words = rule.split()
        if words[0] == "-A" and _is_dockers(words, bridges):
            _output(program, "--wait", "-t", table, "-D", *words[1:])
    chains = [rule.split()[1] for rule in listed if rule.startswith("-N DOCKER")]
    for verb in ("-F", "-X"):
        for chain in chains:
            _output(program, "--wait", "-t", table, verb, chain)


def _is_dockers(words: list[str], bridges: list[str]) -> bool:
    return any(word.startswith("DOCKER") or word in bridges for word in words)


def _remove_directories() -> None:
    """Remove the directories Docker used; one that still holds something stays."""
    groups = (*CONTROL_GROUPS.glob("*/docker"), CONTROL_GROUPS / "docker")
    for directory in (*groups, *PLUGINS):
        if directory.is_dir():
            with contextlib.suppress(OSError):
                directory.rmdir()


def _output(*command: str) -> str:
    """Return what a command prints; nothing when it fails, for a trace may be gone already."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
