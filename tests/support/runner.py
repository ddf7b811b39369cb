"""A runner in a process of its own, which judges programs as it does in a cluster."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

PATIENCE_S = 180.0


def begin(**settings):
    """The process of a runner that serves, and its address."""
    environment = os.environ | {"KOURSE_RUNNER_PORT": "0", **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "kourse.runner"], env=environment, stdout=subprocess.PIPE, text=True
    )
    said = {}
    for line in process.stdout:
        event = json.loads(line)
        said[event["event"]] = event
        if "started" in said:
            break
    # Nobody wants to know what else it says, but it may not have to wait for somebody to read it.
    process.reading = threading.Thread(target=process.stdout.read, daemon=True)
    process.reading.start()
    return process, f"http://127.0.0.1:{said['listening']['port']}"


def end(process, number=signal.SIGTERM):
    """Returns when the process is gone."""
    process.send_signal(number)
    process.wait(timeout=PATIENCE_S)
    process.reading.join()
    process.stdout.close()


@contextmanager
def running_runner(**settings):
    """The address of a runner, for as long as the block runs."""
    process, address = begin(**settings)
    try:
        yield address
    finally:
        end(process)
