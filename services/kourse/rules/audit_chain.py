"""The hash chain of a tenant's audit trail: how entries are sealed, and how one finds what was changed.

Each entry is sealed by SHA-256 over its canonical JSON (RFC 8785), in which the hash of the entry before
stands. So no entry can be changed, removed, moved or put in between without every later hash changing.
A network address is personal and has to be erasable: the sealed text holds only its HMAC-SHA-256 under a
salt that is kept beside the address and goes with it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SEALED = (
    "tenant",
    "seq",
    "id",
    "at",
    "sealedAt",
    "source",
    "actor",
    "action",
    "target",
    "outcome",
    "detail",
    "correlation",
    "addressDigest",
    "previous",
)
"""Members of an entry that its hash covers."""
GENESIS = "0" * 64
"""What the first entry names as the hash before it."""
MAX_INTEGER = 2**53 - 1
"""Largest number that every reader of JSON keeps exactly."""
_DOMAIN = b"kourse.audit.v1\n"

Entry = Mapping[str, Any]
"""An entry as it is exported: what ``SEALED`` names, its ``hash``, and ``address`` and ``salt`` or null."""


class ChainBroken(Exception):
    """The trail is not what was sealed.

    Attributes:
        seq: Number of the first entry that is wrong or missing.
        reason: What is wrong with it.
    """

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"entry {seq}: {reason}")
        self.seq = seq
        self.reason = reason


def canonical(value: Any) -> bytes:
    """The RFC 8785 text of what ``plain`` leaves, for objects whose keys are ASCII.

    Raises:
        ValueError: There is a number that is no exact integer, or a key that is not ASCII.
    """
    _refuse_inexact(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def plain(value: Any) -> Any:
    """The value as exact JSON: whatever is no text, truth, list, object or exact integer becomes text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= MAX_INTEGER:
        return int(value)
    if isinstance(value, Mapping):
        return {
            str(name).encode("ascii", "replace").decode(): plain(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value).replace("\x00", "\ufffd").encode(errors="replace").decode()


def hash_of(entry: Entry) -> str:
    """SHA-256 of the entry's sealed members, in hexadecimal.

    Raises:
        ValueError: As ``canonical``.
        KeyError: A member is missing.
    """
    text = canonical({name: entry[name] for name in SEALED})
    return hashlib.sha256(_DOMAIN + text).hexdigest()


def address_digest(salt: bytes, address: str) -> str:
    """What an entry says of a network address: nothing to whoever lacks the salt."""
    return hmac.digest(salt, address.encode(), "sha256").hex()


@dataclass
class Chain:
    """Follows a trail entry by entry, from its first.

    Attributes:
        seq: Number of the last entry that was followed.
        hash: Its hash.
        count: Entries followed.
        erased: Those of them whose address was erased.
        is_partial: Whether entries may be left out, as in an export with filters: then each is checked
            by itself, and against its neighbours where they are there.
        noted: A number and the hash that it is known to have, from an earlier look at the trail; what
            finds a trail that was cut off at its end or sealed anew as a whole.
    """

    seq: int = 0
    hash: str = GENESIS
    count: int = 0
    erased: int = 0
    is_partial: bool = False
    noted: tuple[int, str] | None = None
    _tenant: str = ""

    def follow(self, entry: Entry) -> None:
        """The entry is the next of the chain and unchanged.

        Raises:
            ChainBroken: It is not; names the first number that is wrong.
        """
        seq = entry.get("seq")
        if not isinstance(seq, int) or isinstance(seq, bool):
            raise ChainBroken(self.seq + 1, "it is no entry of an audit trail.")
        self._follow_number(seq)
        self._ensure_unchanged(seq, entry)
        if self.noted and self.noted[0] == seq and self.noted[1] != entry["hash"]:
            raise ChainBroken(seq, "its hash is not the one that was noted.")
        self.erased += entry["addressDigest"] is not None and entry.get("address") is None
        self.seq, self.hash, self.count = seq, entry["hash"], self.count + 1

    def end(self) -> None:
        """Nothing is missing behind the last entry, as far as that can be known.

        Raises:
            ChainBroken: The trail ends before the entry that was noted.
        """
        if self.noted and not self.is_partial and self.seq < self.noted[0]:
            raise ChainBroken(self.seq + 1, "it is missing, and so is all up to the one noted.")

    def _follow_number(self, seq: int) -> None:
        if seq <= self.seq:
            raise ChainBroken(seq, f"it stands behind number {self.seq}.")
        if seq > self.seq + 1 and not self.is_partial:
            raise ChainBroken(self.seq + 1, "it is missing.")

    def _ensure_unchanged(self, seq: int, entry: Entry) -> None:
        try:
            found = hash_of(entry)
        except (KeyError, ValueError):
            raise ChainBroken(seq, "it lacks something or holds what no entry holds.") from None
        tenant = str(entry["tenant"])
        if self._tenant not in {"", tenant}:
            raise ChainBroken(seq, "it is another tenant's.")
        self._tenant = tenant
        if found != entry.get("hash"):
            raise ChainBroken(seq, "it was changed: its hash is another one.")
        is_next = seq == self.seq + 1 and (self.count > 0 or seq == 1)
        if is_next and entry["previous"] != self.hash:
            raise ChainBroken(seq, "it was not sealed behind the entry before it.")
        _ensure_address(seq, entry)


def _ensure_address(seq: int, entry: Entry) -> None:
    address, salt = entry.get("address"), entry.get("salt")
    if address is None:
        return
    try:
        digest = address_digest(bytes.fromhex(salt or ""), str(address))
    except (TypeError, ValueError):
        digest = ""
    if digest != entry["addressDigest"]:
        raise ChainBroken(seq, "its address was changed.")


def _refuse_inexact(value: Any) -> None:
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > MAX_INTEGER):
        raise ValueError("an entry holds exact integers only")
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise ValueError("an entry's keys are ASCII")
            _refuse_inexact(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_inexact(item)
