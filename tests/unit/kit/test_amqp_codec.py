"""The hot path's frames are the ones that pamqp, written by others, reads and writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import body as pamqp_body
from pamqp import commands, header
from pamqp import frame as pamqp_frame

from kourse.kit.amqp import MalformedError, Message, codec, values

SHORT = st.text(max_size=40)
FIELDS = st.dictionaries(
    st.text(min_size=1, max_size=20),
    st.text(max_size=40) | st.integers(-(2**63), 2**63 - 1) | st.booleans(),
    max_size=8,
)


def frames_of(data):
    """Each frame of a stream, as bytes."""
    frames = []
    while data:
        used = pamqp_frame.unmarshal(data)[0]
        frames.append(data[:used])
        data = data[used:]
    return frames


def published(data):
    """What pamqp makes of the frames of one message: the method, the header and the body."""
    method, content, *bodies = (pamqp_frame.unmarshal(frame)[2] for frame in frames_of(data))
    return method, content, bodies


def delivery(tag, body, *, headers=None, channel=1, frame_max=64, redelivered=False):
    """A delivery as a broker would send it."""
    most = frame_max - codec.OVERHEAD
    properties = commands.Basic.Properties(content_type="text/plain", headers=headers)
    pieces = [body[at : at + most] for at in range(0, len(body), most)]
    return b"".join(
        pamqp_frame.marshal(frame, channel)
        for frame in (
            commands.Basic.Deliver("reader", tag, redelivered, "exchange", "a.key"),
            header.ContentHeader(0, len(body), properties),
            *map(pamqp_body.ContentBody, pieces),
        )
    )


def publication(body, *, frame_max=131_072):
    headers = values.encoded_fields({"a": "b"})
    return codec.publication(
        3,
        codec.route("kourse.events", "a.key", mandatory=True),
        codec.properties(
            content_type="application/json", headers=headers, message_id="m1", message_type="kind"
        ),
        body,
        frame_max=frame_max,
    )


class TestTable:
    @given(FIELDS)
    def test_comes_back_as_it_went(self, fields):
        encoded = values.table(values.encoded_fields(fields))
        assert values.read_table(b"xx" + encoded, 2) == (fields, len(encoded) + 2)

    @given(FIELDS)
    def test_is_what_pamqp_understands(self, fields):
        properties = b"\x20\x00" + values.table(values.encoded_fields(fields))
        content = b"\x00\x3c\x00\x00" + bytes(8) + properties
        frame = b"\x02\x00\x01" + len(content).to_bytes(4, "big") + content + b"\xce"
        assert (pamqp_frame.unmarshal(frame)[2].properties.headers or {}) == fields

    def test_holds_what_a_broker_says_about_dead_letters(self):
        death = {"x-death": [{"count": 2, "queue": "q", "routing-keys": ["a", "b"]}], "n": None}
        content = header.ContentHeader(0, 0, commands.Basic.Properties(headers=death))
        assert values.read_fields(Message(1, False, content.marshal(), b"").fields) == death

    def test_refuses_a_name_that_is_too_long(self):
        with pytest.raises(MalformedError):
            values.encoded_fields({"n" * 256: "value"})

    def test_refuses_a_value_of_no_type(self):
        with pytest.raises(MalformedError):
            values.encoded_fields({"name": object()})

    @given(FIELDS.filter(bool), st.data())
    def test_that_is_cut_off_is_malformed(self, fields, data):
        encoded = values.table(values.encoded_fields(fields))
        cut = data.draw(st.integers(0, len(encoded) - 1))
        with pytest.raises(MalformedError):
            values.read_table(encoded[:cut], 0)


class TestPublication:
    def test_says_where_the_message_goes_and_what_it_is(self):
        method, content, bodies = published(publication(b"{}"))
        assert (method.exchange, method.routing_key) == ("kourse.events", "a.key")
        assert method.mandatory
        assert not method.immediate
        properties = content.properties
        assert (properties.content_type, properties.message_id) == ("application/json", "m1")
        assert (properties.message_type, properties.delivery_mode) == ("kind", 2)
        assert properties.headers == {"a": "b"}
        assert [body.value for body in bodies] == [b"{}"]

    @given(st.binary(max_size=400), st.integers(16, 128))
    def test_is_cut_to_the_frame_size(self, body, frame_max):
        _, content, bodies = published(publication(body, frame_max=frame_max))
        assert content.body_size == len(body)
        assert b"".join(piece.value for piece in bodies) == body
        assert all(len(piece.value) + codec.OVERHEAD <= frame_max for piece in bodies)

    def test_refuses_an_address_that_is_too_long(self):
        with pytest.raises(MalformedError):
            codec.route("kourse.events", "k" * 256, mandatory=False)


class TestSettlement:
    @pytest.mark.parametrize("multiple", [True, False])
    def test_acknowledges(self, multiple):
        frame = codec.ack(7, 2**40, multiple=multiple)
        used, channel, method = pamqp_frame.unmarshal(frame)
        assert (used, channel) == (len(frame), 7)
        assert isinstance(method, commands.Basic.Ack)
        assert (method.delivery_tag, method.multiple) == (2**40, multiple)

    @pytest.mark.parametrize("requeue", [True, False])
    def test_rejects(self, requeue):
        _, _, method = pamqp_frame.unmarshal(codec.reject(7, 5, requeue=requeue))
        assert isinstance(method, commands.Basic.Reject)
        assert (method.delivery_tag, method.requeue) == (5, requeue)


class TestDecoder:
    @given(
        st.lists(st.tuples(st.integers(1, 3), st.binary(max_size=300), FIELDS), max_size=6),
        st.data(),
    )
    def test_puts_messages_together_however_they_are_cut(self, sent, data):
        stream = b"".join(
            delivery(tag, body, headers=fields or None, channel=channel)
            for tag, (channel, body, fields) in enumerate(sent, start=1)
        )
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
        decoder, got = codec.Decoder(), []
        for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            got += decoder.feed(stream[start:stop])
        assert [(n, m.tag, m.body, values.read_fields(m.fields)) for n, m in got] == [
            (channel, tag, body, fields)
            for tag, (channel, body, fields) in enumerate(sent, start=1)
        ]

    def test_keeps_channels_apart_whose_content_is_interleaved(self):
        streams = delivery(1, b"a" * 100), delivery(9, b"b" * 100, channel=2)
        frames = map(frames_of, streams)
        mixed = b"".join(piece for pair in zip(*frames, strict=True) for piece in pair)
        got = list(codec.Decoder().feed(mixed))
        assert [(n, m.tag, m.body) for n, m in got] == [(1, 1, b"a" * 100), (2, 9, b"b" * 100)]

    def test_tells_a_redelivery(self):
        ((_, message),) = codec.Decoder().feed(delivery(1, b"x", redelivered=True))
        assert message.redelivered

    def test_reads_a_returned_message(self):
        returned = commands.Basic.Return(312, "NO_ROUTE", "kourse.events", "a.key")
        properties = commands.Basic.Properties(message_id="m1")
        stream = b"".join(
            pamqp_frame.marshal(frame, 1)
            for frame in (returned, header.ContentHeader(0, 1, properties))
        )
        stream += pamqp_frame.marshal(pamqp_body.ContentBody(b"x"), 1)
        ((_, message),) = codec.Decoder().feed(stream)
        assert (message.tag, message.properties.message_id) == (0, "m1")

    def test_hands_every_other_method_through(self):
        stream = codec.method(2, commands.Basic.Nack(5, multiple=True)) + codec.HEARTBEAT
        (channel, nack), (_, beat) = codec.Decoder().feed(stream)
        assert channel == 2
        assert isinstance(nack, commands.Basic.Nack)
        assert nack.multiple
        assert isinstance(beat, codec.Heartbeat)

    @pytest.mark.parametrize(
        "stream",
        [
            b"\x01\x00\x01\x00\x00\x00\x01xx",
            b"\x09\x00\x01\x00\x00\x00\x00\xce",
            b"\x03\x00\x01\x00\x00\x00\x01x\xce",
            b"\x02\x00\x01\x00\x00\x00\x01x\xce",
            b"\x01\x00\x01\x00\x00\x00\x04\xff\xff\xff\xff\xce",
            delivery(1, b"")[:60] + codec.method(1, commands.Basic.Nack(1)),
        ],
        ids=["no end", "no such type", "body first", "header first", "no method", "cut short"],
    )
    def test_refuses_what_is_no_amqp(self, stream):
        with pytest.raises(MalformedError):
            list(codec.Decoder().feed(stream))
