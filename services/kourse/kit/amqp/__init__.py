"""A small AMQP 0-9-1 client for the two hot paths: publishing with confirms, and reading, in batches.

Everything else (topology, work queues, single messages) goes through aio-pika in ``kit.bus``, which also
opens these::

    async with broker.publishing() as publisher:
        batch = await publisher.send(messages)          # several batches may be in flight
        await publisher.settled(batch, timeout_s=10)
        refused = [i for i in range(len(messages)) if batch.refusal(i)]

    async with broker.reading(queue, prefetch=256, stopping=stopping) as reader:
        while messages := await reader.batch():         # all that has arrived; none on a stop
            ...                                         # message.fields, .body, .redelivered
            reader.ack(messages[-1].tag)                # this one and all before it
            # or one by one: reader.ack(tag, multiple=False), reader.reject(tag)

Both raise ``LostError`` inside the block and ``Unavailable`` (with it as the cause) out of the block once
the connection or channel is gone; its ``code`` is ``NOT_FOUND`` when the queue or exchange is missing.
"""

from kourse.kit.amqp.codec import Message
from kourse.kit.amqp.connection import NOT_FOUND, Connection, LostError
from kourse.kit.amqp.publisher import Batch, Publication, Publisher
from kourse.kit.amqp.reader import Reader
from kourse.kit.amqp.values import MalformedError

__all__ = [
    "NOT_FOUND",
    "Batch",
    "Connection",
    "LostError",
    "MalformedError",
    "Message",
    "Publication",
    "Publisher",
    "Reader",
]
