"""One learner's journey, and what the platform acknowledged on the way."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from hack.chaos.classroom import Classroom
from hack.chaos.person import PATIENCE_S, REFUSED, Answer, Person, Stuck
from hack.chaos.postbox import Postbox
from hack.smoke.knowledge import right_answer

CODE_S = 15.0
"""How long somebody waits for a code before they ask for another; each time twice as long, for an
address gets only a few codes in an hour."""
SOON_S = 1.0
"""When somebody first looks for what they wait for: sooner, most looks would be for nothing."""
LONGEST_LOOK_S = 4.0
NOT_FOUND, CONFLICT = 404, 409
BADGES = frozenset({"first-step", "passed", "first-course"})
"""What one journey wins: two badges of the course, and one that the platform gives."""
TOLD = {
    "welcome": 1,
    "cohort-joined": 1,
    "enrolled": 1,
    "exam-graded": 1,
    "badge-won": len(BADGES),
}
"""In-app messages of one journey by type, besides one for each lesson."""


@dataclass
class Deeds:
    """What one learner did and the platform acknowledged.

    Attributes:
        answers: By slot, with the number of the save.
        score: Points and maximum as shown.
        told: In-app messages by type, as seen at the end.
        points: Points as seen at the end.
    """

    email: str
    user_id: str = ""
    cohort: str = ""
    enrolment: str = ""
    lessons: list[str] = field(default_factory=list)
    attempt: str = ""
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    submitted: bool = False
    score: tuple[str, str] | None = None
    told: dict[str, int] = field(default_factory=dict)
    points: int = 0


class Learner:
    """Somebody who registers, joins a class, studies and sits the quiz.

    Attributes:
        deeds: What was acknowledged so far; filled also when the journey fails.
    """

    def __init__(self, person: Person, classroom: Classroom, cohort: str, postbox: Postbox) -> None:
        """Does nothing yet."""
        self.deeds = Deeds(person.email)
        self._person = person
        self._classroom = classroom
        self._cohort = cohort
        self._postbox = postbox
        self._known: dict[int, dict[str, Any]] = {}

    async def go(self) -> None:
        """The journey, up to the grade.

        Raises:
            Stuck: A step was refused or did not come about.
        """
        await self.get_in()
        await self.join()
        for lesson in self._classroom.lessons:
            path = f"/v1/courses/{self._classroom.course}/lessons/{lesson}/completion"
            await self._person.do("POST", path)
            self.deeds.lessons.append(lesson)
        await self._sit_quiz()
        await self._until("the grade", self._graded, after_s=SOON_S)

    async def look_back(self) -> None:
        """Every message and every point of the journey is there, as the learner sees it in the end.

        Raises:
            Stuck: Something is missing or there is too much of it.
        """
        await self._until("the messages", self._told)
        await self._until("the points", self._rewarded)

    async def get_in(self) -> None:
        """Registers, verifies and logs in, asking for another code when none comes.

        Raises:
            Stuck: It did not work out in time.
        """
        deadline = time.monotonic() + PATIENCE_S
        body = {
            "email": self._person.email,
            "password": self._person.password,
            "displayName": "Ana Chaos",
        }
        wait_s = CODE_S
        while time.monotonic() < deadline:
            tried = self._postbox.codes_of(self._person.email)
            await self._person.do("POST", "/v1/auth/register", body)
            code = await self._postbox.code(self._person.email, tried=tried, within_s=wait_s)
            wait_s *= 2
            if code is not None:
                checked = {"email": self._person.email, "code": code}
                await self._person.call("POST", "/v1/auth/verify-email", checked)
            # A refused code may be one whose acceptance was lost: the log-in tells.
            entered = await self._person.log_in()
            if entered.status < REFUSED:
                self.deeds.user_id = _subject_of(entered)
                return
        raise Stuck(f"{self._person.email} did not get in")

    async def join(self) -> None:
        """Joins the class by its code and is enrolled.

        Raises:
            Stuck: It was refused or did not come about.
        """
        code = self._classroom.codes[self._cohort]
        await self._person.do("POST", "/v1/cohorts/join", {"code": code})
        self.deeds.cohort = self._cohort
        await self._until("the enrolment", self._enrolled, after_s=SOON_S)

    async def _enrolled(self) -> bool:
        found = await self._person.do("GET", "/v1/enrolments")
        mine = [one for one in found["items"] if one["course"] == self._classroom.course]
        if mine:
            self.deeds.enrolment = mine[0]["id"]
        return bool(mine)

    async def start_quiz(self) -> None:
        """Begins an attempt, as soon as the quiz lets one.

        Raises:
            Stuck: It was refused or did not come about.
        """
        await self._until("the attempt", self._started)

    async def _sit_quiz(self) -> None:
        await asyncio.sleep(SOON_S)
        await self.start_quiz()
        attempt = self.deeds.attempt
        for slot, answer in self._known.items():
            path = f"/v1/attempts/{attempt}/answers/{slot}"
            await self._person.do("PUT", path, {"seq": 1, "answer": answer})
            self.deeds.answers[slot] = answer
        await self._person.do("POST", f"/v1/attempts/{attempt}/submission")
        self.deeds.submitted = True

    async def _started(self) -> bool:
        path = f"/v1/exams/{self._classroom.quiz}/attempts"
        answer = await self._person.call("POST", path)
        if answer.status in {NOT_FOUND, CONFLICT}:
            return False
        if answer.status >= REFUSED:
            raise Stuck(f"{self._person.email}: the quiz answered {answer.status}: {answer.body}")
        self.deeds.attempt = answer.body["id"]
        declared = self._classroom.answers
        self._known = {
            item["slot"]: right_answer(item, declared[item["prompt"].strip()])
            for item in answer.body["questions"]
        }
        return True

    async def _graded(self) -> bool:
        found = await self._person.do("GET", f"/v1/attempts/{self.deeds.attempt}/result")
        if found["score"] is None:
            return False
        self.deeds.score = (found["score"]["points"], found["score"]["maxPoints"])
        return True

    async def _told(self) -> bool:
        feed = await self._person.do("GET", "/v1/notifications?limit=50")
        types = [entry["type"] for entry in feed["items"]]
        self.deeds.told = {name: types.count(name) for name in sorted(set(types))}
        expected = {**TOLD, "lesson-completed": len(self._classroom.lessons)}
        _refuse_more(self._person.email, "messages", self.deeds.told, expected)
        return self.deeds.told == expected

    async def _rewarded(self) -> bool:
        found = await self._person.do("GET", "/v1/points?limit=50")
        self.deeds.points = found["points"]
        reasons = [entry["reason"] for entry in found["entries"]]
        given = {name: reasons.count(name) for name in set(reasons)}
        lessons = len(self._classroom.lessons)
        expected = {
            "lesson-completed": lessons,
            "course-completed": 1,
            "exam-taken": 1,
            "exam-passed": 1,
        }
        _refuse_more(self._person.email, "points", given, expected)
        return given == expected and await self._decorated()

    async def _decorated(self) -> bool:
        won = [one["key"] for one in (await self._person.do("GET", "/v1/badges"))["won"]]
        given = {name: won.count(name) for name in set(won)}
        _refuse_more(self._person.email, "badges", given, dict.fromkeys(BADGES, 1))
        return given.keys() == BADGES

    async def _until(
        self, what: str, look: Callable[[], Awaitable[bool]], *, after_s: float = 0.0
    ) -> None:
        deadline = time.monotonic() + PATIENCE_S
        wait_s = SOON_S
        await asyncio.sleep(after_s)
        while not await look():
            if time.monotonic() > deadline:
                raise Stuck(f"{self._person.email}: {what} did not come in {PATIENCE_S:.0f} s")
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 1.5, LONGEST_LOOK_S)


def _refuse_more(who: str, what: str, found: dict[str, int], expected: dict[str, int]) -> None:
    """Too much of something never goes away again.

    Raises:
        Stuck: There is more of something than one journey brings.
    """
    if any(number > expected.get(name, 0) for name, number in found.items()):
        raise Stuck(f"{who}: {what} {found} instead of {expected}")


def _subject_of(entered: Answer) -> str:
    """The account's id, which its own access token names."""
    payload = entered.body["accessToken"].split(".")[1]
    padded = payload + "=" * (-len(payload) % 4)
    return str(json.loads(base64.urlsafe_b64decode(padded))["sub"])
