"""Question pools and exams for tests: small documents in wire form."""

from kourse.contracts.resources import ExamConfigSpec, QuestionPoolSpec

CANARY = "canary"
"""Stands in every key, right answer and explanation below, and in nothing a learner may see before."""


def _options(*letters):
    return [{"key": f"{CANARY}-{letter}", "text": f"Choice {letter}"} for letter in letters]


def single(key, **changes):
    return {
        "key": key,
        "type": "SingleChoice",
        "prompt": f"Prompt {key}",
        "explanation": f"CANARY explains {key}",
        "skills": ["reading"],
        "difficulty": 1,
        "options": _options("a", "b", "c", "d"),
        "correct": [f"{CANARY}-c"],
        **changes,
    }


def multiple(key, **changes):
    return {
        **single(key),
        "type": "MultipleChoice",
        "partialCredit": "Proportional",
        "correct": [f"{CANARY}-a", f"{CANARY}-b", f"{CANARY}-c"],
        **changes,
    }


def _other(key, type_, **fields):
    base = single(key)
    return {name: base[name] for name in base if name not in {"options", "correct"}} | {
        "type": type_,
        "skills": ["summing"],
        **fields,
    }


def numeric(key, **changes):
    return _other(
        key, "Numeric", numeric={"value": "31337", "tolerance": "1", "unit": "m"}, **changes
    )


def short(key, **changes):
    return _other(key, "ShortText", shortText={"accepted": [f"{CANARY}-word"]}, **changes)


def matching(key, **changes):
    pairs = [
        {"key": f"{CANARY}-{word}", "left": f"Left {word}", "right": f"Right {word}"}
        for word in ("one", "two", "three")
    ]
    return _other(key, "Matching", pairs=pairs, partialCredit="Proportional", **changes)


def ordering(key, **changes):
    return _other(
        key,
        "Ordering",
        options=_options("p", "q", "r", "s"),
        partialCredit="Proportional",
        **changes,
    )


RUBRIC = [
    {
        "key": "argument",
        "title": f"{CANARY} argument",
        "levels": [
            {"key": "missing", "title": f"{CANARY} missing", "points": 0},
            {"key": "clear", "title": f"{CANARY} clear", "points": 6},
        ],
    },
    {
        "key": "figure",
        "title": f"{CANARY} figure",
        "levels": [
            {"key": "none", "title": f"{CANARY} none", "points": 0},
            {"key": "named", "title": f"{CANARY} named", "points": 2},
        ],
    },
]


def essay(key, **changes):
    """A question that a person grades by a rubric of eight points."""
    return _other(key, "Essay", rubric=RUBRIC, **changes)


DOUBLE = {
    "Python": "print(int(input()) * 2)",
    "JavaScript": "console.log(Number(require('fs').readFileSync('/dev/stdin', 'utf8')) * 2)",
    "Java": "public class Main { public static void main(String[] a) {"
    " System.out.println(new java.util.Scanner(System.in).nextInt() * 2); } }",
}
"""A program that doubles a number, by language."""


def doubling(key, language="Python", **changes):
    """A program that doubles is asked for: one test of weight 1 is shown, two of weight 2 and 3 are hidden."""
    tests = [
        {
            "key": "small",
            "stdin": "2",
            "expected": "4",
            "disclosure": "Shown",
            "title": "A small one",
        },
        {"key": f"{CANARY}-large", "stdin": "31337", "expected": "62674", "weight": 2},
        {"key": f"{CANARY}-below", "stdin": "-31337", "expected": "-62674", "weight": 3},
    ]
    code = {"language": language, "starter": "# Read a number.\n", "tests": tests, "cpuSeconds": 2}
    return _other(key, "Code", **{"code": code, "partialCredit": "Proportional", **changes})


def upload(key, **changes):
    """A question that is answered with up to two small files and graded by the same rubric."""
    rules = {"extensions": ["pdf", "csv"], "maxSizeMib": 1, "maxFiles": 2}
    return _other(key, "File", rubric=RUBRIC, file=rules, **changes)


EVERY_TYPE = [
    single("single"),
    multiple("multiple"),
    numeric("numeric"),
    short("short"),
    matching("matching"),
    ordering("ordering"),
]


def pool_document(*questions, **changes):
    """A pool of the course ``statistics`` with one question of every type, or those given."""
    return {
        "title": "Basics",
        "courseRef": "statistics",
        "labels": ["first-half"],
        "questions": list(questions) or EVERY_TYPE,
        **changes,
    }


def pool_spec(*questions, **changes):
    return QuestionPoolSpec.model_validate(pool_document(*questions, **changes))


def exam_document(count=6, points=2, **changes):
    """A quiz that draws ``count`` questions of the pool ``basics`` and shows everything at once."""
    return {
        "title": "A quiz",
        "courseRef": "statistics",
        "purpose": "Quiz",
        "category": "work",
        "passMark": 50,
        "zones": [
            {
                "key": "main",
                "title": "Main part",
                "draws": [{"pools": ["basics"], "count": count, "points": points}],
            }
        ],
        "attempts": {"maximum": 2},
        "release": {"scores": "AtGrading", "answers": "AtGrading"},
        **changes,
    }


def exam_spec(count=6, points=2, **changes):
    return ExamConfigSpec.model_validate(exam_document(count, points, **changes))


RIGHT = {
    "SingleChoice": ["Choice c"],
    "MultipleChoice": ["Choice a", "Choice b", "Choice c"],
    "Ordering": ["Choice p", "Choice q", "Choice r", "Choice s"],
}


def right_answer(question):  # noqa: PLR0911 -- one for each type
    """The right answer to a question as a learner is shown it."""
    ids = {entry["text"]: entry["id"] for entry in question["options"]}
    match question["type"]:
        case "SingleChoice":
            return {"option": ids["Choice c"]}
        case "MultipleChoice":
            return {"options": [ids[text] for text in RIGHT["MultipleChoice"]]}
        case "Ordering":
            return {"order": [ids[text] for text in RIGHT["Ordering"]]}
        case "Numeric":
            return {"value": "31337.5"}
        case "ShortText":
            return {"text": " Canary-WORD "}
        case "Code":
            return {"source": DOUBLE[question["code"]["language"]]}
        case "File":
            return None
        case "Essay":
            return {"text": "Because two long delays pull the mean up."}
        case "Matching":
            rights = {entry["text"].split()[1]: entry["id"] for entry in question["rights"]}
            return {
                "pairs": {
                    entry["id"]: rights[entry["text"].split()[1]] for entry in question["lefts"]
                }
            }


def wrong_answer(question):  # noqa: PLR0911 -- one for each type
    """An answer that earns nothing."""
    match question["type"]:
        case "SingleChoice":
            return {"option": next(e["id"] for e in question["options"] if e["text"] != "Choice c")}
        case "MultipleChoice":
            return {"options": []}
        case "Ordering":
            return {"order": list(reversed(right_answer(question)["order"]))}
        case "Numeric":
            return {"value": "0"}
        case "ShortText" | "Essay":
            return {"text": "no"}
        case "Code":
            return {"source": "print(0)"}
        case "Matching":
            return {"pairs": {}}
