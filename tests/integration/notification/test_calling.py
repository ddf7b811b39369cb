"""Calls of endpoints that nobody can trust, over real sockets."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kourse.notification.errors import AddressForbidden, CallFailed
from kourse.notification.service import calling
from kourse.notification.service.calling import HttpCaller
from support import receivers
from support.receivers import answering, receiving
from support.waiting import LONG_S

pytestmark = pytest.mark.asyncio(loop_scope="module")
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


def caller(timeout_s=LONG_S, permitted=LOOPBACK, **how):
    return HttpCaller(timeout_s=timeout_s, permitted=permitted, **how)


def call(url, **how):
    return caller(**how).post(url, {"webhook-id": "one"}, b"{}")


@pytest_asyncio.fixture(loop_scope="module")
async def receiver():
    async with receiving() as found:
        yield found


class TestCall:
    async def test_gives_back_what_was_answered(self, receiver):
        answer = await call(receiver.url)

        assert (answer.status, answer.retry_after_s) == (204, None)
        (request,) = receiver.requests
        assert (request.target, request.body, request.headers["webhook-id"]) == (
            "/hook",
            b"{}",
            "one",
        )

    async def test_follows_no_redirect(self, receiver):
        receiver.answer = answering(302, f"location: {receiver.url}/elsewhere")

        assert (await call(receiver.url)).status == 302
        assert len(receiver.requests) == 1

    async def test_hears_for_how_long_it_is_to_wait(self, receiver):
        receiver.answer = answering(503, "retry-after: 120")

        assert (await call(receiver.url)).retry_after_s == 120

    @pytest.mark.parametrize("value", ["soon", "-5", "99999999", "Fri, 31 Dec 2027 23:59:59 GMT"])
    async def test_hears_nothing_in_what_is_no_number_of_seconds(self, receiver, value):
        receiver.answer = answering(503, f"retry-after: {value}")

        assert (await call(receiver.url)).retry_after_s is None

    async def test_reads_no_more_of_a_body_than_matters(self, receiver):
        receiver.answer = receivers.flood

        assert (await call(receiver.url)).status == 200

    @pytest.mark.parametrize("lie", [receivers.drip, receivers.drip_head, receivers.silence])
    async def test_waits_no_longer_than_it_may(self, receiver, lie):
        receiver.answer = lie

        with pytest.raises(CallFailed, match="too-slow"):
            await call(receiver.url, timeout_s=0.3)

    async def test_believes_no_answer_that_breaks_off(self, receiver):
        receiver.answer = receivers.reset

        with pytest.raises(CallFailed, match="broken-off"):
            await call(receiver.url)

    @pytest.mark.parametrize("nonsense", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
    async def test_believes_nothing_that_is_no_answer(self, receiver, nonsense):
        receiver.answer = nonsense

        with pytest.raises(CallFailed, match="broken-off"):
            await call(receiver.url)

    async def test_says_that_nobody_listens(self, receiver):
        async with receiving() as gone:
            pass
        with pytest.raises(CallFailed, match="unreachable"):
            await call(gone.url)

    async def test_says_that_there_is_no_such_host(self, monkeypatch):
        async def unknown(*_, **__):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(calling, "look_up", unknown)
        with pytest.raises(CallFailed, match="unknown-host"):
            await call("https://nowhere.invalid/")


class TestForbiddenAddress:
    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001"]
    )
    async def test_is_not_called_however_it_is_written(self, receiver, host):
        with pytest.raises(CallFailed, match=r"address-forbidden|invalid-address"):
            await call(receiver.url.replace("127.0.0.1", host), permitted=[])

        assert receiver.requests == []

    async def test_is_not_called_beside_one_that_may_be(self, receiver, monkeypatch):
        _answering(monkeypatch, ["127.0.0.1", "10.0.0.1"])

        with pytest.raises(AddressForbidden):
            await call(receiver.url.replace("127.0.0.1", "two.example"))

        assert receiver.requests == []

    async def test_is_judged_where_it_is_called(self, receiver, monkeypatch):
        """A name that leads elsewhere when it is looked up again gains nothing: it is looked up once."""
        asked = _answering(monkeypatch, ["127.0.0.1"])

        assert (await call(receiver.url.replace("127.0.0.1", "one.example"))).status == 204
        assert asked == ["one.example"]


def _answering(monkeypatch, addresses):
    """The resolver says that every name leads to these; what it was asked."""
    asked = []

    async def resolve(host, port, *, family):
        asked.append(host)
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(calling, "look_up", resolve)
    return asked


class TestCertificate:
    @pytest.fixture
    def authority(self, tmp_path):
        return certificate(tmp_path, "localhost")

    async def test_is_believed_when_a_known_authority_names_the_host(self, authority):
        server, trusted = authority
        async with receiving(ssl=server) as receiver:
            assert (await call(receiver.url, ssl=trusted)).status == 204

    async def test_is_not_believed_from_a_stranger(self, authority):
        async with receiving(ssl=authority[0]) as receiver:
            with pytest.raises(CallFailed, match="certificate"):
                await call(receiver.url)
            assert receiver.requests == []

    async def test_is_not_believed_for_another_host(self, tmp_path):
        server, trusted = certificate(tmp_path, "elsewhere.example")
        async with receiving(ssl=server) as receiver:
            with pytest.raises(CallFailed, match="certificate"):
                await call(receiver.url, ssl=trusted)

    async def test_is_asked_for(self, receiver):
        with pytest.raises(CallFailed):
            await call(receiver.url.replace("http:", "https:"), timeout_s=0.5)

        assert receiver.requests == []


def certificate(directory, host):
    """A server's context for the host, and a client's that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = directory / "server.pem"
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(encoded + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=file)
