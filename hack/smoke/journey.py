"""The journey, step by step; each step says what it did and the ids to look it up by."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any, ClassVar
from urllib.parse import urlsplit

from httpx2 import codes

from hack.smoke import manifests
from hack.smoke.filed import Filed
from hack.smoke.judged import Judged
from hack.smoke.knowledge import right_answer, wrong_option
from hack.smoke.person import Mailbox, Person, Unexpected, eventually
from hack.smoke.programmed import Programmed
from hack.smoke.target import Target
from hack.smoke.team import Team


@dataclass(frozen=True)
class Done:
    """One step that went as it should."""

    title: str
    seconds: float
    ids: dict[str, str]


@dataclass
class Journey:
    """One learner's way through one new course, from registration to a changed course."""

    target: Target
    run: str = field(default_factory=lambda: f"smoke-{secrets.token_hex(3)}")
    facts: dict[str, Any] = field(default_factory=dict)
    SHORTEST_LESSON: ClassVar[int] = 1000
    MOST_ANSWERS: ClassVar[int] = 10

    def __post_init__(self) -> None:
        """Makes the people: a new learner and the sample's teacher."""
        url = self.target.url
        self.learner = Person(url, f"{self.run}@example.org", secrets.token_urlsafe(18))
        self.teacher = Person(url, self.target.teacher_email, self.target.teacher_password)
        self.mailbox = Mailbox(self.target.mailbox_url)
        self.team = Team(self.target)
        self.judged = Judged(self.run, self.learner, self.teacher, self.team)
        self.programmed = Programmed(self.run, self.learner)
        self.filed = Filed(self.run, self.learner, self.teacher, self.team)

    def steps(self) -> list[tuple[str, Callable[[], dict[str, str]]]]:
        """Title and action of every step, in order."""
        return [
            ("register and verify by e-mail", self.register),
            ("the profile appears", self.profile_appears),
            ("kubectl apply publishes a course, its pool, quiz and cohort", self.publish),
            ("join the cohort by code, which enrols", self.join),
            ("a class meeting stands in the calendar feed", self.calendar),
            ("a teacher writes a course by REST and publishes it", self.author),
            ("complete a lesson", self.complete_lesson),
            ("practise what the lesson embeds", self.practise),
            ("remediation opens, then a challenge", self.adapt),
            ("sit the quiz", self.sit_quiz),
            ("the quiz is graded", self.graded),
            ("hand in a report, late, and get a receipt", self.hand_in_late),
            ("it is graded by rubric with its late deduction", self.grade_report),
            ("an essay is reviewed by a person and released", self.judged.review),
            ("a key is corrected and the exam regraded", self.judged.correct),
            ("a program is run by its tests for partial credit", self.programmed.sit),
            ("a file answers a question and is reviewed", self.filed.review),
            ("notifications arrive in the feed and as e-mail", self.notified),
            ("points and dashboard show it", self.dashboard),
            ("a badge is won and a place on the leaderboard taken", self.compare),
            ("kubectl apply changes the course, progress stands", self.revise),
        ]

    def go(self) -> Iterator[Done]:
        """Takes the steps one after another.

        Raises:
            Unexpected: A step went wrong; the steps before it were yielded.
        """
        try:
            for title, action in self.steps():
                begun = monotonic()
                ids = action()
                yield Done(title, monotonic() - begun, ids)
        finally:
            for party in (self.learner, self.teacher, self.mailbox):
                party.close()

    def register(self) -> dict[str, str]:
        """A new account, verified with the code of the real e-mail."""
        body = {
            "email": self.learner.email,
            "password": self.learner.password,
            "displayName": "Ana Smoke",
        }
        self.learner.call("POST", "/v1/auth/register", json=body)
        code = eventually("the code by e-mail", lambda: self.mailbox.code(self.learner.email))
        body = {"email": self.learner.email, "code": code}
        self.learner.call("POST", "/v1/auth/verify-email", json=body)
        self.learner.log_in()
        account = self.learner.get("/v1/account")
        self.facts["learner"] = account["id"]
        return {"learner": account["id"], "email": self.learner.email}

    def profile_appears(self) -> dict[str, str]:
        """The profile was made from the registration's event."""

        def look() -> dict[str, Any] | None:
            found = self.learner.call("GET", "/v1/profile", expect=(200, 409))
            return found if "displayName" in found else None

        profile = eventually("the profile", look)
        return {"profile": profile["displayName"]}

    def publish(self) -> dict[str, str]:
        """All four resources are applied and become Ready."""
        course = manifests.course(self.run)
        self.team.apply(course, manifests.pool(self.run), manifests.quiz(self.run))
        self.team.apply(manifests.claims(self.run), manifests.judged_exam(self.run))
        self.team.apply(manifests.programs(self.run), manifests.programmed_exam(self.run))
        self.team.apply(manifests.cohort(self.run))
        self.team.push_assets(course)
        kinds = {
            "course": "course",
            "questionpool": "pool",
            "examconfig": "quiz",
            "cohort": "cohort",
        }
        for kind, suffix in kinds.items():
            self.team.wait_ready(f"{kind}.kourse.dev/{self.run}-{suffix}")
        return {"course": f"{self.run}-course", "namespace": self.target.namespace}

    def join(self) -> dict[str, str]:
        """The teacher reads the code, the learner joins by it and is enrolled."""
        self.teacher.log_in()
        code = self.teacher.get(f"/v1/cohorts/{self.run}-cohort/code")["code"]
        self.learner.call("POST", "/v1/cohorts/join", json={"code": code})
        enrolment = eventually("the enrolment", self.enrolment)
        return {"cohort": f"{self.run}-cohort", "enrolment": enrolment["id"]}

    def calendar(self) -> dict[str, str]:
        """A program that has nothing but the link finds the cohort's class in the calendar."""
        link = self.learner.call("POST", "/v1/profile/calendar-link")["url"]
        answer = self.learner.http.get(self.target.url + urlsplit(link).path)
        meetings = answer.text.count(f"SUMMARY:Class {self.run}\r\n")
        if answer.status_code != codes.OK or not meetings:
            raise Unexpected(f"the calendar answered {answer.status_code}: {answer.text[:600]}")
        known = {"If-None-Match": answer.headers["ETag"]}
        again = self.learner.http.get(str(answer.url), headers=known)
        if again.status_code != codes.NOT_MODIFIED:
            raise Unexpected(f"an unchanged calendar was answered {again.status_code}")
        return {"meetings": str(meetings)}

    def author(self) -> dict[str, str]:
        """A draft, one lesson of it, review and publication; then the learner sees it."""
        at, title = f"/v1/authoring/courses/{self.run}-notes", f"Lesson of {self.run}"
        self.teacher.call("PUT", at, json=manifests.notes(self.run))
        self.learner.call("GET", f"/v1/courses/{self.run}-notes", expect=404)
        lesson = {"key": "first", "title": title, "text": "Now it says something."}
        self.teacher.call("PUT", f"{at}/chapters/start/lessons/first", json=lesson)
        for move in ("review", "publish"):
            self.teacher.call("POST", f"{at}/{move}")
        found = self.learner.get(f"/v1/courses/{self.run}-notes")
        shown = found["chapters"][0]["lessons"][0]["title"]
        if shown != title:
            raise Unexpected(f"what was written as {title!r} is read as {shown!r}")
        return {"course": f"{self.run}-notes", "version": str(found["version"])}

    def enrolment(self) -> dict[str, Any] | None:
        """The learner's enrolment in this run's course, once it is there."""
        own: list[dict[str, Any]] = self.learner.get("/v1/enrolments")["items"]
        return next((one for one in own if one["course"] == f"{self.run}-course"), None)

    def lesson(self) -> str:
        """Key of the course's first lesson."""
        course = self.learner.get(f"/v1/courses/{self.run}-course")
        key: str = course["chapters"][0]["lessons"][0]["key"]
        return key

    def complete_lesson(self) -> dict[str, str]:
        """The first lesson is read and completed."""
        key = self.lesson()
        path = f"/v1/courses/{self.run}-course/lessons/{key}"
        shown = self.learner.get(path)
        if len(shown["html"]) < self.SHORTEST_LESSON:
            raise Unexpected(f"lesson {key} has no text to study: {shown['html'][:200]}")
        self.learner.call("POST", f"{path}/completion")
        progress = self.learner.get(f"/v1/courses/{self.run}-course/progress")
        if progress["completed"] != 1:
            raise Unexpected(f"one completed lesson gave the progress {progress}")
        return {"lesson": key, "progress": f"{progress['completed']}/{progress['total']}"}

    def practise(self) -> dict[str, str]:
        """One practice question is answered and explained at once, which moves mastery."""
        question, declared = self.question()
        checked = self.check(question, right_answer(question, declared))
        if not checked["correct"] or not checked["explanation"]:
            raise Unexpected(f"a right practice answer was checked as {checked}")
        return {"question": question["question"]}

    def question(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A practice question of the first lesson with one choice: as it is shown and as declared."""
        path = f"/v1/courses/{self.run}-course/lessons/{self.lesson()}/practice"
        shown = eventually("the practice", lambda: self.learner.get(path)["items"])
        declared = manifests.answers(self.run)
        question = next(one for one in shown if one["type"] == "SingleChoice")
        return question, declared[question["prompt"].strip()]

    def check(self, question: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        """What a practice answer came to."""
        path = f"/v1/practice/{question['pool']}/{question['question']}/answers"
        body = {"seed": question["seed"], "answer": answer}
        checked: dict[str, Any] = self.learner.call("POST", path, json=body)
        return checked

    def adapt(self) -> dict[str, str]:
        """Wrong answers open remediation, which then comes next; right ones open a challenge."""
        question, declared = self.question()
        opened = {}
        for band, answer in (("remediation", wrong_option), ("challenge", right_answer)):
            for _ in range(self.MOST_ANSWERS):
                checked = self.check(question, answer(question, declared))
                if checked["mastery"][0]["band"] == band:
                    break
            opened[band] = eventually(f"the {band}", partial(self.next_by, band))
            self.learner.get(f"/v1/courses/{self.run}-course/lessons/{opened[band]}")
        return opened

    def next_by(self, reason: str) -> str | None:
        """Key of the lesson that comes next for that reason, or None while another does."""
        following = self.learner.get(f"/v1/courses/{self.run}-course/progress")["next"]
        key: str = following["key"]
        return key if following["reason"] == reason else None

    def sit_quiz(self) -> dict[str, str]:
        """The quiz is started, all answers are saved, and it is handed in."""

        def startable() -> dict[str, Any] | None:
            path = f"/v1/exams/{self.run}-quiz/attempts"
            found = self.learner.call("POST", path, expect=(200, 201, 404, 409))
            return found if "questions" in found else None

        attempt = eventually("the attempt", startable)
        declared = manifests.answers(self.run)
        for item in attempt["questions"]:
            answer = right_answer(item, declared[item["prompt"].strip()])
            path = f"/v1/attempts/{attempt['id']}/answers/{item['slot']}"
            self.learner.call("PUT", path, json={"seq": 1, "answer": answer})
        self.learner.call("POST", f"/v1/attempts/{attempt['id']}/submission")
        self.facts["attempt"] = attempt["id"]
        return {"attempt": attempt["id"], "questions": str(len(attempt["questions"]))}

    def graded(self) -> dict[str, str]:
        """Full marks for right answers."""

        def look() -> dict[str, Any] | None:
            found = self.learner.get(f"/v1/attempts/{self.facts['attempt']}/result")
            return found if found["score"] is not None else None

        result = eventually("the grade", look)
        score = result["score"]
        if Decimal(score["points"]) != Decimal(score["maxPoints"]):
            raise Unexpected(f"five right answers were graded {json.dumps(result)[:2000]}")
        return {"points": f"{score['points']}/{score['maxPoints']}"}

    def hand_in_late(self) -> dict[str, str]:
        """A file is sent to the store, confirmed and handed in; the receipt fixes what was sent."""
        path = f"/v1/courses/{self.run}-course/assignments/report"
        data = f"# Report of {self.run}\n\nThe median delay says most.\n".encode()
        digest = hashlib.sha256(data).hexdigest()
        body = {"name": "report.md", "size": len(data), "sha256": digest}
        offer = self.learner.call("POST", f"{path}/files", json=body)
        sent = self.learner.http.put(offer["url"], content=data, headers=offer["headers"])
        if sent.status_code != HTTPStatus.OK:
            raise Unexpected(f"the store answered {sent.status_code}: {sent.text[:600]}")
        self.learner.call("POST", f"{path}/files/{offer['id']}/stored")
        receipt = self.learner.call("POST", f"{path}/hand-ins", json={"files": [offer["id"]]})
        kept = receipt["files"][0]
        if not receipt["late"] or (kept["sha256"], kept["size"]) != (digest, len(data)):
            raise Unexpected(f"a late report got the receipt {receipt}")
        self.facts |= {"submission": receipt["submissionId"], "file": offer["id"]}
        return {"submission": receipt["submissionId"], "version": str(kept["versionId"])}

    def grade_report(self) -> dict[str, str]:
        """The teacher gives full marks by the rubric; the learner sees it once it is released."""
        sheet_at = f"/v1/gradables/{self.facts['submission']}"

        def look() -> dict[str, Any] | None:
            found = self.teacher.call("GET", sheet_at, expect=(200, 404, 409))
            return found if "rubric" in found else None

        sheet = eventually("the report among what is to be graded", look)
        best = {
            one["key"]: {"level": max(one["levels"], key=lambda level: level["points"])["key"]}
            for one in sheet["rubric"]
        }
        body = {"number": sheet["number"], "run": sheet["run"], "marks": best}
        self.teacher.call("PUT", f"{sheet_at}/grade", json=body)
        feedback_at = f"/v1/submissions/{self.facts['submission']}/feedback"
        if self.learner.get(feedback_at)["grading"]:
            raise Unexpected("a grading is shown that was not released")
        path = f"/v1/courses/{self.run}-course/assignments/report/releases"
        self.teacher.call("POST", path, json={})
        found = self.learner.get(feedback_at)["grading"]
        most, taken = Decimal(found["maxPoints"]), Decimal(found["deduction"])
        if Decimal(found["earned"]) != most or taken * 5 != most:
            raise Unexpected(f"full marks, late for long, were graded {found}")
        return {"points": f"{found['points']}/{found['maxPoints']}", "for lateness": str(taken)}

    def notified(self) -> dict[str, str]:
        """Feed and mailbox both tell of the welcome, the lesson and the grade."""
        wanted = {"welcome", "lesson-completed", "exam-graded"}

        def look() -> set[str] | None:
            feed = self.learner.get("/v1/notifications?limit=50")["items"]
            return wanted if wanted <= {entry["type"] for entry in feed} else None

        eventually(f"the notifications {sorted(wanted)}", look)

        def mails() -> list[str] | None:
            subjects = [mail["subject"] for mail in self.mailbox.messages(self.learner.email)]
            return subjects if len(subjects) > len(wanted) else None

        subjects = eventually("the e-mails", mails)
        return {"e-mails": str(len(subjects)), "newest": subjects[-1]}

    def dashboard(self) -> dict[str, str]:
        """The overview shows the completed lesson, the score and the points."""

        def look() -> dict[str, Any] | None:
            found = self.learner.get("/v1/dashboard")
            mine = [one for one in found["courses"] if one["course"] == f"{self.run}-course"]
            complete = mine and mine[0]["completed"] == 1 and mine[0]["scores"] and found["points"]
            return found if complete and found["points"]["points"] > 0 else None

        overview = eventually("the dashboard", look)
        points = self.learner.get("/v1/points")
        if not points["entries"]:
            raise Unexpected("points are shown without an entry that explains them")
        return {"points": str(overview["points"]["points"]), "entries": str(len(points["entries"]))}

    def compare(self) -> dict[str, str]:
        """The lesson wins the course's badge; on the leaderboard the learner stands by their own choice."""

        def look() -> list[str]:
            won = self.learner.get("/v1/badges")["won"]
            return [one["title"] for one in won if one["course"] == f"{self.run}-course"]

        badges = eventually("a badge", look)
        board = f"/v1/leaderboards/{self.run}-cohort"
        if self.learner.get(board)["places"]:
            raise Unexpected("somebody is shown on a leaderboard who did not choose to be")
        self.learner.call("PUT", f"{board}/place")
        found = self.learner.get(board)
        if [(one["rank"], one["you"]) for one in found["places"]] != [(1, True)]:
            raise Unexpected(f"the only place of the leaderboard is another: {found}")
        return {"badges": ", ".join(badges), "name on the board": found["places"][0]["name"]}

    def revise(self) -> dict[str, str]:
        """A changed manifest makes version 2 live; what was completed stays completed."""
        self.team.apply(manifests.course(self.run, revision=2))

        def look() -> dict[str, Any] | None:
            found = self.learner.get(f"/v1/courses/{self.run}-course")
            return found if found["version"] == 2 else None  # noqa: PLR2004 - the second version

        eventually("version 2", look)
        self.team.wait_ready(f"course.kourse.dev/{self.run}-course")
        progress = self.learner.get(f"/v1/courses/{self.run}-course/progress")
        if progress["completed"] != 1:
            raise Unexpected(f"progress did not survive version 2: {progress}")
        return {"version": "2", "progress": f"{progress['completed']}/{progress['total']}"}
