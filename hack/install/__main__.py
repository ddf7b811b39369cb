"""Install what is missing: ``python3 -m hack.install [PART...]``, all parts but the cluster's by default.

Runs with the machine's own Python before there is any environment: standard library only.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the machine's own Python may be older
    sys.exit("Python 3.11 or newer is needed: run `apt-get install -y python3.11 python3.11-venv`.")

import argparse
from collections.abc import Callable

from hack.install.definitions import install_definitions
from hack.install.keycloak import install_keycloak
from hack.install.machine import PrerequisiteMissing
from hack.install.packages import install_packages
from hack.install.tools import INTEROP, JUDGES, STACK_TOOLS, TOXIPROXY, build_tools
from hack.install.venv import install_venv
from hack.install.zipkin import install_zipkin
from hack.kind.beforehand import install_cluster


def install_tools() -> None:
    """Build what the local stack runs and what checks and tests need."""
    build_tools((*STACK_TOOLS, *JUDGES, TOXIPROXY, INTEROP))


PARTS: dict[str, Callable[[], None]] = {
    "packages": install_packages,
    "venv": install_venv,
    "tools": install_tools,
    "keycloak": install_keycloak,
    "zipkin": install_zipkin,
    "definitions": install_definitions,
    "cluster": install_cluster,
}


def main() -> int:
    """Install the named parts; by default all but what only a test cluster needs.

    Returns:
        0, or 2 when a prerequisite is missing.
    """
    parser = argparse.ArgumentParser(prog="python3 -m hack.install", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    chosen = parser.parse_args().parts or [name for name in PARTS if name != "cluster"]
    unknown = set(chosen) - set(PARTS)
    if unknown:
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    try:
        for name, install in PARTS.items():
            if name in chosen:
                install()
    except PrerequisiteMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
