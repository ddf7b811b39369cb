"""An HTTP client that has read every answer whole before it gives it back."""

import aiohttp


class Client:
    """Sends requests to one address."""

    def __init__(self, session):
        self._session = session

    async def request(self, method, path, **kwargs):
        """The answer; its body is read, so the connection is free again."""
        async with self._session.request(method, path, **kwargs) as response:
            await response.read()
            return response

    async def get(self, path, **kwargs):
        return await self.request("GET", path, **kwargs)

    async def post(self, path, **kwargs):
        return await self.request("POST", path, **kwargs)

    async def put(self, path, **kwargs):
        return await self.request("PUT", path, **kwargs)

    async def delete(self, path, **kwargs):
        return await self.request("DELETE", path, **kwargs)


def session_to(base, **kwargs):
    """A session for ``Client``; close it with ``async with``."""
    return aiohttp.ClientSession(base, **kwargs)
