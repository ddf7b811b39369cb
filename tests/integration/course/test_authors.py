"""Authoring over HTTP: the same documents through the other door, and the files they name."""

import aiohttp
import pytest_asyncio

from kourse.contracts import names
from kourse.contracts.resources import DeletionPolicy
from kourse.course import authoring
from support.courses import (
    CSV,
    CSV_SHA256,
    LONG_TEXT,
    LONG_TEXT_SHA256,
    course_document,
    course_spec,
    lesson,
    with_assets,
)
from support.houses import new_key
from support.waiting import until

DOCUMENT = "/v1/authoring/courses/statistics"
COURSE = "/v1/courses/statistics"
AUTHOR = {"roles": ["author"]}
FILES = [
    {"path": "assets/trips.csv", "sha256": CSV_SHA256, "size": len(CSV)},
    {"path": "lessons/dice.md", "sha256": LONG_TEXT_SHA256, "size": len(LONG_TEXT)},
]


def bucket_of(house):
    return names.bucket(house.runtime.settings.bucket_prefix, "demo", "statistics")


@pytest_asyncio.fixture
async def bucket(house):
    """The course's bucket, as the operator makes it."""
    await house.runtime.buckets.ensure_bucket(bucket_of(house))
    yield bucket_of(house)
    await house.runtime.buckets.delete_bucket(bucket_of(house))


async def send(upload, data):
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            upload["method"], upload["url"], data=data, headers=upload["headers"]
        ) as response,
    ):
        return response.status


class TestPutCourse:
    async def test_is_for_authors(self, house):
        assert (await house.put(DOCUMENT, course_document())).code == "forbidden"
        assert (await house.put(DOCUMENT, course_document(), who=None)).status == 401

    async def test_of_another_course_answers_a_scoped_author_as_if_it_were_not_there(self, house):
        scoped = {"roles": ["learner"], "scopes": ["author@course:algebra"]}
        assert (await house.put(DOCUMENT, course_document(), **scoped)).status == 404
        algebra = "/v1/authoring/courses/algebra"
        assert (await house.put(algebra, course_document(), **scoped)).status == 200

    async def test_gives_the_same_rows_as_the_resource(self, house, publish, rows, operator):
        queries = [
            "SELECT key, id, chapter, position, title, minutes, skills FROM course.lesson ORDER BY key",
            "SELECT key, text, assets, practice FROM course.lesson ORDER BY key",
            "SELECT number, title, digest, lifecycle, eligible, content FROM course.course_version",
            "SELECT name, id, lifecycle, current_version, live_version, policy FROM course.course",
            "SELECT type, seq, payload FROM course.outbox ORDER BY id",
        ]
        await publish()
        by_resource = [rows(query) for query in queries]
        await authoring.retire(
            operator, "demo", "Course", "statistics", "uid-statistics", DeletionPolicy.DELETE
        )
        with_admin = "DELETE FROM course.outbox RETURNING id"
        rows(with_admin)
        rows("DELETE FROM course.event_sequence RETURNING entity")
        answer = await house.put(DOCUMENT, course_document(), **AUTHOR)
        assert (answer.status, answer.body["version"], answer.body["changed"]) == (200, 1, True)
        assert [rows(query) for query in queries] == by_resource

    async def test_names_the_resource_that_declares_it(self, house, publish):
        await publish()
        answer = await house.put(DOCUMENT, course_document(), **AUTHOR)
        assert (answer.status, answer.code) == (409, "owned-by-resource")
        assert answer.body["resource"] == "Course/statistics"

    async def test_refuses_unknown_fields_and_broken_rules(self, house):
        unknown = await house.put(DOCUMENT, {**course_document(), "extra": 1}, **AUTHOR)
        assert (unknown.status, unknown.code) == (422, "invalid")
        assert unknown.body["errors"][0]["pointer"] == "#/extra"
        broken = course_document(gradeCategories=[])
        answer = await house.put(DOCUMENT, broken, **AUTHOR)
        assert (answer.status, answer.code) == (422, "invalid")
        assert answer.body["errors"][0]["field"] == "assignments"

    async def test_says_when_something_is_not_there_yet(self, house):
        document = course_document(prerequisites=[{"courseRef": "algebra"}])
        answer = await house.put(DOCUMENT, document, **AUTHOR)
        assert (answer.status, answer.code) == (409, "prerequisite-unknown")
        assert answer.headers["retry-after"] == "5"


class TestReadDocument:
    async def test_gives_what_was_declared(self, house, publish):
        await publish()
        answer = await house.get(DOCUMENT, **AUTHOR)
        assert (answer.status, answer.body["source"]) == (200, "resource")
        assert answer.body["spec"]["title"] == "Statistics"

    async def test_knows_nothing_else(self, house):
        assert (await house.get(DOCUMENT, **AUTHOR)).status == 404


class TestDeleteCourse:
    async def test_is_refused_for_what_a_resource_declares(self, house, publish):
        await publish()
        assert (await house.delete(DOCUMENT, **AUTHOR)).code == "owned-by-resource"

    async def test_retains_by_default(self, house, rows):
        await house.put(DOCUMENT, course_document(), **AUTHOR)
        assert (await house.delete(DOCUMENT, **AUTHOR)).status == 204
        assert (await house.get(DOCUMENT, **AUTHOR)).status == 404
        assert (await house.delete(DOCUMENT, **AUTHOR)).status == 404
        assert rows("SELECT count(*) FROM course.lesson") == [(4,)]
        last = "SELECT action, target, detail FROM course.audit_entry ORDER BY id DESC LIMIT 1"
        assert rows(last) == [("course.deleted", "statistics", {"policy": "Retain"})]

    async def test_deletes_only_what_was_read(self, house):
        seen = (await house.put(DOCUMENT, course_document(), **AUTHOR)).headers["etag"]
        await house.put(DOCUMENT, course_document(title="Other"), **AUTHOR)
        refused = await house.delete(DOCUMENT, if_match=seen, **AUTHOR)
        assert (refused.status, refused.code) == (412, "document-changed")
        seen = (await house.get(DOCUMENT, **AUTHOR)).headers["etag"]
        assert (await house.delete(DOCUMENT, if_match=seen, **AUTHOR)).status == 204

    async def test_deletes_rows_bucket_and_learners_when_asked(self, house, rows):
        document = with_assets(deletionPolicy="Delete")
        await house.put(DOCUMENT, document, **AUTHOR)
        await house.post(f"{DOCUMENT}/assets", {"assets": FILES}, **AUTHOR)
        assert await house.runtime.buckets.exists(bucket_of(house))
        await house.put(DOCUMENT, course_document(deletionPolicy="Delete"), **AUTHOR)
        await house.post(f"{COURSE}/enrolments", key=new_key())
        answer = await house.delete(DOCUMENT, **AUTHOR)
        assert (answer.status, answer.body["pending"][0]["reason"]) == (202, "Deleting")
        await until(lambda: rows("SELECT count(*) FROM course.course") == [(0,)])
        assert rows("SELECT count(*) FROM course.enrolment") == [(0,)]
        assert rows("SELECT count(*) FROM course.document") == [(0,)]
        assert not await house.runtime.buckets.exists(bucket_of(house))


class TestAssets:
    async def test_are_sent_verified_and_take_the_version_live(self, house, publish, bucket, rows):
        await publish(spec=type(course_spec()).model_validate(with_assets()))
        assert (await house.get(COURSE)).status == 404
        wanted = await house.post(f"{DOCUMENT}/assets", {"assets": FILES}, **AUTHOR)
        assert [upload["path"] for upload in wanted.body["uploads"]] == [
            "assets/trips.csv",
            "lessons/dice.md",
        ]
        statuses = [
            await send(upload, data)
            for upload, data in zip(wanted.body["uploads"], (CSV, LONG_TEXT), strict=True)
        ]
        assert statuses == [200, 200]
        confirmed = await house.post(
            f"{DOCUMENT}/assets/stored", {"sha256s": [CSV_SHA256, LONG_TEXT_SHA256]}, **AUTHOR
        )
        assert (confirmed.body["missing"], confirmed.body["published"]) == ([], 1)
        assert rows("SELECT type FROM course.outbox ORDER BY id LIMIT 1") == [
            ("course.content.published",)
        ]
        assert (await house.get(COURSE)).body["version"] == 1
        again = await house.post(f"{DOCUMENT}/assets", {"assets": FILES}, **AUTHOR)
        assert again.body["uploads"] == again.body["present"] == []
        assert sorted(again.body["stored"]) == sorted([CSV_SHA256, LONG_TEXT_SHA256])

    async def test_can_be_read_by_those_enrolled(self, house, publish, bucket):
        await publish(spec=type(course_spec()).model_validate(with_assets()))
        store = house.runtime.store
        await store.put(bucket, names.content_key(CSV_SHA256), CSV)
        await store.put(bucket, names.content_key(LONG_TEXT_SHA256), LONG_TEXT)
        offered = await house.post(f"{DOCUMENT}/assets", {"assets": FILES}, **AUTHOR)
        assert len(offered.body["present"]) == 2
        sent = {"sha256s": offered.body["present"]}
        await house.post(f"{DOCUMENT}/assets/stored", sent, **AUTHOR)
        await house.post(f"{COURSE}/enrolments", key=new_key())
        first = (await house.get(f"{COURSE}/lessons/tables")).body
        (file,) = first["files"]
        assert (file["path"], file["sizeBytes"]) == ("assets/trips.csv", len(CSV))
        async with aiohttp.ClientSession() as session, session.get(file["url"]) as response:
            assert await response.read() == CSV
            assert 'filename="trips.csv"' in response.headers["content-disposition"]
        assert "asset:" not in first["html"]
        long = (await house.get(f"{COURSE}/lessons/dice")).body
        assert long["markdown"] == LONG_TEXT.decode()
        assert f'href="{file["url"].split("?")[0]}' in long["html"]

    async def test_are_refused_when_they_are_others_than_declared(self, house, publish, bucket):
        await publish(spec=type(course_spec()).model_validate(with_assets()))
        await house.runtime.store.put(bucket, names.content_key(CSV_SHA256), CSV[::-1])
        answer = await house.post(f"{DOCUMENT}/assets/stored", {"sha256s": [CSV_SHA256]}, **AUTHOR)
        assert (answer.status, answer.code) == (409, "asset-mismatch")
        assert "another digest" in answer.body["detail"]

    async def test_are_refused_when_they_never_came(self, house, publish, bucket):
        await publish(spec=type(course_spec()).model_validate(with_assets()))
        answer = await house.post(f"{DOCUMENT}/assets/stored", {"sha256s": [CSV_SHA256]}, **AUTHOR)
        assert answer.code == "asset-mismatch"

    async def test_are_refused_when_no_version_declares_them(self, house, publish, bucket):
        await publish()
        answer = await house.post(f"{DOCUMENT}/assets", {"assets": FILES}, **AUTHOR)
        assert (answer.status, answer.code) == (422, "asset-refused")

    async def test_are_refused_when_a_text_is_too_large(self, house, publish, bucket):
        await publish(spec=type(course_spec()).model_validate(with_assets()))
        large = [{**FILES[1], "size": 2 * 1024 * 1024}]
        answer = await house.post(f"{DOCUMENT}/assets", {"assets": large}, **AUTHOR)
        assert answer.code == "asset-refused"

    async def test_wait_behind_a_newer_version(self, house, publish, bucket, rows):
        await publish(spec=type(course_spec()).model_validate(with_assets()))
        await publish()
        store = house.runtime.store
        await store.put(bucket, names.content_key(CSV_SHA256), CSV)
        sent = {"sha256s": [CSV_SHA256]}
        answer = await house.post(f"{DOCUMENT}/assets/stored", sent, **AUTHOR)
        assert answer.body["published"] is None
        assert rows("SELECT live_version FROM course.course") == [(2,)]


class TestReferences:
    async def test_to_unknown_assets_are_refused(self, house):
        document = course_document()
        document["chapters"][0]["lessons"][0] = lesson("tables", text="[x](asset:no/where.csv)")
        answer = await house.put(DOCUMENT, document, **AUTHOR)
        assert (answer.status, answer.code) == (422, "unknown-reference")
        assert "'no/where.csv'" in answer.body["detail"]
