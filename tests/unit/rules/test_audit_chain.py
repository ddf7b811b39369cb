"""The hash chain of the audit trail: whatever is done to entries is found, at the first that is wrong."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.rules.audit_chain import (
    GENESIS,
    SEALED,
    Chain,
    ChainBroken,
    address_digest,
    canonical,
    hash_of,
    plain,
)

SALT = bytes(range(32))
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


def sealed(actions, tenant="demo", address="192.0.2.7"):
    """A trail of these acts."""
    entries, previous = [], GENESIS
    for seq, action in enumerate(actions, 1):
        entry = {
            "tenant": tenant,
            "seq": seq,
            "id": f"id-{seq}",
            "at": "2026-01-31T08:00:00.000000Z",
            "sealedAt": "2026-01-31T08:00:01.000000Z",
            "source": "identity",
            "actor": "ana",
            "action": action,
            "target": "bo",
            "outcome": "done",
            "detail": {"roles": ["learner"], "count": seq},
            "correlation": "abc",
            "addressDigest": address_digest(SALT, address),
            "previous": previous,
        }
        entry |= {"hash": hash_of(entry), "address": address, "salt": SALT.hex()}
        previous = entry["hash"]
        entries.append(entry)
    return entries


def resealed(entries):
    """The entries as somebody leaves them who seals each of them anew, but none of those behind."""
    return [entry | {"hash": hash_of(entry)} for entry in entries]


def broken(entries, **options):
    """The number at which the trail is found to be broken, or None."""
    chain = Chain(**options)
    try:
        for entry in entries:
            chain.follow(entry)
        chain.end()
    except ChainBroken as found:
        return found.seq
    return None


trails = st.lists(TEXTS, min_size=2, max_size=8).map(sealed)


@st.composite
def trail_and_place(draw):
    entries = draw(trails)
    return entries, draw(st.integers(0, len(entries) - 1))


class TestCanonicalForm:
    def test_is_that_of_rfc_8785_for_what_entries_hold(self):
        told = {"b": [True, None, -7], "a": '€$\u000f\nA\'B"\\\\"/é\u007f'}
        expected = '{"a":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/é\u007f","b":[true,null,-7]}'
        assert canonical(told).decode() == expected

    @pytest.mark.parametrize("value", [1.5, 2**53, {"a": [0.0]}, {"ä": 1}])
    def test_refuses_what_readers_of_json_may_write_otherwise(self, value):
        with pytest.raises(ValueError, match="entry"):
            canonical(value)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
            ),
            max_leaves=8,
        )
    )
    def test_exists_for_whatever_was_made_plain_and_outlives_json(self, value):
        made = plain(value)
        assert canonical(json.loads(json.dumps(made))) == canonical(made)

    def test_is_what_a_hash_is_made_of(self):
        (entry,) = sealed(["auth.login"])
        text = canonical({name: entry[name] for name in SEALED})
        assert entry["hash"] == hashlib.sha256(b"kourse.audit.v1\n" + text).hexdigest()


class TestWholeTrail:
    @given(trails)
    def test_is_followed_to_its_end(self, entries):
        assert broken(entries) is None

    @given(trails)
    def test_is_the_one_whose_head_was_noted(self, entries):
        assert broken(entries, noted=(1, entries[0]["hash"])) is None

    @given(trail_and_place())
    def test_stays_whole_when_an_address_is_erased(self, given_):
        entries, place = given_
        entries[place] |= {"address": None, "salt": None}
        chain = Chain()
        for entry in entries:
            chain.follow(entry)
        assert (chain.count, chain.erased) == (len(entries), 1)


class TestTamperedTrail:
    @given(trail_and_place(), st.sampled_from([*SEALED, "hash"]), TEXTS)
    def test_is_found_where_a_member_was_changed(self, given_, name, other):
        entries, place = given_
        changed = {**entries[place], name: f"changed {other}"}
        entries[place] = changed
        assert broken(entries) == place + 1

    @given(trail_and_place(), st.sampled_from(["actor", "action", "outcome", "detail"]))
    def test_is_found_behind_an_entry_that_was_changed_and_sealed_anew(self, given_, name):
        entries, place = given_
        entries[place] = resealed([entries[place] | {name: "changed"}])[0]
        expected = place + 2 if place + 1 < len(entries) else None
        assert broken(entries) == expected
        original = entries[place] | {name: "other"}
        assert broken(entries, noted=(place + 1, hash_of(original))) == place + 1

    @given(trail_and_place())
    def test_is_found_where_an_entry_was_removed(self, given_):
        entries, place = given_
        noted = (entries[-1]["seq"], entries[-1]["hash"])
        assert broken(entries[:place] + entries[place + 1 :], noted=noted) == place + 1

    @given(trails)
    def test_is_found_where_its_end_was_cut_off(self, entries):
        noted = (entries[-1]["seq"], entries[-1]["hash"])
        assert broken(entries[:1], noted=noted) == 2

    @given(trail_and_place(), st.data())
    def test_is_found_where_entries_changed_places(self, given_, data):
        entries, place = given_
        other = data.draw(st.integers(0, len(entries) - 1).filter(lambda index: index != place))
        entries[place], entries[other] = entries[other], entries[place]
        assert broken(entries) == min(place, other) + 1

    @given(trail_and_place())
    def test_is_found_where_an_entry_was_put_in_between(self, given_):
        entries, place = given_
        forged = resealed([entries[place] | {"action": "forged"}])[0]
        assert broken([*entries[:place], forged, *entries[place:]]) == place + 1

    @given(trail_and_place())
    def test_is_found_where_an_address_was_changed(self, given_):
        entries, place = given_
        entries[place] = entries[place] | {"address": "198.51.100.9"}
        assert broken(entries) == place + 1

    def test_is_found_when_all_of_it_was_sealed_anew(self):
        was = sealed(["a", "b", "c"])
        assert broken(sealed(["a", "x", "c"]), noted=(3, was[-1]["hash"])) == 3

    def test_is_found_when_it_is_another_tenants(self):
        north, south = sealed(["a", "b"]), sealed(["a", "b"], tenant="south")
        assert broken([north[0], south[1]]) == 2

    @pytest.mark.parametrize("line", [{}, {"seq": "1"}, {"seq": 1}, {"seq": True}])
    def test_is_found_where_something_is_no_entry(self, line):
        assert broken([line]) == 1


class TestPartialTrail:
    @given(trails, st.data())
    def test_may_lack_entries(self, entries, data):
        kept = data.draw(st.lists(st.sampled_from(entries), unique_by=lambda one: one["seq"]))
        assert broken(sorted(kept, key=lambda one: one["seq"]), is_partial=True) is None

    @given(trail_and_place())
    def test_is_found_where_an_entry_was_changed(self, given_):
        entries, place = given_
        changed = entries[place] | {"actor": "somebody else"}
        assert broken([changed], is_partial=True) == place + 1

    def test_is_found_where_neighbours_do_not_belong_together(self):
        entries = sealed(["a", "b", "c"])
        entries[1] = resealed([entries[1] | {"actor": "somebody else"}])[0]
        assert broken(entries[1:], is_partial=True) == 3
