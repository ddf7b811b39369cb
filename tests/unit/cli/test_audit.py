"""``kourse audit``: verifies a trail from a file or from a gateway, and says what is wrong with it."""

import json
import stat
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from kourse.cli.main import app
from kourse.rules.audit_chain import GENESIS, hash_of

MOST = 3
"""Entries after which the gateway of these tests breaks an export off."""


def trail(count):
    """Sealed entries."""
    entries, previous = [], GENESIS
    for seq in range(1, count + 1):
        entry = dict.fromkeys(("id", "at", "sealedAt", "source", "actor", "target"), "x")
        entry |= {"tenant": "demo", "seq": seq, "action": "auth.login", "outcome": "done"}
        entry |= {"detail": {}, "correlation": "", "addressDigest": None, "previous": previous}
        entry |= {"hash": hash_of(entry), "address": None, "salt": None}
        previous = entry["hash"]
        entries.append(entry)
    return entries


class Gateway(BaseHTTPRequestHandler):
    """Gives the audit trail of its server, in answers that break off after some entries."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        entries = self.server.entries
        if address.path == "/v1/audit/head":
            self._answer(json.dumps({"seq": len(entries), "hash": entries[-1]["hash"]}).encode())
        elif address.path == "/v1/audit/entries":
            shown = entries[::-1][: int(query["limit"])]
            self._answer(json.dumps({"items": shown, "next": None}).encode())
        else:
            rest = entries[int(query["after"]) :]
            text = "".join(json.dumps(entry) + "\n" for entry in rest[:MOST])
            is_whole = len(rest) <= MOST
            self._answer(text.encode() + (b"" if is_whole else b'{"seq": '), is_whole=is_whole)

    def _answer(self, body, *, is_whole=True):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + (0 if is_whole else 1)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = not is_whole

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def gateway():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.entries = trail(8)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def kourse(gateway, monkeypatch):
    """Runs the command against the gateway."""
    monkeypatch.setenv("KOURSE_URL", f"http://127.0.0.1:{gateway.server_port}")
    monkeypatch.setenv("KOURSE_TOKEN", "token")
    return lambda *words: CliRunner().invoke(app, ["audit", *map(str, words)])


@pytest.fixture
def file(tmp_path):
    """Writes entries into a file."""

    def write(entries):
        path = tmp_path / "trail.ndjson"
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        return path

    return write


class TestVerify:
    def test_follows_a_file_to_its_head(self, kourse, file):
        entries = trail(4)
        done = kourse("verify", file(entries))
        assert done.exit_code == 0
        assert done.output == f"Whole: 4 entries.\nHead 4:{entries[-1]['hash']}\n"

    def test_names_the_first_entry_that_was_changed(self, kourse, file):
        entries = trail(4)
        entries[2]["actor"] = "somebody else"
        done = kourse("verify", file(entries), "-o", "json")
        assert done.exit_code == 2
        result = json.loads(done.output)
        assert (result["valid"], result["entries"]) == (False, 2)
        assert result["firstBroken"]["seq"] == 3
        assert "changed" in result["firstBroken"]["reason"]

    def test_finds_an_end_that_was_cut_off_when_the_head_was_noted(self, kourse, file):
        entries = trail(4)
        noted = f"4:{entries[-1]['hash']}"
        assert kourse("verify", file(entries), "--noted", noted).exit_code == 0
        done = kourse("verify", file(entries[:3]), "--noted", noted)
        assert done.exit_code == 2
        assert "entry 4" in done.output

    def test_takes_a_part_only_when_told_so(self, kourse, file):
        part = trail(6)[2:4]
        assert kourse("verify", file(part)).exit_code == 2
        assert kourse("verify", file(part), "--partial").exit_code == 0

    def test_finds_a_line_that_is_no_entry(self, kourse, tmp_path):
        path = tmp_path / "trail.ndjson"
        path.write_text("SEQ,AT\n")
        assert kourse("verify", path).exit_code == 2

    def test_refuses_a_head_that_is_none(self, kourse, file):
        done = kourse("verify", file(trail(1)), "--noted", "4")
        assert done.exit_code == 1

    def test_reads_the_platforms_trail_on_after_an_answer_broke_off(self, kourse, gateway):
        done = kourse("verify", "-o", "json")
        assert done.exit_code == 0, done.output
        head = {"seq": 8, "hash": gateway.entries[-1]["hash"]}
        assert json.loads(done.output)["head"] == head


class TestExport:
    def test_is_whole_after_answers_broke_off_and_for_nobody_else(self, kourse, tmp_path):
        path = tmp_path / "trail.ndjson"
        done = kourse("export", path)
        assert done.exit_code == 0, done.output
        assert kourse("verify", path).exit_code == 0
        assert len(path.read_text().splitlines()) == 8
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


class TestList:
    def test_shows_the_newest(self, kourse):
        done = kourse("list", "--limit", "2")
        assert done.exit_code == 0, done.output
        lines = done.output.splitlines()
        assert lines[0].split() == [
            "NUMBER",
            "AT",
            "ACTOR",
            "ACTION",
            "TARGET",
            "OUTCOME",
            "ADDRESS",
        ]
        assert [line.split()[0] for line in lines[1:]] == ["8", "7"]
