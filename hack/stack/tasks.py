"""Tasks of the table: modules of this package that prepare something once."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from hack.stack.process import Process, digest_of
from hack.stack.site import PYTHON, Site, python_environment


def task(
    site: Site, name: str, module: str, needs: Sequence[str] = (), inputs: Sequence[Path] = ()
) -> Process:
    """Return a row that runs ``python -m MODULE NAME STATE_DIR`` until it succeeds once.

    Args:
        site: The stack.
        name: The task's name.
        module: The module that does it; it runs again when its source has changed.
        needs: What has to be ready before.
        inputs: Files and directories: a change in them runs the task again.
    """
    spec = importlib.util.find_spec(module)
    source = [Path(spec.origin)] if spec is not None and spec.origin is not None else []
    data = site.layout.data(name)
    return Process(
        name=name,
        argv=(PYTHON, "-m", module, name, str(site.layout.root)),
        env=python_environment(data),
        cwd=str(data),
        needs=tuple(needs),
        once=True,
        inputs=digest_of([*source, *inputs]),
    )
