"""Authoring single parts over HTTP, versions and their lives, and who may do what."""

import asyncio

import pytest

from support.courses import course_document, lesson
from support.houses import OTHER_LEARNER

DOCUMENT = "/v1/authoring/courses/statistics"
COURSE = "/v1/courses/statistics"
AUTHOR = {"roles": ["author"]}
CONTRIBUTOR = {"roles": ["contributor"]}
NEWCOMER = {"who": OTHER_LEARNER}


def chapter(key, *lessons, **changes):
    return {"key": key, "title": f"Chapter {key}", "lessons": list(lessons), **changes}


async def declare(house, **changes):
    answer = await house.put(DOCUMENT, course_document(**changes), **AUTHOR)
    assert answer.status == 200, answer.body
    return answer


async def outline(house):
    found = (await house.get(COURSE)).body["chapters"]
    return {one["key"]: [each["key"] for each in one["lessons"]] for one in found}


class TestParts:
    async def test_are_read_as_they_were_declared(self, house):
        await declare(house)
        found = await house.get(f"{DOCUMENT}/chapters/chance/lessons/dice", **AUTHOR)
        assert (found.status, found.body["text"]) == (200, "# dice\n\nSome **text**.")
        whole = await house.get(DOCUMENT, **AUTHOR)
        assert found.headers["etag"] == whole.headers["etag"]
        assert (await house.get(f"{DOCUMENT}/chapters/luck", **AUTHOR)).status == 404
        assert (await house.get(f"{DOCUMENT}/chapters/data/lessons/dice", **AUTHOR)).status == 404

    async def test_are_changed_and_the_rest_stays(self, house):
        await declare(house)
        at = f"{DOCUMENT}/chapters/chance/lessons/dice"
        changed = await house.put(at, lesson("dice", title="Loaded dice"), **AUTHOR)
        assert (changed.status, changed.body["version"]) == (200, 2)
        assert await outline(house) == {"data": ["tables", "means"], "chance": ["coins", "dice"]}
        titles = [one["title"] for one in (await house.get(COURSE)).body["chapters"][1]["lessons"]]
        assert titles == ["Lesson coins", "Loaded dice"]

    async def test_are_added_where_they_belong(self, house):
        await declare(house)
        first = f"{DOCUMENT}/chapters/data/lessons/why?position=0"
        assert (await house.put(first, lesson("why"), **AUTHOR)).status == 200
        between = f"{DOCUMENT}/chapters/middle?position=1"
        assert (await house.put(between, chapter("middle", lesson("rest")), **AUTHOR)).status == 200
        last = f"{DOCUMENT}/chapters/end"
        assert (await house.put(last, chapter("end", lesson("bye")), **AUTHOR)).status == 200
        assert await outline(house) == {
            "data": ["why", "tables", "means"],
            "middle": ["rest"],
            "chance": ["coins", "dice"],
            "end": ["bye"],
        }
        assert list(await outline(house)) == ["data", "middle", "chance", "end"]

    async def test_are_taken_out(self, house):
        await declare(house)
        at = f"{DOCUMENT}/chapters/chance"
        assert (await house.delete(f"{at}/lessons/coins", **AUTHOR)).status == 200
        assert await outline(house) == {"data": ["tables", "means"], "chance": ["dice"]}
        assert (await house.delete(f"{at}/lessons/dice", **AUTHOR)).code == "invalid"
        assert (await house.delete(at, **AUTHOR)).status == 200
        assert await outline(house) == {"data": ["tables", "means"]}

    async def test_keep_the_rules_of_the_whole(self, house):
        await declare(house)
        at = f"{DOCUMENT}/chapters/chance/lessons"
        twice = await house.put(f"{at}/tables", lesson("tables"), **AUTHOR)
        assert twice.code == "invalid"
        stray = await house.put(f"{at}/dice", lesson("dice", skills=["flying"]), **AUTHOR)
        assert "flying" in stray.body["detail"]
        other = await house.put(f"{at}/dice", lesson("cards"), **AUTHOR)
        assert other.code == "invalid"
        assert await outline(house) == {"data": ["tables", "means"], "chance": ["coins", "dice"]}

    async def test_of_a_declared_resource_are_changed_there(self, house, publish):
        await publish()
        at = f"{DOCUMENT}/chapters/chance/lessons/dice"
        answer = await house.put(at, lesson("dice", title="New"), **AUTHOR)
        assert (answer.status, answer.code) == (409, "owned-by-resource")

    async def test_that_several_authors_change_at_once_are_all_changed(self, house):
        await declare(house)
        chapters = {"tables": "data", "means": "data", "coins": "chance", "dice": "chance"}
        answers = await asyncio.gather(
            *(
                house.put(
                    f"{DOCUMENT}/chapters/{within}/lessons/{key}",
                    lesson(key, title=f"New {key}"),
                    **AUTHOR,
                )
                for key, within in chapters.items()
            )
        )
        assert {answer.status for answer in answers} == {200}
        found = (await house.get(COURSE)).body["chapters"]
        titles = {each["key"]: each["title"] for one in found for each in one["lessons"]}
        assert titles == {key: f"New {key}" for key in chapters}


class TestIfMatch:
    async def test_lets_nobody_overwrite_what_they_have_not_read(self, house):
        seen = (await declare(house)).headers["etag"]
        at = f"{DOCUMENT}/chapters/chance/lessons/dice"
        first = await house.put(at, lesson("dice", title="Mine"), if_match=seen, **AUTHOR)
        assert first.status == 200
        for method, path, body in [
            ("PUT", at, lesson("dice", title="Yours")),
            ("PUT", DOCUMENT, course_document(title="Yours")),
            ("DELETE", at, None),
            ("POST", f"{DOCUMENT}/archive", None),
        ]:
            late = await house.call(method, path, body, if_match=seen, **AUTHOR)
            assert (late.status, late.code) == (412, "document-changed")
        now = first.headers["etag"]
        assert (await house.delete(at, if_match=now, **AUTHOR)).status == 200

    async def test_creates_nothing_under_a_name_that_is_free(self, house):
        tag = f'"{"0" * 64}"'
        answer = await house.put(DOCUMENT, course_document(), if_match=tag, **AUTHOR)
        assert (answer.status, answer.code) == (412, "document-changed")
        assert (await house.get(DOCUMENT, **AUTHOR)).status == 404

    @pytest.mark.parametrize("tag", ["nonsense", '"1"', '""'])
    async def test_is_an_etag_of_ours(self, house, tag):
        answer = await house.put(DOCUMENT, course_document(), if_match=tag, **AUTHOR)
        assert (answer.status, answer.code) == (400, "malformed")


class TestLife:
    async def test_goes_from_draft_over_review_to_learners_and_to_the_archive(self, house):
        await declare(house, lifecycle="Draft")
        assert (await house.get(COURSE)).status == 404
        assert (await house.post(f"{DOCUMENT}/review", **AUTHOR)).status == 200
        assert (await house.get(COURSE)).status == 404
        published = await house.post(f"{DOCUMENT}/publish", **AUTHOR)
        assert published.body["status"]["lifecycle"] == "Published"
        assert (await house.get(COURSE)).status == 200
        assert (await house.post(f"{DOCUMENT}/archive", **AUTHOR)).status == 200
        enrolment = f"{COURSE}/enrolments"
        refused = await house.post(enrolment, key="0" * 32, **NEWCOMER)
        assert refused.code == "course-read-only"

    @pytest.mark.parametrize(("stands", "move"), [("Published", "draft"), ("Published", "review")])
    async def test_takes_nothing_back_that_learners_have_seen(self, house, stands, move):
        await declare(house, lifecycle=stands)
        answer = await house.post(f"{DOCUMENT}/{move}", **AUTHOR)
        assert (answer.status, answer.code) == (409, "illegal-lifecycle-move")

    async def test_lets_learners_keep_what_they_have_while_the_next_is_written(self, house):
        await declare(house)
        at = f"{DOCUMENT}/chapters/chance/lessons/dice?lifecycle=Draft"
        drafted = await house.put(at, lesson("dice", title="Next"), **AUTHOR)
        assert (drafted.body["version"], drafted.body["status"]["publishedVersion"]) == (2, 1)
        assert (await house.get(COURSE)).body["version"] == 1
        await house.post(f"{DOCUMENT}/publish", **AUTHOR)
        assert (await house.get(COURSE)).body["version"] == 2

    async def test_is_told_by_its_versions(self, house):
        await declare(house)
        await house.put(DOCUMENT, course_document(title="Better", lifecycle="Draft"), **AUTHOR)
        (second, first) = (await house.get(f"{DOCUMENT}/versions", **AUTHOR)).body["items"]
        assert (second["number"], second["isCurrent"], second["isLive"]) == (2, True, False)
        assert (first["number"], first["isCurrent"], first["isLive"]) == (1, False, True)
        page = (await house.get(f"{DOCUMENT}/versions?limit=1", **AUTHOR)).body["next"]
        rest = await house.get(f"{DOCUMENT}/versions?limit=1&after={page}", **AUTHOR)
        assert [one["number"] for one in rest.body["items"]] == [1]
        content = (await house.get(f"{DOCUMENT}/versions/1", **AUTHOR)).body["content"]
        assert content["title"] == "Statistics"
        assert (await house.get(f"{DOCUMENT}/versions/3", **AUTHOR)).status == 404
        nowhere = "/v1/authoring/courses/nowhere/versions"
        assert (await house.get(nowhere, **AUTHOR)).status == 404

    async def test_is_audited_with_who_moved_it(self, house, rows):
        rows("DELETE FROM course.audit_entry RETURNING 1")
        await declare(house, lifecycle="Draft")
        await house.post(f"{DOCUMENT}/publish", **AUTHOR)
        await house.post(f"{DOCUMENT}/publish", **AUTHOR)  # which changes nothing
        found = rows("SELECT action, target, detail FROM course.audit_entry ORDER BY id")
        assert found == [
            ("course.declared", "statistics", {"version": 1, "lifecycle": "Draft"}),
            ("course.declared", "statistics", {"version": 1, "lifecycle": "Published"}),
        ]


class TestContributor:
    async def test_writes_drafts_and_sends_them_to_review(self, house):
        draft = course_document(lifecycle="Draft")
        assert (await house.put(DOCUMENT, draft, **CONTRIBUTOR)).status == 200
        at = f"{DOCUMENT}/chapters/chance/lessons/dice"
        assert (await house.put(at, lesson("dice", title="New"), **CONTRIBUTOR)).status == 200
        assert (await house.post(f"{DOCUMENT}/review", **CONTRIBUTOR)).status == 200

    async def test_decides_nothing_that_learners_get(self, house):
        assert (await house.put(DOCUMENT, course_document(), **CONTRIBUTOR)).code == "forbidden"
        await declare(house)
        at = f"{DOCUMENT}/chapters/chance/lessons/dice"
        assert (await house.put(at, lesson("dice"), **CONTRIBUTOR)).code == "forbidden"
        for move in ("publish", "archive"):
            assert (await house.post(f"{DOCUMENT}/{move}", **CONTRIBUTOR)).code == "forbidden"
        assert (
            await house.put(f"{at}?lifecycle=Draft", lesson("dice", title="New"), **CONTRIBUTOR)
        ).status == 200
        assert (await house.get(COURSE)).body["version"] == 1


class TestAuthored:
    async def test_shows_authors_their_courses_whatever_their_lifecycle(self, house, publish):
        await publish("algebra")
        await declare(house, lifecycle="Draft")
        await house.put("/v1/authoring/courses/zoology", course_document(), **AUTHOR)
        await house.delete("/v1/authoring/courses/zoology", **AUTHOR)

        async def names(**how):
            items = (await house.get("/v1/authoring/courses", **how)).body["items"]
            return [(item["name"], item["lifecycle"], item["liveVersion"]) for item in items]

        assert await names(**AUTHOR) == [("algebra", "Published", 1), ("statistics", "Draft", None)]
        scoped = {"roles": ["learner"], "scopes": ["author@course:algebra"]}
        assert await names(**scoped) == [("algebra", "Published", 1)]

    async def test_of_another_course_reads_as_if_there_were_none(self, house):
        await declare(house)
        scoped = {"roles": ["learner"], "scopes": ["author@course:algebra"]}
        for path in ("versions", "versions/1", "chapters/data", "chapters/data/lessons/tables"):
            assert (await house.get(f"{DOCUMENT}/{path}", **scoped)).status == 404
        for move in ("draft", "review", "publish", "archive"):
            assert (await house.post(f"{DOCUMENT}/{move}", **scoped)).status == 404
