"""Where keys come from may be slow, huge, broken or lead elsewhere: nobody trusts or waits for it."""

import asyncio
import gzip

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kourse.kit.auth import keys
from kourse.kit.auth.keys import KeyCache, ec_keys, http_fetcher
from support.serving import serving
from support.tokens import Issuer

pytestmark = pytest.mark.asyncio(loop_scope="module")
GIVEN_UP = asyncio.Event()


async def huge(_request):
    return Response(b" " * (keys.MAX_BYTES + 1))


async def silent(_request):
    await GIVEN_UP.wait()
    return Response()


async def bombed(_request):
    body = gzip.compress(b" " * 50_000_000)
    return Response(body, headers={"content-encoding": "gzip"})


async def broken(_request):
    return Response(Issuer().jwks(), 500)


async def elsewhere(_request):
    return RedirectResponse("/keys")


async def good(_request):
    return Response(Issuer().jwks())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url():
    routes = [
        Route(f"/{answer.__name__}", answer) for answer in (huge, silent, bombed, broken, elsewhere)
    ]
    async with serving(Starlette(routes=[*routes, Route("/keys", good)])) as url:
        yield url
        GIVEN_UP.set()


class TestFetch:
    async def test_gives_what_the_source_has(self, url):
        assert b"keys" in await http_fetcher(f"{url}/keys")()

    @pytest.mark.parametrize("answer", ["huge", "bombed", "broken", "elsewhere"])
    async def test_refuses_an_answer_that_is(self, url, answer):
        with pytest.raises(ValueError, match=r"too large|answered"):
            await http_fetcher(f"{url}/{answer}")()

    async def test_gives_up_on_silence(self, url, monkeypatch):
        monkeypatch.setattr(keys, "FETCH_TIMEOUT_S", 0.05)

        with pytest.raises(TimeoutError):
            await http_fetcher(f"{url}/silent")()

    async def test_that_fails_takes_no_known_key_away(self, url):
        now = [0.0]
        source = [f"{url}/keys"]

        async def fetch():
            return await http_fetcher(source[0])()

        cache = KeyCache(fetch, ec_keys, clock=lambda: now[0])
        await cache.ready()
        source[0], now[0] = f"{url}/huge", keys.FRESH_S * 2

        assert await cache.find("made-up") is None
        assert await cache.find(Issuer().kid) is not None
