"""One process per service: what it works with, how it starts, and how it ends."""

from kourse.kit.runtime.lifecycle import run
from kourse.kit.runtime.process import Process
from kourse.kit.runtime.runtime import CurrentRuntime, NotConfigured, Runtime, current_runtime
from kourse.kit.runtime.service import Service

__all__ = [
    "CurrentRuntime",
    "NotConfigured",
    "Process",
    "Runtime",
    "Service",
    "current_runtime",
    "run",
]
