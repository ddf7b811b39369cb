"""Notification as its own process between real servers, a class of learners, and what is seen of their notices."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString
from uuid import UUID, uuid4

from hack.bench.events_load import TENANT, WrongEffectsError, outgoing, write
from hack.bench.events_rooms import Room
from kourse.contracts.events import (
    AssignmentChanged,
    ContentPublished,
    DeclaredDates,
    Event,
    ScoreReleased,
)

COURSE = "statistics"
RESULT = "Result: "
"""How the subject of an exam's mail begins."""
TICK_S = 0.01
GLANCE_S = 0.01
PATIENCE_S = 120.0
_CLASS = """
WITH people AS (SELECT gen_random_uuid() AS id FROM generate_series(1, %(count)s)),
recipients AS (
  INSERT INTO notification.recipient (tenant, user_id, locale) SELECT %(tenant)s, id, 'en' FROM people
)
INSERT INTO notification.enrolment (tenant, enrolment_id, learner_id, course_id)
SELECT %(tenant)s, gen_random_uuid(), id, %(course)s FROM people RETURNING learner_id
"""
_COURSE = """
INSERT INTO notification.course (tenant, course_id, course, title, version, time_zone)
VALUES (%(tenant)s, %(course)s, %(name)s, 'Statistics', 1, 'Europe/Lisbon')
"""
_SEEN = """
SELECT n.source_event FROM unnest(%(people)s::uuid[], %(events)s::uuid[]) AS waited (person, event)
JOIN notification.notification AS n ON n.tenant = %(tenant)s AND n.user_id = waited.person
  AND n.kind = 'exam-graded' AND n.source_event = waited.event
"""


@dataclass
class Notices:
    """Exam notices of one phase, by the event's id.

    Attributes:
        written: When each event was committed, and whose it is.
        seen: When it was in the feed.
        mailed: When the relay had taken its mail.
    """

    written: dict[UUID, tuple[float, UUID]] = field(default_factory=dict)
    seen: dict[UUID, float] = field(default_factory=dict)
    mailed: dict[UUID, float] = field(default_factory=dict)

    def feed_delays(self) -> list[float]:
        """Seconds from the event's commit to the feed, each looked for every 10 ms."""
        return [at - self.written[event][0] for event, at in self.seen.items()]

    def mail_delays(self) -> list[float]:
        """Seconds from the event's commit to the relay's taking the mail."""
        return [at - self.written[event][0] for event, at in self.mailed.items()]


class Rig:
    """The processes of one room, and a class of learners in one course."""

    def __init__(self, room: Room, folder: Path, learners: int) -> None:
        self.room = room
        self.course_id = uuid4()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._mails = folder / "mails"
        self._next = iter(range(1 << 60))
        self._sequence = 0
        self._assignment_id = uuid4()
        with room.admin() as connection:
            rows = connection.execute(
                _CLASS, {"count": learners, "tenant": TENANT, "course": self.course_id}
            )
            self.learners: Sequence[UUID] = [row[0] for row in rows]
            connection.execute(
                _COURSE, {"tenant": TENANT, "course": self.course_id, "name": COURSE}
            )
            connection.execute("VACUUM ANALYZE notification.enrolment")

    @contextmanager
    def running(self) -> Iterator[None]:
        """The producers' relays, notification and what is outside run, each in a process of its own."""
        ports = {name: _free_port() for name in ("HTTP", "RPC", "SMTP", "SERVICE")}
        logs = sys.stderr if os.environ.get("KOURSE_BENCH_LOGS") else subprocess.DEVNULL
        with ExitStack() as stack, self._mails.open("wb") as mails:
            for name, argv, env in self._ends(ports):
                self.processes[name] = subprocess.Popen(
                    [sys.executable, "-m", *argv],
                    env=os.environ | env,
                    stdout=mails if name == "outside" else logs,
                    stderr=logs,
                )
                stack.callback(_end, self.processes[name])
            _await_ready(f"http://127.0.0.1:{ports['SERVICE']}/readyz", self.processes)
            yield

    def publish(self) -> UUID:
        """A version of the course is live; the event's id."""
        return self._course_says(
            ContentPublished(
                course_id=self.course_id,
                course=COURSE,
                title="Statistics",
                version=self._sequence + 2,
                digest="0" * 64,
                time_zone="Europe/Lisbon",
                lessons=[],
                skills=[],
            )
        )

    def change_date(self, due_at: datetime) -> UUID:
        """An assignment of the course is due then; the event's id."""
        return self._course_says(
            AssignmentChanged(
                course_id=self.course_id,
                course=COURSE,
                assignment_id=self._assignment_id,
                assignment="survey",
                title="A survey",
                due_at=due_at,
                dates=DeclaredDates.model_validate({"due": {"at": due_at.isoformat()}}),
            )
        )

    def exam_notices(
        self, per_second: float, seconds: float, *, begun: threading.Event | None = None
    ) -> Notices:
        """Scores are released at this rate, whatever becomes of them; each came to its feed and mail.

        Args:
            per_second: Scores.
            seconds: For so long.
            begun: Set when the first second is over.
        """
        found, done = Notices(), threading.Event()
        offset = self._mails.stat().st_size
        watch = threading.Thread(target=self._watch, args=(found, done), daemon=True)
        watch.start()
        self._release(found, per_second, seconds, begun)
        done.set()
        watch.join(PATIENCE_S)
        self._await_mails(found, offset)
        if len(found.seen) != len(found.written) or len(found.mailed) != len(found.written):
            raise WrongEffectsError(
                f"{len(found.seen)} in feeds and {len(found.mailed)} mailed of {len(found.written)}"
            )
        return found

    def _release(
        self, found: Notices, per_second: float, seconds: float, begun: threading.Event | None
    ) -> None:
        with self.room.admin() as connection:
            start = time.perf_counter()
            for number in range(int(per_second * seconds)):
                due = start + number / per_second
                time.sleep(max(due - time.perf_counter(), 0))
                learner = self.learners[next(self._next) * 7919 % len(self.learners)]
                row = outgoing(_score(learner, self.course_id), seq=1, number=0, now=_now())
                with connection.transaction():
                    write(connection, [row], "assessment")
                found.written[row.event_id] = (time.time(), learner)
                if begun and number / per_second >= 1:
                    begun.set()

    def _watch(self, found: Notices, done: threading.Event) -> None:
        end = float("inf")
        with self.room.admin() as connection:
            while time.monotonic() < end:
                if done.is_set() and end == float("inf"):
                    end = time.monotonic() + PATIENCE_S
                waited = {e: own for e, own in tuple(found.written.items()) if e not in found.seen}
                if done.is_set() and not waited:
                    return
                people = [own[1] for own in waited.values()]
                values = {"people": people, "events": list(waited), "tenant": TENANT}
                rows = connection.execute(_SEEN, values).fetchall()
                at = time.time()
                found.seen.update((row[0], at) for row in rows)
                time.sleep(GLANCE_S)

    def _await_mails(self, found: Notices, offset: int) -> None:
        by_person: dict[UUID, list[UUID]] = {}
        for event, (_, person) in found.written.items():
            by_person.setdefault(person, []).append(event)
        if any(len(events) > 1 for events in by_person.values()):
            raise WrongEffectsError("somebody has two exams in one phase")
        end = time.monotonic() + PATIENCE_S
        while len(found.mailed) < len(found.written) and time.monotonic() < end:
            time.sleep(0.1)
            for at, person in self._exam_mails(offset):
                found.mailed.setdefault(by_person[person][0], at)

    def _exam_mails(self, offset: int) -> Iterator[tuple[float, UUID]]:
        with self._mails.open() as mails:
            mails.seek(offset)
            for line in mails:
                at, to, subject = line.rstrip("\n").split(" ", 2)
                if subject.startswith(RESULT):
                    yield float(at), UUID(to.partition("@")[0])

    def until(self, query: LiteralString, **values: object) -> float:
        """Seconds until the query's first value is true.

        Raises:
            WrongEffectsError: It does not become true.
        """
        begun = time.perf_counter()
        with self.room.admin() as connection:
            while time.perf_counter() < begun + PATIENCE_S:
                row = connection.execute(query, values).fetchone()
                if row and row[0]:
                    return time.perf_counter() - begun
                time.sleep(0.05)
        raise WrongEffectsError(f"this does not become true: {query}")

    def _course_says(self, event: Event) -> UUID:
        self._sequence += 1
        row = outgoing(event, seq=self._sequence, number=0, now=_now())
        with self.room.admin() as connection, connection.transaction():
            write(connection, [row], "course")
        return row.event_id

    def _ends(self, ports: dict[str, int]) -> Iterator[tuple[str, tuple[str, ...], dict[str, str]]]:
        urls = self.room.urls
        yield (
            "outside",
            ("hack.bench.notification_ends", "outside"),
            {f"KOURSE_BENCH_{name}_PORT": str(ports[name]) for name in ("HTTP", "RPC", "SMTP")},
        )
        yield (
            "producers",
            ("hack.bench.notification_ends", "producers"),
            {
                "KOURSE_BENCH_BROKER_URL": self.room.broker_url,
                "KOURSE_BENCH_COURSE_URL": urls["kourse_course_worker"],
                "KOURSE_BENCH_ASSESSMENT_URL": urls["kourse_assessment_worker"],
            },
        )
        own = {
            "PORT": str(ports["SERVICE"]),
            "DATABASE_URL": urls["kourse_notification"],
            "WORKER_DATABASE_URL": urls["kourse_notification_worker"],
            "BROKER_URL": self.room.broker_url,
            "CACHE_URL": self.room.cache_url,
            "IDENTITY_URL": f"http://127.0.0.1:{ports['HTTP']}",
            "IDENTITY_RPC_ADDR": f"127.0.0.1:{ports['RPC']}",
            "JWKS_URL": f"http://127.0.0.1:{ports['HTTP']}/jwks",
            "TOKEN_ISSUER": "http://bench.example",
            "CLIENT_SECRET": "bench",
            "SMTP_PORT": str(ports["SMTP"]),
            "SMTP_STARTTLS": "false",
            "REMINDER_POLL_S": "1",
        }
        yield (
            "notification",
            ("kourse.notification",),
            {f"KOURSE_NOTIFICATION_{name}": value for name, value in own.items()},
        )


def _score(learner: UUID, course_id: UUID) -> ScoreReleased:
    return ScoreReleased(
        exam_id=uuid4(),
        exam="midterm",
        course_id=course_id,
        course=COURSE,
        attempt_id=uuid4(),
        learner_id=learner,
        title="Midterm",
        run=1,
        points="7.50",
        max_points="10",
        percent=75.0,
        passed=True,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _await_ready(url: str, processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and all(one.poll() is None for one in processes.values()):
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise WrongEffectsError("notification does not become ready")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
