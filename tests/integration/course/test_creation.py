"""Many new courses in one call: the same as one by one, and one that is refused harms no other."""

from kourse.contracts.resources import CourseSpec
from kourse.course import authoring
from kourse.course.service import publishing
from kourse.kit import documents
from kourse.kit.documents import Applied, Doc, Refused
from support.courses import course_spec, with_assets

TABLES = (
    "document",
    "course",
    "course_version",
    "chapter",
    "lesson",
    "skill",
    "assignment",
    "gate",
    "asset",
    "event_sequence",
    "outbox",
)
PASSING = ("event_id", "created_at", "updated_at", "declared_at", "started_at", "live_at")
"""Columns that differ each time."""


def declared(name, spec, generation=1):
    return Doc(name, CourseSpec.model_validate(spec), "resource", uid=name, generation=generation)


def everything(rows):
    """All rows of the content, without what differs each time; whether a version is live counts."""
    without = f"'{{{','.join(PASSING)}}}'::text[]"
    found = {
        table: rows(f"SELECT (to_jsonb(x) - {without})::text FROM course.{table} x ORDER BY 1")
        for table in TABLES
        if table != "outbox"
    }
    return found | {
        "live": rows("SELECT course_id, live_at IS NULL FROM course.course_version ORDER BY 1"),
        "outbox": rows(
            "SELECT tenant, stream, entity, seq, type, version, payload, headers, routing_key, part"
            " FROM course.outbox ORDER BY type, entity, seq"
        ),
    }


def several():
    gates = [{"chapter": "chance", "requires": [{"lesson": "tables"}]}]
    return [
        declared("statistics", course_spec(gates=gates)),
        declared("algebra", course_spec(title="Algebra", lifecycle="Draft")),
        declared("geometry", with_assets()),
    ]


async def together(operator, docs):
    return await authoring.apply_many(operator, "demo", "Course", docs)


async def one_by_one(operator, docs):
    return await documents.apply_each(
        operator, "demo", "Course", docs, publishing.apply, publishing.keep_wish
    )


class TestCreate:
    async def test_leaves_the_same_as_one_by_one(self, operator, rows, clear):
        results = await one_by_one(operator, several())
        wanted = everything(rows)
        clear()
        assert await together(operator, several()) == results
        found = everything(rows)
        assert all(found.values())
        assert found == wanted

    async def test_refuses_one_and_creates_the_others(self, operator, rows):
        wrong = declared("wrong", course_spec(timeZone="Mars/Olympus"))
        results = await together(operator, [*several(), wrong])
        assert [type(result) for result in results] == [Applied, Applied, Applied, Refused]
        assert len(rows("SELECT FROM course.course")) == 3

    async def test_changes_those_that_are_there_already(self, operator, rows):
        await together(operator, several())
        changed = declared("algebra", course_spec(title="Algebra, revised"), generation=2)
        new = declared("physics", course_spec(title="Physics"))
        results = await together(operator, [changed, new])
        assert [(result.name, result.version) for result in results] == [
            ("algebra", 2),
            ("physics", 1),
        ]
        assert len(rows("SELECT FROM course.course WHERE live_version IS NOT NULL")) == 3

    async def test_creates_what_others_of_the_same_call_require(self, operator):
        needy = course_spec(prerequisites=[{"courseRef": "statistics"}])
        results = await together(operator, [declared("advanced", needy), *several()])
        assert all(isinstance(result, Applied) for result in results)

    async def test_takes_up_a_course_whose_rows_outlived_its_name(self, operator, rows):
        await together(operator, several())
        rows("DELETE FROM course.document WHERE name = 'algebra' RETURNING 1")
        (result,) = await together(operator, [declared("algebra", course_spec(title="Algebra"))])
        assert (result.version, result.status["publishedVersion"]) == (1, 1)
