"""``make images``: builds the images, and prints their names."""

import argparse
import sys

from hack.images.build import build_all
from hack.images.builder import find_builder
from hack.install.machine import PrerequisiteMissing


def main() -> int:
    """Build the images.

    Returns:
        0, or 2 when the machine lacks something.
    """
    argparse.ArgumentParser(prog="make images", description=__doc__).parse_args()
    try:
        images = build_all(find_builder())
    except PrerequisiteMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    print(f"{images.kourse}\n{images.runner}\n{images.evaluation}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
