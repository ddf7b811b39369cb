"""The audit trail as services see it: what they record reaches identity, which seals it.

An act is recorded in its own transaction (``recording``); a denial has none, so it is noted in memory and
told of at once (``denials``). ``Forwarder`` hands both to the ``Trail`` of identity.
"""

from kourse.kit.audit.denials import Denials
from kourse.kit.audit.entries import DENIED, REFUSED, Entry, Trail

__all__ = ["DENIED", "REFUSED", "Denials", "Entry", "Trail"]
