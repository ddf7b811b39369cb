"""Waits until manifests that were applied are live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic, sleep

from kourse.cli.kubectl import Kubectl, resource
from kourse.cli.manifests import Manifest
from kourse.cli.session import CommandError
from kourse.cli.status import Row, row_of
from kourse.contracts.resources import BY_KIND

PAUSE_S = 1.0


def wait_ready(
    kubectl: Kubectl, manifests: Sequence[Manifest], patience_s: float, say: Callable[[str], None]
) -> None:
    """Returns when every object is ready in the generation that was applied.

    Args:
        kubectl: Where they were applied.
        manifests: What was applied.
        patience_s: Seconds to wait.
        say: Told of each object that became ready.

    Raises:
        CommandError: Some are not ready in time; each is named with what keeps it.
    """
    end = monotonic() + patience_s
    ready: set[str] = set()
    while True:
        rows = [_look(kubectl, one) for one in manifests]
        for row in rows:
            label = f"{row.kind}/{row.name}"
            if row.ready == "True" and label not in ready:
                ready.add(label)
                say(f"{label} is ready ({len(ready)} of {len(rows)})")
        left = [row for row in rows if row.ready != "True"]
        if not left:
            return
        if monotonic() >= end:
            named = "; ".join(f"{one.kind}/{one.name}: {one.problem}" for one in left)
            raise CommandError(f"{len(left)} of {len(rows)} are not ready yet. {named}")
        sleep(PAUSE_S)


def _look(kubectl: Kubectl, one: Manifest) -> Row:
    where = Kubectl(kubectl.command, one.namespace or kubectl.namespace)
    return row_of(where.read("get", resource(BY_KIND[one.kind]), one.name))
