"""A broker that says what a test tells it to, for moments that a real one cannot be brought to at will."""

import asyncio
import contextlib

from pamqp import commands, frame, heartbeat
from pamqp.exceptions import UnmarshalingException

_ANSWERS = {
    commands.Connection.Open: commands.Connection.OpenOk,
    commands.Connection.Close: commands.Connection.CloseOk,
    commands.Channel.Open: commands.Channel.OpenOk,
    commands.Channel.Close: commands.Channel.CloseOk,
    commands.Confirm.Select: commands.Confirm.SelectOk,
    commands.Basic.Qos: commands.Basic.QosOk,
    commands.Basic.Consume: lambda: commands.Basic.ConsumeOk("reader"),
}


class ScriptedBroker:
    """Logs every client in, opens its channels, and remembers what else it says.

    Attributes:
        url: Where it listens.
        heard: Every frame that came, with its channel, after the log-in.
    """

    def __init__(self, *, frame_max=131_072, heartbeat_s=60):
        self.url = ""
        self.heard = []
        self._tune = commands.Connection.Tune(0, frame_max, heartbeat_s)
        self._writers = []
        self._server = None

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"amqp://guest:guest@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def say(self, method, channel=0):
        """Every client hears this."""
        for writer in self._writers:
            writer.write(frame.marshal(method, channel))

    def heard_of(self, kind):
        """What came of this kind."""
        return [each for _, each in self.heard if isinstance(each, kind)]

    async def _serve(self, reader, writer):
        self._writers.append(writer)
        await reader.readexactly(8)
        writer.write(frame.marshal(commands.Connection.Start(), 0))
        data = b""
        with contextlib.suppress(OSError):
            while received := await reader.read(65536):
                data = self._hear(data + received, writer)

    def _hear(self, data, writer):
        while data:
            try:
                used, channel, item = frame.unmarshal(data)
            except UnmarshalingException:
                return data
            data = data[used:]
            answer = self._answer(item)
            if answer is not None:
                writer.write(frame.marshal(answer, channel))
            else:
                self.heard.append((channel, item))
        return data

    def _answer(self, item):
        if isinstance(item, commands.Connection.StartOk):
            return self._tune
        return next((answer() for kind, answer in _ANSWERS.items() if isinstance(item, kind)), None)

    def beats(self):
        """How many heartbeats came."""
        return len(self.heard_of(heartbeat.Heartbeat))
