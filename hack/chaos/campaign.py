"""One campaign: a crowd of learners, a storm of faults, calm, and every promise checked."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from hack.chaos import backbone, effects, mails
from hack.chaos.classroom import Classroom
from hack.chaos.evidence import Database
from hack.chaos.learner import Learner
from hack.chaos.person import REQUEST_S, Person, Stuck, Tally
from hack.chaos.postbox import Postbox
from hack.chaos.spending import Spending
from hack.chaos.storm import DECK, storm
from hack.chaos.striking import Striker, until
from hack.chaos.verdict import Verdict, judge
from hack.smoke.person import Unexpected
from hack.smoke.target import Target
from hack.stack.endpoints import Endpoints
from hack.stack.layout import Layout
from hack.stack.profiles import Profile
from hack.stack.sample import bring_up
from hack.stack.site import Site

CROWD = 60
"""Learners on their way at the same time; most of them wait for what is to come."""
REVISE_EVERY_S = 15.0
SETTLE_S = 300.0
DEAL_S = 600.0
"""After the last journey, how long the storm may go on until every fault was dealt."""
Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a campaign brought to light.

    Attributes:
        seed: Of the storm.
        journeys: How many were begun.
        stuck: Why journeys failed.
        verdicts: Every promise, checked.
        faults: What was done, in order.
        seconds: Of the phases.
        cpu_seconds: Processor time of each part, from the first journey to the last check.
    """

    seed: int
    journeys: int
    tally: Tally = field(default_factory=Tally)
    stuck: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    faults: list[dict[str, object]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    flushes: int = 0
    mails: int = 0
    repeated_mails: int = 0

    @property
    def passed(self) -> bool:
        """Whether every journey succeeded and every promise was kept."""
        return not self.stuck and all(verdict.kept for verdict in self.verdicts)

    @property
    def struck(self) -> Counter[str]:
        """How often each kind of fault was done to each target."""
        return Counter(f"{fault['kind']} {fault['target']}" for fault in self.faults)


class Campaign:
    """Runs against a stack of its own in a state directory."""

    def __init__(self, state: Path, *, seed: int, journeys: int, gap_s: float, say: Say) -> None:
        """Starts nothing yet.

        Args:
            state: The stack's state directory.
            seed: Of the storm.
            journeys: How many learners.
            gap_s: Mean time between two faults.
            say: Told of the progress, a line at a time.
        """
        self._state = state.absolute()
        self._gap_s = gap_s
        self._say = say
        self._outcome = Outcome(seed, journeys)
        self._learners: list[Learner] = []

    async def run(self) -> Outcome:
        """What came of it; the stack keeps running.

        Raises:
            StackError: The stack does not come up.
            Unexpected: The class cannot be opened.
            NotSettled: The stack does not come back after the storm.
        """
        with self._timed("up"):
            where = await asyncio.to_thread(bring_up, self._state, profile=Profile.CHAOS)
        with self._timed("class"):
            classroom = Classroom(Target.of_state(self._state), self._outcome.journeys)
            await asyncio.to_thread(classroom.open)
        site = Site.load(Layout(self._state))
        striker = Striker(Layout(self._state), site.url("toxiproxy"), where.cache_url)
        await striker.mend()
        postbox, spending = Postbox(where.mail_url), Spending(Layout(self._state))
        async with (
            self._gateway(site.url("gateway-proxy")) as http,
            _beside(postbox.watch()),
            _beside(spending.watch()),
        ):
            with self._timed("storm"):
                await self._storm(http, classroom, postbox, striker)
            with self._timed("calm"):
                await striker.settle(SETTLE_S)
                await asyncio.to_thread(self._wait_for_calm, where, classroom)
            with self._timed("check"):
                await self._look_back()
                await self._check(where, postbox, striker)
        self._outcome.cpu_seconds = spending.seconds
        return self._outcome

    async def _storm(
        self, http: aiohttp.ClientSession, classroom: Classroom, postbox: Postbox, striker: Striker
    ) -> None:
        """All journeys, with faults until the last one is through and every fault was dealt."""
        rage = asyncio.create_task(striker.rage(storm(self._outcome.seed, self._gap_s)))
        team = asyncio.create_task(_revise_for_ever(classroom))
        try:
            await self._journeys(http, classroom, postbox, striker)
            await until(lambda: len(striker.struck) >= len(DECK) or rage.done(), DEAL_S)
        finally:
            for task in (rage, team):
                task.cancel()
            ended = await asyncio.gather(rage, team, return_exceptions=True)
        broken = [
            one
            for one in ended
            if isinstance(one, BaseException) and not isinstance(one, asyncio.CancelledError)
        ]
        if broken:
            raise broken[0]
        self._outcome.faults = [one.row() for one in striker.struck]
        self._outcome.flushes = striker.flushes

    async def _journeys(
        self, http: aiohttp.ClientSession, classroom: Classroom, postbox: Postbox, striker: Striker
    ) -> None:
        numbers = iter(range(self._outcome.journeys))
        run = secrets.token_hex(3)
        cohorts = sorted(classroom.codes)
        done = 0

        async def walk() -> None:
            nonlocal done
            for number in numbers:
                email = f"chaos-{run}-{number}@example.org"
                person = Person(http, self._outcome.tally, email, secrets.token_urlsafe(18))
                learner = Learner(person, classroom, cohorts[number % len(cohorts)], postbox)
                self._learners.append(learner)
                try:
                    await learner.go()
                except Stuck as stuck:
                    self._outcome.stuck.append(str(stuck))
                    self._say(f"stuck: {stuck}")
                done += 1
                if done % max(1, self._outcome.journeys // 20) == 0:
                    self._say(
                        f"{done} of {self._outcome.journeys} journeys, {len(striker.struck)} faults"
                    )

        await asyncio.gather(*(walk() for _ in range(min(CROWD, self._outcome.journeys))))

    def _wait_for_calm(self, where: Endpoints, classroom: Classroom) -> None:
        """Returns when nothing is on its way any more, or it has taken too long; the checks tell."""
        deadline = time.monotonic() + SETTLE_S
        with Database.open(where.superuser_url) as database:
            while (left := backbone.lagging(database) + mails.unsettled(database)) and (
                time.monotonic() < deadline
            ):
                self._say(f"calm in sight: {left} events and mails on their way")
                mails.hurry(database)
                time.sleep(1.0)
        try:
            classroom.wait_until_revised()
        except Unexpected as late:
            self._outcome.stuck.append(str(late))

    async def _look_back(self) -> None:
        """Learners find all of it, as the platform shows it to them when all is calm."""
        through = [one for one in self._learners if one.deeds.score is not None]
        gate = asyncio.Semaphore(CROWD)

        async def look(learner: Learner) -> str | None:
            async with gate:
                try:
                    await learner.look_back()
                except Stuck as stuck:
                    return str(stuck)
            return None

        found = await asyncio.gather(*(look(one) for one in through))
        self._outcome.verdicts.append(
            judge(
                "learners find every message and every point of theirs",
                len(through),
                filter(None, found),
            )
        )

    async def _check(self, where: Endpoints, postbox: Postbox, striker: Striker) -> None:
        deeds = [learner.deeds for learner in self._learners]
        users = [one.user_id for one in deeds if one.user_id]
        with Database.open(where.superuser_url) as database:
            self._outcome.verdicts += [
                effects.check_deeds(database, deeds),
                *backbone.check_events(database),
                *effects.check_effects(database),
                *mails.check_mails(database, postbox.mails, users, striker.struck),
            ]
        self._outcome.verdicts.append(await backbone.check_queues(where.broker_url))
        self._outcome.mails = len(postbox.mails)
        self._outcome.repeated_mails = mails.repeats(postbox.mails)

    @asynccontextmanager
    async def _gateway(self, url: str) -> AsyncIterator[aiohttp.ClientSession]:
        limits = aiohttp.TCPConnector(limit=CROWD * 2)
        timeout = aiohttp.ClientTimeout(REQUEST_S)
        async with aiohttp.ClientSession(url, connector=limits, timeout=timeout) as http:
            yield http

    def _timed(self, phase: str) -> _Stopwatch:
        self._say(f"{phase} …")
        return _Stopwatch(self._outcome.seconds, phase)


class _Stopwatch:
    def __init__(self, seconds: dict[str, float], phase: str) -> None:
        self._seconds = seconds
        self._phase = phase

    def __enter__(self) -> None:
        self._begun = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._seconds[self._phase] = round(time.monotonic() - self._begun, 1)


@asynccontextmanager
async def _beside(work: object) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _revise_for_ever(classroom: Classroom) -> None:
    """The platform team changes a course all the time; what the cluster refuses is tried again."""
    while True:
        await asyncio.sleep(REVISE_EVERY_S)
        try:
            await asyncio.to_thread(classroom.revise)
        except Unexpected:
            continue
