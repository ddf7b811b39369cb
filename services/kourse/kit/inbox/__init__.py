"""The incoming half of the event backbone: each event takes effect once, in order per entity.

The inbox row, the cursor and the effect are one transaction, so the database alone decides what happened;
the broker may deliver as often as it likes. A back end that is down holds the messages in place, since
sending them back would change the order. An event that fails for a reason of its own is parked with its
entity, and all other entities go on. An event that never came is fetched from its producer's archive.
"""

from kourse.kit.delivery import Delivery
from kourse.kit.inbox.consumer import Consumer, Pace
from kourse.kit.inbox.gaps import Archive
from kourse.kit.inbox.handlers import Handlers
from kourse.kit.inbox.taking import Inbox

__all__ = ["Archive", "Consumer", "Delivery", "Handlers", "Inbox", "Pace"]
