"""Brings the sample course to life on a running stack."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2

from hack.install.machine import ROOT
from hack.install.venv import ENVIRONMENT
from hack.stack.cluster import kubectl
from hack.stack.endpoints import Endpoints, endpoints
from hack.stack.handover import StackError
from hack.stack.kubernetes import NAMESPACE
from hack.stack.layout import Layout
from hack.stack.lifecycle import Notice, up
from hack.stack.people import ADMIN, LEARNER, TEACHER, admit
from hack.stack.profiles import IdentityBackend, Profile
from hack.stack.shell import shell_variables, write_shell_files
from hack.stack.site import Site

SAMPLES = ROOT / "manifests" / "samples"
KINDS = "courses.kourse.dev,questionpools.kourse.dev,examconfigs.kourse.dev,cohorts.kourse.dev"
LIVE_SECONDS = 300.0
POLL_SECONDS = 0.5


def _silently(_name: str, _text: str) -> None:
    """Tell nobody."""


def bring_up(
    state_dir: Path,
    notice: Notice = _silently,
    profile: Profile = Profile.FULL,
    backend: IdentityBackend = IdentityBackend.LOCAL,
) -> Endpoints:
    """Bring everything up and the sample course to life, unless it is; return where things are.

    Args:
        state_dir: The stack's state directory, made if missing.
        notice: Told of every process that becomes ready and of every step.
        profile: ``FULL``, or ``CHAOS`` for the same with proxies between the parts.
        backend: Where identity keeps credentials.

    Raises:
        PrerequisiteMissing: The machine lacks something that cannot be installed from here.
        StackError: Something does not become ready.
    """
    site = up(Layout(state_dir.absolute()), profile, notice, backend)
    write_shell_files(site)
    bring_sample(site, notice)
    return endpoints(site)


def bring_sample(site: Site, notice: Notice) -> None:
    """Let the sample people in, apply the sample course, send its assets, wait until it is live.

    All of it may be done again: what is there already stays.

    Args:
        site: The running stack.
        notice: Told of every step: its name and a text.

    Raises:
        StackError: A step fails; the text says why.
    """
    for name, step, text in (
        ("people", _admit_people, "can log in"),
        ("course", _apply, "applied"),
        ("assets", _push_assets, "sent"),
    ):
        try:
            step(site)
        except subprocess.CalledProcessError as failed:
            reason = (failed.stderr or failed.stdout).strip()
            raise StackError(f"The sample's {name}: {reason}") from failed
        except httpx2.HTTPError as failed:
            raise StackError(f"The sample's {name}: {failed}") from failed
        notice(name, text)
    _wait_until_live(site, notice)


def _admit_people(site: Site) -> None:
    people = [(person, site.secret(person.secret)) for person in (TEACHER, LEARNER)]
    admit(site.url("identity"), site.secret(ADMIN.secret), people)


def _apply(site: Site) -> None:
    # As kubectl's own manager, so that a person who applies them again meets no conflict.
    flags = ["--server-side", "--force-conflicts"]
    where = ["-n", NAMESPACE, "--recursive", "-f", str(SAMPLES)]
    kubectl(site.layout, "apply", *flags, *where)


def _push_assets(site: Site) -> None:
    subprocess.run(
        [str(ENVIRONMENT / "bin" / "kourse"), "push-assets", str(SAMPLES)],
        env={**os.environ, **shell_variables(site)},
        capture_output=True,
        text=True,
        check=True,
    )


def _wait_until_live(site: Site, notice: Notice) -> None:
    """Wait until the operator has made everything of the sample, telling how far it is."""
    deadline = time.monotonic() + LIVE_SECONDS
    told = -1
    while True:
        objects = json.loads(kubectl(site.layout, "get", KINDS, "-n", NAMESPACE, "-o", "json"))
        states = [readiness(item) for item in objects["items"]]
        waiting = [state for state in states if state]
        if len(waiting) != told:
            told = len(waiting)
            notice("course", f"{len(states) - told} of {len(states)} objects live")
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise StackError("Not live in time:\n  " + "\n  ".join(waiting))
        time.sleep(POLL_SECONDS)


def readiness(item: dict[str, Any]) -> str:
    """Return what an object waits for in one line; empty when it is Ready as it stands."""
    name = f"{item['kind']} {item['metadata']['name']}"
    status = item.get("status", {})
    conditions = {row["type"]: row for row in status.get("conditions", [])}
    ready = conditions.get("Ready")
    if ready is None or status.get("observedGeneration", 0) < item["metadata"]["generation"]:
        return f"{name}: the operator has not seen it"
    if ready["status"] == "True":
        return ""
    return f"{name}: {ready.get('reason')}: {ready.get('message')}"
