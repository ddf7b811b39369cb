"""A service that only tells: its outbox in the real database, and its relay."""

from kourse.kit.db import Database
from kourse.kit.outbox import Relay, emit


class Sibling:
    """A sibling's outbox and its relay."""

    def __init__(self, scratch, broker, name):
        self.database = Database(scratch.url(f"kourse_{name}"), name, pool_size=1)
        self.worker = Database(scratch.url(f"kourse_{name}_worker"), name, pool_size=1)
        self._broker = broker

    @property
    def relay(self):
        """A relay of its outbox, a new one each time: a relay lives once."""
        return Relay(self.worker, self._broker)

    async def tell(self, *told):
        """Events, each in a transaction of its own."""
        for event in told:
            async with self.database.transaction("demo") as tx:
                await emit(tx, event)

    async def close(self):
        await self.database.close()
        await self.worker.close()
