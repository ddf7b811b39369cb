"""The commands of the local stack: ``python -m hack.stack up|down|status|logs|clean``."""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, report
from hack.stack.handover import StackError
from hack.stack.layout import Layout
from hack.stack.leftovers import is_alive
from hack.stack.lifecycle import down, up
from hack.stack.process import PlanError
from hack.stack.profiles import IdentityBackend, Profile
from hack.stack.record import read_record
from hack.stack.sample import bring_up
from hack.stack.shell import screen, write_shell_files
from hack.stack.site import Site
from hack.stack.usage import memory_held, process_tree

Command = Callable[[Layout, argparse.Namespace], int]


def command_up(layout: Layout, options: argparse.Namespace) -> int:
    """Bring the stack up."""
    started = time.monotonic()

    def notice(name: str, text: str) -> None:
        report(name, text, started)

    if options.profile in {Profile.FULL, Profile.TRACED, Profile.CHAOS}:
        bring_up(layout.root, notice, options.profile, options.identity)
        print(screen(Site.load(layout)))
    else:
        write_shell_files(up(layout, options.profile, notice))
    return 0


def command_down(layout: Layout, _options: argparse.Namespace) -> int:
    """Take the stack down; its data are kept."""
    count = down(layout)
    print(f"stopped {count} processes" if count else "nothing was running")
    return 0


def command_clean(layout: Layout, options: argparse.Namespace) -> int:
    """Take the stack down and delete its data."""
    command_down(layout, options)
    shutil.rmtree(layout.root, ignore_errors=True)
    return 0


def command_status(layout: Layout, _options: argparse.Namespace) -> int:
    """Print a table of the processes; the exit code is 0 when all of them serve."""
    record = read_record(layout.record_file)
    if record is None or not is_alive(record.supervisor, record.supervisor_started):
        print("the stack is down: `make up` starts it")
        return 1
    print(f"{'NAME':<20}{'STATE':<10}{'PID':>8}{'RESTARTS':>10}{'MEMORY':>9}  ADDRESS")
    tree = process_tree()
    total = memory_held(record.supervisor, {})
    for name, entry in record.entries.items():
        memory = memory_held(entry.pid, tree) if entry.pid else 0
        total += memory
        pid = str(entry.pid or "")
        size = f"{memory >> 20} MiB" if entry.pid else ""
        print(f"{name:<20}{entry.phase:<10}{pid:>8}{entry.restarts:>10}{size:>9}  {entry.address}")
    print(f"{len(record.entries)} processes, {total >> 20} MiB resident")
    return 0 if record.settled else 1


def command_logs(layout: Layout, options: argparse.Namespace) -> int:
    """Follow the logs of all processes, or of one."""
    names = [options.name] if options.name else [path.stem for path in _logs(layout)]
    missing = [name for name in names if not layout.log(name).exists()]
    if missing or not names:
        known = ", ".join(path.stem for path in _logs(layout)) or "none yet"
        print(f"no such log; there are: {known}", file=sys.stderr)
        return 2
    follow = [] if options.no_follow else ["-F"]
    paths = [str(layout.log(name)) for name in names]
    return subprocess.run(
        ["tail", "-n", str(options.lines), *follow, *paths], check=False
    ).returncode


def _logs(layout: Layout) -> list[Path]:
    return sorted(layout.directory("log").glob("*.log"))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = argparse.ArgumentParser(prog="python -m hack.stack", description=__doc__)
    commands = result.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        command.set_defaults(run=run)
        return command

    starting = add("up", command_up)
    starting.add_argument(
        "--profile",
        type=Profile,
        choices=list(Profile),
        default=Profile.FULL,
        help="infra: only the servers below our own services",
    )
    starting.add_argument(
        "--identity",
        type=IdentityBackend,
        choices=list(IdentityBackend),
        default=IdentityBackend.LOCAL,
        help="where identity keeps credentials (local)",
    )
    add("down", command_down)
    add("clean", command_clean)
    add("status", command_status)
    logs = add("logs", command_logs)
    logs.add_argument("name", nargs="?", help="one process; all by default")
    logs.add_argument("--lines", type=int, default=20, help="how many old lines (20)")
    logs.add_argument("--no-follow", action="store_true", help="print and end")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        Its exit code: 2 when a prerequisite is missing, 1 when it failed.
    """
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(Layout.from_environment(), options)
    except PrerequisiteMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    except (StackError, PlanError) as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
