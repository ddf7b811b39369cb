"""What a container engine could leave behind on this machine."""

import re
import subprocess
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")
MADE = re.compile(r":\S+ (-|DROP)$")
COUNTERS = re.compile(r"\[\d+:\d+\]")


def traces():
    """Kind of trace to what there is of it now: alike before a cluster and after it."""
    return {
        "interfaces": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "mounts": sorted(line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        "groups": sorted(
            str(path) for depth in ("", "*/") for path in CONTROL_GROUPS.glob(f"{depth}docker")
        ),
        "engines": sorted(_programs() & {"dockerd", "containerd", "kubelet", "kube-proxy"}),
        **{program: _rules(program) for program in ("iptables-save", "ip6tables-save")},
    }


def _rules(program):
    """Rules, chains that somebody made, and policies that are not the kernel's own."""
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    lines = (COUNTERS.sub("", line).strip() for line in done.stdout.splitlines())
    return [line for line in lines if line.startswith("-A") or MADE.match(line)]


def _programs():
    found = set()
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            found.add(path.read_text().strip())
        except OSError:
            continue  # it has ended
    return found
