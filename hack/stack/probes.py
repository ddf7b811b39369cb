"""Asks servers whether they serve, in their own protocols, without their client libraries.

The supervisor runs all the time and asks often; plain sockets keep it small.
"""

import asyncio
import contextlib
import ssl

from hack.stack.process import Probe, ProbeKind

ANSWER_SECONDS = 20.0


async def serves(probe: Probe) -> bool:
    """Ask once; True when the right answer comes, also on a machine that is busy."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _ask(probe)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


async def _ask(probe: Probe) -> bool:
    tls = _unverified() if probe.kind is ProbeKind.HTTPS else None
    reader, writer = await asyncio.open_connection("127.0.0.1", probe.port, ssl=tls)
    try:
        writer.write(_question(probe))
        await writer.drain()
        return await _is_right(probe, reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _question(probe: Probe) -> bytes:
    match probe.kind:
        case ProbeKind.HTTP | ProbeKind.HTTPS:
            lines = [f"GET {probe.path} HTTP/1.1", f"Host: 127.0.0.1:{probe.port}"]
            return "\r\n".join([*lines, "Connection: close", "", ""]).encode()
        case ProbeKind.POSTGRES:
            body = (3 << 16).to_bytes(4) + b"user\0probe\0database\0postgres\0\0"
            return (len(body) + 4).to_bytes(4) + body
        case ProbeKind.REDIS:
            return f"AUTH {probe.password}\r\nPING\r\n".encode()
        case ProbeKind.AMQP:
            return b"AMQP\x00\x00\x09\x01"
        case ProbeKind.TCP | ProbeKind.SMTP:
            return b""


async def _is_right(probe: Probe, reader: asyncio.StreamReader) -> bool:
    match probe.kind:
        case ProbeKind.HTTP | ProbeKind.HTTPS:
            status = (await reader.readline()).split(b" ")
            return len(status) > 1 and status[1].startswith(b"2")
        case ProbeKind.POSTGRES:  # asked for a password: it takes connections
            return await reader.readexactly(1) == b"R"
        case ProbeKind.REDIS:
            return await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"
        case ProbeKind.AMQP:  # a method frame: Connection.Start
            return await reader.readexactly(1) == b"\x01"
        case ProbeKind.SMTP:
            return (await reader.readline()).startswith(b"220")
        case ProbeKind.TCP:
            return True


def _unverified() -> ssl.SSLContext:
    """Return a context for asking a server of our own on loopback, whatever its certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
