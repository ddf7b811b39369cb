"""What fields of the API look like, by their name: one story, told in every example of the description.

The names are those of the sample course, so what the description shows can be tried on a stack that has it.
A field whose meaning differs from its namesakes says ``examples`` itself, and that comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_KEY = "describing-data"
_MOMENT = "2026-11-16T08:00:00Z"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_EVENT = "course.lesson.completed"
_DUE = "Hand in by Sunday, 17 January."
_CURSOR = "MDE5MmYxYzQ"
_CODE = "K7QM-2XPD-9RTF"

VALUES: Final[Mapping[str, object]] = {
    "__Host-kourse-sign-on": "b2Y4bGQ",
    "Idempotency-Key": "0192f1c4-6a2b-7d10-8c33-5e0f9a1b2c3d",
    "accepted": "interquartile range",
    "accessToken": "eyJhbGciOiJFUzI1NiIs…",
    "access_token": "eyJhbGciOiJFUzI1NiIs…",
    "action": "grade.override",
    "actor": "0192f1c4-5b1a-7c3e-9d52-3f1f6a0c4e11",
    "address": "203.0.113.7",
    "addressDigest": _SHA256,
    "after": (_CURSOR, 0),
    "assignment": "describe-the-trips",
    "at": _MOMENT,
    "band": "main",
    "body": "From the team that looks after the buses.",
    "bucketPrefix": "kourse-demo",
    "category": "quizzes",
    "chapter": _KEY,
    "client": "kourse/1.0 (cli)",
    "code": (_CODE, "482913"),
    "codes": "7h2k-p9qd",
    "cohort": "lisbon-2027",
    "consumer": "notification",
    "contentType": "text/csv",
    "correct": "median",
    "correlation": "4bf92f3577b34da6a3ce929d0e0e4736",
    "course": "statistics",
    "courseRef": "statistics",
    "courses": "statistics",
    "csv": "email,displayName,roles\nrui@example.org,Rui Teste,learner\n",
    "description": "Seven days in a row with something learnt.",
    "detail": "The exam opens on 15 November at 18:30.",
    "digest": _SHA256,
    "displayName": "Rui Teste",
    "email": "rui@example.org",
    "emails": "rui@example.org",
    "ends": "07:00",
    "enrolment": "Open",
    "entity": "enrolment/0192f1c4-5b1a-7c3e-9d52-3f1f6a0c4e11",
    "error": "There is no such course.",
    "exam": "statistics-quiz-1",
    "exams": "statistics-quiz-1",
    "exceptions": "2026-12-21T18:30",
    "explanation": "The median does not follow the few very long delays.",
    "extensions": "csv",
    "field": "spec.title",
    "files": _SHA256,
    "group": "blue",
    "hash": _SHA256,
    "headers": "text/csv",
    "hint": "Which of them do a few extremes move?",
    "html": "<p>How long does a bus make you wait?</p>",
    "id": "0192f1c4-5b1a-7c3e-9d52-3f1f6a0c4e11",
    "if-match": '"3"',
    "instructions": "Use a calculator if you like.",
    "iss": "https://sso.example.org/realms/kourse",
    "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "key": _KEY,
    "kind": ("Course", "exam.graded"),
    "label": "evening",
    "labels": "evening",
    "lang": "en",
    "language": "en",
    "left": "mean",
    "lesson": "cases-and-variables",
    "level": "Beginner",
    "locale": "en",
    "logout_token": "eyJhbGciOiJSUzI1NiIs…",
    "markdown": "How long does a bus make you wait?",
    "maxPoints": "12",
    "message": "The course is not published yet.",
    "method": "PUT",
    "missing": "two-variables",
    "name": "statistics",
    "newEmail": "rui.teste@example.org",
    "newPassword": "seven small harbours at dawn",
    "next": _CURSOR,
    "nextLesson": "two-variables",
    "nextLessonTitle": "Two variables",
    "outcome": "done",
    "partial": "assessment",
    "password": "a harbour full of late buses",
    "path": "bus-trips.csv",
    "payload": '{"specversion": "1.0"}',
    "pending": "NotPublished",
    "points": "10.5",
    "pool": "statistics-describing-data",
    "poolLabel": "statistics",
    "pools": "statistics-describing-data",
    "prerequisites": "variable-types",
    "present": _SHA256,
    "previous": ("cases-and-variables", _SHA256),
    "prompt": "Which summary of the delays do a few extremes hardly move?",
    "question": "kind-of-route-number",
    "questions": "kind-of-route-number",
    "queue": "notification.p07",
    "reason": ("Asked for by the family.", "gap"),
    "recoveryCode": "7h2k-p9qd",
    "refreshToken": "kourse_rt_…",
    "right": "moved by extremes",
    "role": "learner",
    "roles": "learner",
    "rrule": "FREQ=WEEKLY;BYDAY=MO",
    "rule": "accommodation",
    "salt": "c2FsdA",
    "says": "1 event was handled.",
    "scope": "course:study",
    "scopes": "teacher@cohort:lisbon-2027",
    "sealedAt": _MOMENT,
    "secret": "JBSWY3DPEHPK3PXP",
    "sentence": _DUE,
    "session_id": "0192f1c4-7d3c-7e21-9f44-6a1b0c2d3e4f",
    "sha256": _SHA256,
    "sha256S": _SHA256,
    "skill": "data-displays",
    "skills": "data-displays",
    "source": "api",
    "sources": "bus-trips.csv",
    "starts": ("2026-11-16T18:30", "22:00"),
    "state": "b2Y4bGQ",
    "status": "active",
    "stored": _SHA256,
    "stream": "enrolment",
    "subject": "0192f1c4-5b1a-7c3e-9d52-3f1f6a0c4e11",
    "subject_token": "kourse_pat_…",
    "subject_token_type": "urn:kourse:params:oauth:token-type:personal-token",
    "summary": "How to look at data.",
    "table": "course.lesson",
    "tags": "statistics",
    "target": "exam:statistics-quiz-1",
    "tenant": "demo",
    "text": _DUE,
    "time": "18:30",
    "timeZone": "Europe/Lisbon",
    "title": "Practical statistics",
    "token": "3q2-7wAA",
    "tolerance": "0.05",
    "type": _EVENT,
    "unit": "min",
    "url": "https://files.example.org/kourse-demo-statistics/content/bus-trips.csv",
    "value": "4.5",
    "zone": "ideas",
}
"""An example for each name that a field or a parameter has; several where the name has several meanings."""

_DATES = {"opens": {"at": "2026-11-16T08:00:00Z"}, "due": {"day": 70}}
_POOL = {
    "title": "Describing data",
    "questions": [
        {
            "key": "robust-centre",
            "type": "SingleChoice",
            "skills": ["centre-and-spread"],
            "difficulty": 2,
            "prompt": "Which summary of the delays do a few extremes hardly move?",
            "options": [
                {"key": "mean", "text": "the mean"},
                {"key": "median", "text": "the median"},
            ],
            "correct": ["median"],
            "explanation": "The median depends on the order alone.",
        }
    ],
}
_EXAM = {
    "title": "Quiz 1: describing data",
    "courseRef": "statistics",
    "purpose": "Quiz",
    "category": "quizzes",
    "passMark": 50,
    "zones": [
        {
            "key": "ideas",
            "title": "Ideas",
            "draws": [{"pools": ["statistics-describing-data"], "count": 4, "points": 1}],
        }
    ],
    "attempts": {"maximum": 5, "counts": "Highest"},
    "release": {"scores": "AtGrading", "answers": "AtGrading"},
}
_COURSE = {
    "title": "Practical statistics",
    "summary": "How to look at data.",
    "level": "Beginner",
    "language": "en",
    "tags": ["statistics"],
    "timeZone": "Europe/Lisbon",
    "skills": [{"key": "centre-and-spread", "title": "Summarise centre and spread"}],
    "chapters": [
        {
            "key": "describing-data",
            "title": "Describing data",
            "lessons": [
                {
                    "key": "centre-and-spread",
                    "title": "Centre and spread",
                    "minutes": 25,
                    "skills": ["centre-and-spread"],
                    "text": "How late is a bus *usually*?",
                },
                {
                    "key": "displays",
                    "title": "Displays of data",
                    "minutes": 20,
                    "text": "What does the histogram of the delays show?",
                },
            ],
        },
        {
            "key": "chance",
            "title": "Chance",
            "lessons": [
                {
                    "key": "rules-of-chance",
                    "title": "The rules of chance",
                    "minutes": 30,
                    "text": "How likely is a late bus, and how likely are two?",
                }
            ],
        },
    ],
    "gradeCategories": [{"key": "assignments", "title": "Assignments", "weight": 100}],
    "assignments": [
        {
            "key": "describe-the-trips",
            "title": "Describe the eighty trips",
            "kind": "Upload",
            "category": "assignments",
            "points": 20,
            "dates": _DATES,
            "latePolicy": {"graceMinutes": 60, "percentPerDay": 10, "floorPercent": 40},
            "instructions": "Hand in one file.",
            "rubric": [
                {
                    "key": "data",
                    "title": "Understands the table",
                    "levels": [
                        {"key": "missing", "title": "Missing", "points": 0},
                        {"key": "clear", "title": "Clear", "points": 20},
                    ],
                }
            ],
        }
    ],
}
_COHORT = {
    "title": "Statistics, evening course, Lisbon 2027",
    "courses": ["statistics"],
    "run": {"starts": "2026-11-02", "ends": "2027-12-17", "timeZone": "Europe/Lisbon"},
    "dates": [{"course": "statistics", "exam": "statistics-quiz-1", "dates": _DATES}],
    "seats": 60,
    "join": {"policy": "Code", "codeValidDays": 400},
    "schedule": [
        {
            "key": "evening-class",
            "title": "Evening class",
            "starts": "2026-11-02T18:30",
            "minutes": 90,
            "rrule": "FREQ=WEEKLY;BYDAY=MO",
        }
    ],
}
SPECS: Final[Mapping[str, dict[str, Any]]] = {
    "Course": _COURSE,
    "QuestionPool": _POOL,
    "ExamConfig": _EXAM,
    "Cohort": _COHORT,
}
"""A small ``spec`` of each kind of resource."""
