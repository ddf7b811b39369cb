"""Objects, links and buckets on a real S3 server."""

import contextlib
import hashlib
import secrets

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from minio import Minio

from kourse.contracts.errors import KourseError, NotFound, Unavailable
from kourse.kit.storage import BucketAdmin, ObjectStore

CONTENT = b"a lesson's picture"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def access(servers):
    found = servers.endpoints
    return {
        "endpoint": found.s3_endpoint,
        "region": found.s3_region,
        "access_key": found.s3_access_key,
        "secret_key": found.s3_secret_key,
    }


@pytest.fixture
async def admin(access):
    made = BucketAdmin(**access)
    yield made
    await made.close()


@pytest.fixture
def store(access):
    return ObjectStore(**access, public_endpoint=access["endpoint"])


@pytest.fixture
async def bucket(admin):
    name = f"kourse-test-{secrets.token_hex(6)}"
    await admin.ensure_bucket(name)
    yield name
    await admin.delete_bucket(name)


@contextlib.asynccontextmanager
async def plain_store():
    """A store that has objects and buckets, and nothing that can be set of a bucket."""

    async def answer(_request):
        text = "<Error><Code>NotImplemented</Code></Error>"
        return web.Response(status=501, text=text, content_type="application/xml")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


def client_of(access):
    """A client that is not ours."""
    login = (access["access_key"], access["secret_key"])
    return Minio(access["endpoint"].removeprefix("http://"), *login, secure=False)


async def request(method, url, **kwargs):
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **kwargs) as response,
    ):
        return response.status, await response.read(), response.headers


class TestObject:
    async def test_is_written_read_listed_and_deleted(self, store, bucket):
        await store.put(bucket, "content/a", CONTENT, content_type="image/png")
        await store.put(bucket, "content/b", b"")

        assert await store.get(bucket, "content/a") == CONTENT
        assert (await store.head(bucket, "content/a")).size == len(CONTENT)
        assert [info.key for info in await store.list(bucket, "content")] == [
            "content/a",
            "content/b",
        ]
        assert b"".join([part async for part in store.stream(bucket, "content/a")]) == CONTENT

        await store.delete(bucket, "content/a")
        await store.delete(bucket, "content/a")
        assert await store.head(bucket, "content/a") is None

    async def test_that_is_not_there_is_not_found(self, store, bucket):
        with pytest.raises(NotFound):
            await store.get(bucket, "content/none")
        assert await store.head("kourse-no-such-bucket", "x") is None

    async def test_is_unavailable_without_a_store(self, access):
        gone = {**access, "endpoint": "http://127.0.0.1:1"}

        with pytest.raises(Unavailable):
            await ObjectStore(**gone, public_endpoint="http://x").get("bucket", "x")


class TestLink:
    async def test_gives_the_object_under_a_name(self, store, bucket):
        await store.put(bucket, "content/a b/ü", CONTENT)

        status, body, headers = await request(
            "GET", store.presign_get(bucket, "content/a b/ü", 60, filename="picture.png")
        )

        assert (status, body) == (200, CONTENT)
        assert 'filename="picture.png"' in headers["content-disposition"]

    async def test_is_of_no_use_for_anything_else(self, store, bucket):
        await store.put(bucket, "content/a", CONTENT)
        link = store.presign_get(bucket, "content/a", 60)

        assert (await request("GET", link.replace("content/a", "content/b")))[0] == 403
        assert (await request("DELETE", link))[0] == 403
        assert (await request("GET", link.partition("?")[0]))[0] == 403

    async def test_takes_exactly_the_content_it_was_made_for(self, store, bucket):
        upload = store.presign_put(bucket, f"content/{DIGEST}", DIGEST, len(CONTENT))

        status, _, _ = await request(
            "PUT",
            upload.url,
            data=CONTENT,
            headers=upload.headers,
            skip_auto_headers=["content-type"],
        )

        assert status == 200
        assert await store.get(bucket, f"content/{DIGEST}") == CONTENT

    @pytest.mark.parametrize("content", [CONTENT.upper(), CONTENT + b"x"], ids=["other", "longer"])
    async def test_takes_nothing_else(self, store, bucket, content):
        upload = store.presign_put(bucket, f"content/{DIGEST}", DIGEST, len(CONTENT))
        headers = {**upload.headers, "content-length": str(len(content))}

        status, _, _ = await request("PUT", upload.url, data=content, headers=headers)

        assert status in {400, 403}
        assert await store.head(bucket, f"content/{DIGEST}") is None


class TestBucketAdmin:
    async def test_makes_each_thing_once(self, admin, bucket):
        assert await admin.exists(bucket)
        assert await admin.ensure_bucket(bucket) is False
        for _ in range(2):
            assert await admin.ensure_versioning(bucket) == []
            assert await admin.ensure_private(bucket) == []
            lacking = await admin.ensure_lifecycle(bucket)
            assert {item.feature for item in lacking} <= {"uploads"}

    async def test_deletes_every_version(self, admin, store, bucket):
        await admin.ensure_versioning(bucket)
        await store.put(bucket, "a", b"1")
        await store.put(bucket, "a", b"2")
        await store.delete(bucket, "a")

        await admin.delete_bucket(bucket)
        await admin.delete_bucket(bucket)

        assert not await admin.exists(bucket)

    async def test_is_unavailable_without_a_store_or_with_wrong_keys(self, access):
        gone = BucketAdmin(**{**access, "endpoint": "http://127.0.0.1:1"})
        wrong = BucketAdmin(**{**access, "secret_key": "wrong"})

        for admin in (gone, wrong):
            with pytest.raises(Unavailable):
                await admin.ensure_bucket("kourse-test")
            await admin.close()

    async def test_tells_of_features_that_the_store_lacks(self, access):
        async with plain_store() as endpoint:
            admin = BucketAdmin(**{**access, "endpoint": endpoint})
            lacking = [
                *await admin.ensure_versioning("plain"),
                *await admin.ensure_private("plain"),
                *await admin.ensure_lifecycle("plain"),
            ]
            await admin.close()

        assert [item.feature for item in lacking] == ["versioning", "policy", "lifecycle"]

    async def test_asks_only_once_for_a_rule_that_the_store_refuses(self, admin, bucket):
        first = await admin.ensure_lifecycle(bucket, new=True)

        assert await admin.ensure_lifecycle(bucket, new=True) == first
        assert await admin.ensure_lifecycle(bucket) == first

    async def test_puts_back_what_was_changed_by_hand(self, admin, bucket, access):
        await admin.ensure_lifecycle(bucket, noncurrent_days=90, new=True)
        await admin.ensure_lifecycle(bucket, noncurrent_days=7, new=True)

        await admin.ensure_lifecycle(bucket, noncurrent_days=90)

        rules = client_of(access).get_bucket_lifecycle(bucket).rules
        assert [rule.noncurrent_version_expiration.noncurrent_days for rule in rules] == [90]

    async def test_refuses_names_that_no_bucket_can_have(self, admin):
        with pytest.raises((KourseError, ValueError)):
            await admin.ensure_bucket("Not A Bucket")
