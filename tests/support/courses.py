"""Courses and cohorts for tests: small documents with everything that can be referred to."""

import hashlib

from kourse.contracts.resources import CohortSpec, CourseSpec

CSV = b"line,delay\nHarbour,2.5\nHill,4.0\n"
CSV_SHA256 = hashlib.sha256(CSV).hexdigest()
LONG_TEXT = b"# A long lesson\n\nRead the [data](asset:assets/trips.csv).\n"
LONG_TEXT_SHA256 = hashlib.sha256(LONG_TEXT).hexdigest()


def lesson(key, **changes):
    """A lesson with a text of its own."""
    return {"key": key, "title": f"Lesson {key}", "text": f"# {key}\n\nSome **text**.", **changes}


def course_document(**changes):
    """A course of two chapters with two lessons each, without files, in wire form."""
    return {
        "title": "Statistics",
        "summary": "What data say.",
        "timeZone": "Europe/Lisbon",
        "skills": [
            {"key": "reading", "title": "Read a table"},
            {"key": "summing", "title": "Sum up", "prerequisites": ["reading"]},
        ],
        "chapters": [
            {
                "key": "data",
                "title": "Data",
                "lessons": [
                    lesson("tables", skills=["reading"]),
                    lesson("means", skills=["summing"]),
                ],
            },
            {
                "key": "chance",
                "title": "Chance",
                "lessons": [lesson("coins"), lesson("dice")],
            },
        ],
        "gradeCategories": [{"key": "work", "title": "Work", "weight": 100}],
        "assignments": [
            {
                "key": "report",
                "title": "A report",
                "instructions": "Write it.",
                "category": "work",
                "points": 10,
                "dates": {"due": {"day": 14, "time": "18:00"}},
            }
        ],
        **changes,
    }


def course_spec(**changes):
    """The same as a spec."""
    return CourseSpec.model_validate(course_document(**changes))


def with_assets(**changes):
    """A course whose first lesson links to a file and whose last is a file."""
    document = course_document(**changes)
    asset = {"path": "assets/trips.csv", "sha256": CSV_SHA256, "title": "Trips"}
    first = document["chapters"][0]["lessons"][0]
    first |= {"assets": [asset], "text": "See [trips](asset:assets/trips.csv)."}
    last = document["chapters"][1]["lessons"][1]
    del last["text"]
    last["textFile"] = {"path": "lessons/dice.md", "sha256": LONG_TEXT_SHA256}
    return document


def cohort_document(**changes):
    """A cohort of one course with a weekly class, in wire form."""
    return {
        "title": "Evening class",
        "courses": ["statistics"],
        "run": {"starts": "2026-11-02", "ends": "2027-06-30", "timeZone": "Europe/Lisbon"},
        "seats": 3,
        "schedule": [
            {
                "key": "class",
                "title": "Class",
                "starts": "2026-11-02T18:30",
                "minutes": 90,
                "rrule": "FREQ=WEEKLY;BYDAY=MO",
            }
        ],
        **changes,
    }


def cohort_spec(**changes):
    """The same as a spec."""
    return CohortSpec.model_validate(cohort_document(**changes))
