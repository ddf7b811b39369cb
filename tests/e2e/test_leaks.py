"""What nobody released reaches no learner: not by a page, a stream, an e-mail, an event or a refusal.

Every key, explanation and rubric of an exam carries a canary, and so does the score that it comes to.
"""

import secrets
from contextlib import closing
from time import monotonic

import psycopg
import pytest
from psycopg import sql

from hack.smoke.person import Person, eventually
from support.permission_matrix import ROUTES, Caller, address, name_of
from support.waiting import LONG_S

CANARY = f"canary{secrets.token_hex(4)}"
POINTS = 7919
SCORE = "3959.5"
"""Half of the points: what the answers below come to without the essay, and nothing else here says so."""
NUMBER = "31337.25"
FRESH_S = 120.0
SCHEMAS = ("notification", "dashboard", "profile", "course", "identity")
"""What other services know; assessment itself keeps the keys."""
READS = [route for route in ROUTES if route.method == "GET"]
KEYS = ["reason", "place"]


def _options():
    return [{"key": f"{CANARY}-{key}", "text": f"Choice {key}"} for key in "abcd"]


def _question(key, kind, **more):
    return {
        "key": key,
        "type": kind,
        "prompt": f"Prompt {key}",
        "explanation": f"{CANARY} explains {key}",
        "skills": ["reading"],
        **more,
    }


def _criterion(key):
    levels = [
        {"key": f"{CANARY}-{level}", "title": f"{CANARY} {level}", "points": points}
        for level, points in (("none", 0), ("full", 4))
    ]
    return {"key": f"{CANARY}-{key}", "title": f"{CANARY} {key}", "levels": levels}


READ, EXPECTED = f"{CANARY} was read", f"{CANARY} was expected"
"""Of a hidden test, which is not shown even after the release."""
BETRAYAL = "import sys\ntext = sys.stdin.read()\nprint(text)\nprint(text, file=sys.stderr)\nraise SystemExit(1)"
QUESTIONS = [
    _question("single", "SingleChoice", options=_options(), correct=[f"{CANARY}-a"]),
    _question(
        "several",
        "MultipleChoice",
        options=_options(),
        correct=[f"{CANARY}-a", f"{CANARY}-b"],
        partialCredit="Proportional",
    ),
    _question("number", "Numeric", numeric={"value": NUMBER, "tolerance": "0.125"}),
    _question("word", "ShortText", shortText={"accepted": [f"{CANARY} word"]}),
    _question("essay", "Essay", rubric=[_criterion(key) for key in KEYS]),
    _question(
        "program",
        "Code",
        code={
            "language": "Python",
            "tests": [
                {"key": "shown", "stdin": "1", "expected": "2", "disclosure": "Shown"},
                {
                    "key": f"{CANARY}-hidden",
                    "title": f"{CANARY} title",
                    "stdin": READ,
                    "expected": EXPECTED,
                },
            ],
        },
    ),
]
COURSE = {
    "title": "Of canaries",
    "summary": "Nothing of it sings.",
    "language": "en",
    "visibility": "Listed",
    "enrolment": "Open",
    "timeZone": "UTC",
    "skills": [{"key": "reading", "title": "Read"}],
    "gradeCategories": [{"key": "work", "title": "Work", "weight": 100}],
    "chapters": [
        {
            "key": "one",
            "title": "One",
            "lessons": [{"key": "first", "title": "First", "text": "Something to read."}],
        }
    ],
}


def _exam(name):
    return {
        "title": "Unreleased",
        "courseRef": name,
        "purpose": "Exam",
        "category": "work",
        "passMark": 50,
        "timeLimitMinutes": 60,
        "zones": [
            {
                "key": "all",
                "title": "All",
                "draws": [{"pools": [name], "count": len(QUESTIONS), "points": POINTS}],
            }
        ],
        "release": {"scores": "Manual", "answers": "Manual"},
    }


def _wrong(shown):
    """An answer that earns nothing, but half of the points where several are right."""
    ids = {entry["text"]: entry["id"] for entry in shown["options"]}
    match shown["type"]:
        case "SingleChoice":
            return {"option": ids["Choice d"]}
        case "MultipleChoice":
            return {"options": [ids["Choice a"]]}
        case "Numeric":
            return {"value": "1"}
        case "Code":
            return {"source": BETRAYAL}
    return {"text": "I do not know."}


class Sitting:
    """A learner who has sat an exam that a teacher graded and did not release."""

    def __init__(self, target, learner, teacher):
        self.name = f"leaks-{secrets.token_hex(3)}"
        self.learner, self.teacher, self.target = learner, teacher, target
        self.teacher.log_in()
        self.account = learner.get("/v1/account")["id"]
        self.entered = monotonic()

    def token(self):
        """An access token that is good for a while yet, so that no refusal is for its age."""
        if monotonic() - self.entered > FRESH_S:
            self.learner.log_in()
            self.entered = monotonic()
        return self.learner.token

    def declare(self):
        for kind, document in (
            ("courses", COURSE),
            ("pools", {"title": "Kept", "courseRef": self.name, "questions": QUESTIONS}),
            ("exams", _exam(self.name)),
        ):
            eventually(kind, lambda kind=kind, document=document: self._put(kind, document))
        self.learner.call("POST", f"/v1/courses/{self.name}/enrolments")

    def _put(self, kind, document):
        path = f"/v1/authoring/{kind}/{self.name}"
        found = self.teacher.call("PUT", path, json=document, expect=(200, 201, 409))
        return "code" not in found

    def sit(self):
        """The attempt, graded; and everything that was answered meanwhile."""
        path = f"/v1/exams/{self.name}/attempts"
        attempt = eventually("an attempt", lambda: self._started(path))
        told = [str(attempt)]
        for shown in attempt["questions"]:
            at = f"/v1/attempts/{attempt['id']}/answers/{shown['slot']}"
            refused = {"seq": 1, "answer": {"nothing": True}}
            told.append(str(self.learner.call("PUT", at, json=refused, expect=(400, 422))))
            body = {"seq": 1, "answer": _wrong(shown)}
            told.append(str(self.learner.call("PUT", at, json=body)))
        told.append(str(self.learner.call("POST", f"/v1/attempts/{attempt['id']}/submission")))
        self._review(attempt["id"])
        self.attempt = attempt["id"]
        return told

    def _started(self, path):
        found = self.learner.call("POST", path, expect=(200, 201, 404, 409))
        return found if "questions" in found else None

    def _review(self, attempt):
        queue = f"/v1/exams/{self.name}/reviews?waiting=true"
        waiting = eventually("what waits for a grader", lambda: self.teacher.get(queue)["items"])
        at = f"/v1/attempts/{attempt}/reviews/{waiting[0]['slot']}"
        self.teacher.call("PUT", f"{at}/claim")
        marks = {f"{CANARY}-{key}": {"level": f"{CANARY}-none"} for key in KEYS}
        body = {"seen": 0, "marks": marks, "comment": f"{CANARY} said the grader."}
        self.teacher.call("PUT", f"{at}/grade", json=body)

    def names(self):
        """What the parameters of routes name."""
        return {
            "attempt": self.attempt,
            "attempt_id": self.attempt,
            "course": self.name,
            "exam": self.name,
            "pool": self.name,
            "name": self.name,
            "question": "single",
            "lesson": "first",
            "slot": 1,
            "learner_id": self.account,
            "user_id": self.account,
        }


@pytest.fixture(scope="module")
def sitting(target, learner, teacher):
    made = Sitting(target, learner, teacher)
    made.declare()
    made.told = made.sit()
    return made


def leaks(text):
    return [secret for secret in (CANARY, SCORE, NUMBER) if secret in text]


class TestLearner:
    @pytest.mark.parametrize("route", READS, ids=name_of)
    def test_reads_nothing_of_it_anywhere(self, route, sitting, where):
        path = address(route, {**sitting.names()})
        query = {"learner": sitting.account} if path.endswith("/access") else None
        with Caller(where.service_urls) as caller:
            url = where.service_urls["gateway"]
            answer = caller.ask(url, route, path, sitting.token(), query=query)
        if not (route.streams and answer.is_success):
            assert not leaks(answer.text), path
        assert not leaks(str(answer.headers)), path

    def test_is_told_nothing_of_it_while_sitting_the_exam(self, sitting):
        assert not leaks("".join(sitting.told))

    def test_is_refused_without_a_word_of_it(self, sitting):
        paths = {
            f"/v1/practice/{sitting.name}/single/answers": ("POST", {"seed": "x", "answer": {}}),
            f"/v1/attempts/{sitting.attempt}/answers/1": ("PUT", {"seq": 9, "answer": None}),
            f"/v1/attempts/{sitting.attempt}/reviews/1/override": ("PUT", {"points": "1"}),
            f"/v1/exams/{sitting.name}/releases": ("POST", {"answers": True}),
        }
        sitting.token()
        for path, (method, body) in paths.items():
            refusal = sitting.learner.call(
                method, path, json=body, expect=(400, 403, 404, 409, 422)
            )
            assert not leaks(str(refusal)), path

    def test_finds_nothing_of_it_in_the_stream_of_notices(self, sitting):
        with closing(Person(sitting.target.url, "", "")) as person:
            headers = {"Authorization": f"Bearer {sitting.token()}", "Last-Event-ID": "0"}
            url = f"{sitting.target.url}/v1/notifications/stream"
            read = ""
            with person.http.stream("GET", url, headers=headers, timeout=LONG_S) as answer:
                assert answer.status_code == 200
                for line in answer.iter_lines():
                    read += line
                    if line == "" and "data:" in read:
                        break
        assert not leaks(read)

    def test_gets_no_mail_that_says_anything_of_it(self, sitting, mailbox):
        mails = mailbox.messages(sitting.learner.email)
        assert mails
        assert not leaks(str(mails))


class TestPlatform:
    def test_tells_no_event_and_no_other_service_of_it(self, sitting, where):
        with psycopg.connect(where.superuser_url, autocommit=True) as database:
            tables = database.execute(
                "SELECT schemaname, tablename FROM pg_tables"
                " WHERE schemaname = ANY(%s) OR tablename LIKE 'outbox%%'"
                " OR tablename LIKE 'archive%%'",
                [list(SCHEMAS)],
            ).fetchall()
            assert len(tables) > len(SCHEMAS)
            for schema, table in tables:
                query = sql.SQL("SELECT t::text FROM {} AS t WHERE t::text LIKE ANY(%s)").format(
                    sql.Identifier(schema, table)
                )
                found = database.execute(query, [[f"%{CANARY}%", f"%{SCORE}%"]]).fetchall()
                assert not found, (schema, table)


class TestRelease:
    def test_shows_all_of_it_so_that_the_crawl_above_could_have_found_it(self, sitting):
        path = f"/v1/exams/{sitting.name}/releases"
        sitting.teacher.log_in()
        sitting.teacher.call("POST", path, json={"scores": True, "answers": True})
        sitting.token()

        def look():
            shown = str(sitting.learner.get(f"/v1/attempts/{sitting.attempt}/result"))
            return shown if CANARY in shown else None

        shown = eventually("what was released", look)
        assert leaks(shown) == [CANARY, SCORE, NUMBER]
        assert READ not in shown
        assert EXPECTED not in shown
