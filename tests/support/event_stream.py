"""A reader of server-sent events, as the WHATWG standard says that browsers read them."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from support.waiting import LONG_S


@dataclass(frozen=True)
class Event:
    """An event; ``id`` is the last id that came by then."""

    id: str
    type: str
    data: dict


class EventReader:
    """An open stream.

    Attributes:
        response: Its answer, whose body nobody has read.
        last_id: What a client sends as ``Last-Event-ID`` when it comes back.
        beats: Comments that came.
    """

    def __init__(self, response):
        self.response = response
        self.last_id = ""
        self.beats = 0

    async def next(self, kind=None):
        """The next event (of a type); None at the end of the stream."""
        async with asyncio.timeout(LONG_S):
            while True:
                event = await self._event()
                if event is None or kind in {None, event.type}:
                    return event

    async def rest(self):
        """All events until the stream ends."""
        found = []
        while (event := await self.next()) is not None:
            found.append(event)
        return found

    async def beat(self):
        """Returns once a comment has come, skipping events."""
        seen = self.beats
        async with asyncio.timeout(LONG_S):
            while self.beats == seen:
                self._note(await self.response.content.readline())

    async def _event(self):
        kind, data = "message", []
        while line := await self.response.content.readline():
            field, value = self._note(line)
            if field == "event":
                kind = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                self.last_id = value
            elif not field and data:
                return Event(self.last_id, kind, json.loads("\n".join(data)))
        return None

    def _note(self, line):
        text = line.decode().removesuffix("\n")
        self.beats += text.startswith(":")
        field, _, value = text.partition(":")
        return field, value.removeprefix(" ")


@asynccontextmanager
async def event_stream(url, token, *, path="/v1/notifications/stream", after=None, **session):
    """A stream at this address for a person's token, on a connection of its own."""
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
    if after is not None:
        headers["last-event-id"] = after
    async with (
        aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(), **session) as http,
        http.get(path, headers=headers) as response,
    ):
        yield EventReader(response)
