"""What the relay writes into headers is what consumers read out of them."""

import traceback
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from kourse.contracts.events import GroupJoined
from kourse.kit.amqp import values
from kourse.kit.delivery import (
    PREFIX,
    Outgoing,
    UndecodableError,
    UnknownEventError,
    delivery_in,
    delivery_of,
    encoded_headers,
    event_of,
    headers_of,
)

COHORT = uuid4()
EVENT = GroupJoined(cohort_id=COHORT, cohort="a", learner_id=uuid4(), courses=["statistics"])
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ROW = Outgoing(
    id=1,
    event_id=UUID(int=9),
    tenant="demo",
    stream="group",
    entity=str(COHORT),
    seq=3,
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    type="profile.group.joined",
    version=1,
    payload=EVENT.model_dump_json(),
    headers={"exam": "x"},
    routing_key="key",
    part=0,
    traceparent=TRACE,
    created_at=datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC),
)


def from_encoded(headers):
    return delivery_in(values.encoded_fields(headers))


either_way = pytest.mark.parametrize("read", [delivery_of, from_encoded], ids=["read", "encoded"])


class TestHeaders:
    def test_are_cloud_events_attributes(self):
        headers = headers_of(ROW)
        assert headers[f"{PREFIX}specversion"] == "1.0"
        assert headers[f"{PREFIX}id"] == str(ROW.event_id)
        assert headers[f"{PREFIX}type"] == "profile.group.joined"
        assert headers[f"{PREFIX}source"] == "/kourse/profile"
        assert headers[f"{PREFIX}subject"] == str(COHORT)
        assert headers[f"{PREFIX}time"] == "2026-01-02T03:04:05.000600Z"
        assert headers[f"{PREFIX}dataschema"].endswith("/profile.group.joined/1")
        assert headers[f"{PREFIX}sequence"] == 3

    @pytest.mark.parametrize(
        "row",
        [ROW, ROW._replace(traceparent=None), ROW._replace(headers={}), ROW._replace(type="a.b.c")],
        ids=["whole", "no trace", "no headers", "unknown type"],
    )
    def test_are_encoded_as_they_are_read(self, row):
        encoded = values.table(encoded_headers(row))
        assert values.read_table(encoded, 0) == (headers_of(row), len(encoded))

    def test_carry_the_rows_own_headers_and_the_trace(self):
        headers = headers_of(ROW)
        assert headers["exam"] == "x"
        assert headers[f"{PREFIX}traceparent"] == TRACE
        assert headers["traceparent"] == TRACE

    @either_way
    def test_come_back_as_the_same_envelope(self, read):
        delivery = read(headers_of(ROW))
        assert (delivery.id, delivery.tenant, delivery.type) == (ROW.event_id, "demo", ROW.type)
        assert (delivery.stream, delivery.entity, delivery.seq) == ("group", str(COHORT), 3)
        assert (delivery.time, delivery.started_at) == (ROW.created_at, ROW.started_at)
        assert delivery.traceparent == TRACE
        assert delivery.headers == headers_of(ROW)

    @pytest.mark.parametrize("row", [ROW, ROW._replace(traceparent=None, headers={})])
    def test_are_read_where_they_stand_or_by_their_names(self, row):
        named = delivery_of(headers_of(row))
        shuffled = dict(sorted(headers_of(row).items(), reverse=True))
        for found in (delivery_in(encoded_headers(row)), from_encoded(shuffled)):
            assert found._replace(wire=b"") == named._replace(wire=b"")

    @pytest.mark.parametrize("end", range(0, 500, 7))
    def test_are_no_event_when_they_are_cut_off(self, end):
        with pytest.raises((UndecodableError, values.MalformedError)):
            delivery_in(encoded_headers(ROW)[:end])

    @either_way
    @pytest.mark.parametrize(
        "name", ["id", "type", "subject", "time", "tenant", "stream", "sequence", "dataschema"]
    )
    def test_are_no_event_when_one_is_missing(self, name, read):
        headers = headers_of(ROW)
        del headers[PREFIX + name]
        with pytest.raises(UndecodableError):
            read(headers)

    @either_way
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("id", 7),
            ("id", "7"),
            ("tenant", ""),
            ("subject", "a\0b"),
            ("sequence", -1),
            ("sequence", "many"),
            ("time", "2026-01-01"),
            ("time", None),
            ("dataschema", "no-version"),
        ],
    )
    def test_are_no_event_when_one_is_malformed(self, name, value, read):
        with pytest.raises(UndecodableError):
            read(headers_of(ROW) | {PREFIX + name: value})

    @pytest.mark.parametrize(("name", "value"), [("tenant", b"demo"), ("sequence", 2**63)])
    def test_are_no_event_when_parked_ones_hold_what_no_table_can(self, name, value):
        with pytest.raises(UndecodableError):
            delivery_of(headers_of(ROW) | {PREFIX + name: value})


class TestEvent:
    def test_is_the_catalogs_class(self):
        assert event_of(delivery_of(headers_of(ROW)), ROW.payload) == EVENT

    def test_may_have_fields_that_this_build_does_not_know(self):
        payload = ROW.payload.replace("{", '{"later": 1, ', 1)
        assert event_of(delivery_of(headers_of(ROW)), payload) == EVENT

    @pytest.mark.parametrize("payload", ["", "[]", "{}", '{"cohort_id": 3}', "\x00"])
    def test_is_unknown_when_the_payload_does_not_fit(self, payload):
        with pytest.raises(UnknownEventError):
            event_of(delivery_of(headers_of(ROW)), payload)

    def test_is_unknown_without_telling_what_the_payload_holds(self):
        payload = ROW.payload.replace(str(COHORT), "secret-value")
        with pytest.raises(UnknownEventError) as raised:
            event_of(delivery_of(headers_of(ROW)), payload)
        assert "cohort_id: uuid_parsing" in str(raised.value)
        assert "secret-value" not in "".join(traceback.format_exception(raised.value))

    def test_is_unknown_when_it_speaks_of_another_entity(self):
        headers = headers_of(ROW) | {f"{PREFIX}subject": str(uuid4())}
        with pytest.raises(UnknownEventError):
            event_of(delivery_of(headers), ROW.payload)
