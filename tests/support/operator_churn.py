"""Objects that come, change and go without pause, under operators that die without pause.

The operators are forked from a process that has imported everything, so that a death costs a second and
not the start of an interpreter. Only a leader reaches a fault point, so whoever dies of one was the leader:
its lease is taken from it at once, as waiting for it to run out is tested elsewhere.
"""

import contextlib
import multiprocessing
import os
import random
import signal
import sys
import threading
from collections import Counter

from kubernetes import client

from kourse.kit import faults
from support.operator_fakes import SPECS

OPERATOR_POINTS = [name for name in faults.POINTS if name.startswith("operator.")]
LATEST = 24
"""Highest number of points that an operator passes before it dies at random."""
COURSES = ("base-0", "base-1")
POOL = "base"
NAMES = [f"n-{number}" for number in range(5)]
FREE = {"deletionPolicy": "Delete"}


def run(settings, log):
    """The operator, as ``python -m kourse_operator``, in a process that was forked for it."""
    from kourse_operator.__main__ import main

    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(out, number)
    os.environ.update(settings)
    faults.arm_from_environment()
    sys.argv = ["kourse_operator"]
    main()


class Mortals:
    """Two operators at a time, each with a point at which it dies; others take the places of the dead.

    Attributes:
        deaths: How many died of a fault, by fault.
    """

    def __init__(self, settings, log, lease, rng):
        self._settings = settings
        self._log = log
        self._lease = lease
        self._rng = rng
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["kourse_operator.process", __name__])
        self._faults = self._none()
        self._alive = []
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep)
        self.deaths = Counter()

    def __enter__(self):
        self._keeper.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._keeper.join()
        for process, _ in self._alive:
            process.kill()
            process.join(60)

    def kill_from_now(self):
        """Whoever works dies: at every named step first, then at any."""
        self._faults = self._some()
        self._end_all()

    def spare(self):
        """Whoever works lives from now on."""
        self._faults = self._none()
        self._end_all()

    def _end_all(self):
        for process, _ in list(self._alive):
            process.kill()

    def _keep(self):
        while not self._ended.wait(0.05):
            for entry in [entry for entry in self._alive if not entry[0].is_alive()]:
                self._alive.remove(entry)
                self._bury(*entry)
            while len(self._alive) < 2:
                self._start(next(self._faults))

    def _bury(self, process, fault):
        """Counts a death of a fault; the lease of one that died is free."""
        if process.exitcode == -signal.SIGKILL:
            self.deaths[fault] += 1
            self._lease.free()

    def _start(self, fault):
        settings = {**self._settings, "KOURSE_OPERATOR_PORT": "0", "KOURSE_FAULTS": fault}
        process = self._context.Process(target=run, args=(settings, self._log), daemon=True)
        process.start()
        self._alive.append((process, fault.partition(":")[0]))

    def _some(self):
        yield from (f"{point}=kill" for point in OPERATOR_POINTS)
        while True:
            yield f"operator.*=kill:{self._rng.randint(1, LATEST)}"

    def _none(self):
        while True:
            yield ""


class HeldLease:
    """The operators' lease, as an administrator sees it."""

    def __init__(self, api, namespace, name):
        self._leases = client.CoordinationV1Api(api)
        self._place = (name, namespace)

    def free(self):
        """Nobody holds it."""
        with contextlib.suppress(client.ApiException):  # there is none before the first leader
            self._leases.patch_namespaced_lease(*self._place, {"spec": {"holderIdentity": ""}})


class Churn:
    """What an author does all day.

    Attributes:
        wanted: The spec of every object that there should be, by kind and name.
        changes: How often each was created or changed, by kind and name.
    """

    def __init__(self, cluster, namespace, rng):
        self._cluster = cluster
        self._namespace = namespace
        self._rng = rng
        self._count = 0
        self.wanted = {}
        self.changes = Counter()

    def begin(self, replicate):
        """What the others refer to; ``replicate`` tells the siblings of a course."""
        for course in COURSES:
            self._create("Course", course, SPECS["Course"] | FREE)
            self._cluster.until("Course", self._namespace, course)
            replicate(course)
        pool = SPECS["QuestionPool"] | FREE | {"courseRef": COURSES[0]}
        self._create("QuestionPool", POOL, pool)

    def step(self):
        """One object is created, changed or deleted."""
        kind, name = self._rng.choice(list(SPECS)), self._rng.choice(NAMES)
        if (kind, name) not in self.wanted:
            with contextlib.suppress(client.ApiException):  # the one of that name is going yet
                self._create(kind, name, self._spec(kind))
        elif self._rng.random() < 0.6:
            self._change(kind, name)
        else:
            self._cluster.delete(kind, self._namespace, name)
            del self.wanted[kind, name]

    def end(self):
        """Everything is deleted."""
        for kind, name in list(self.wanted):
            self._cluster.delete(kind, self._namespace, name)
            del self.wanted[kind, name]

    def _create(self, kind, name, spec):
        self._cluster.create(kind, self._namespace, name, spec)
        self.wanted[kind, name] = spec
        self.changes[kind, name] += 1

    def _change(self, kind, name):
        changed = self._spec(kind)
        self._cluster.patch(kind, self._namespace, name, {"spec": changed})
        self.wanted[kind, name] = changed
        self.changes[kind, name] += 1

    def _spec(self, kind):
        self._count += 1
        own = {
            "Course": {},
            "QuestionPool": {"courseRef": COURSES[0]},
            "ExamConfig": {
                "courseRef": COURSES[0],
                "zones": [{"key": "z", "title": "Z", "draws": [{"pools": [POOL], "count": 1}]}],
            },
            "Cohort": {"courses": self._rng.choice([[COURSES[0]], [COURSES[1]], list(COURSES)])},
        }[kind]
        return SPECS[kind] | FREE | own | {"title": f"Title {self._count}"}


def seeded(seed):
    """Chance that can be repeated."""
    return random.Random(seed)
