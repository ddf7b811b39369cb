"""Service clients: secrets by digest, audiences by list."""

import hashlib
import json

import pytest
from pydantic import ValidationError

from kourse.identity.errors import AudienceRefused, ClientRejected
from kourse.identity.service.clients import Clients


@pytest.fixture
def clients(tmp_path):
    digest = hashlib.sha256(b"right").hexdigest()
    path = tmp_path / "clients.json"
    path.write_text(json.dumps({"dashboard": {"secretSha256": digest, "audiences": ["course"]}}))
    return Clients.load(path)


class TestEnsureAllowed:
    @pytest.mark.parametrize(
        ("client", "secret"),
        [("dashboard", "wrong"), ("dashboard", ""), ("nobody", "right"), ("", "")],
    )
    def test_refuses_a_wrong_secret_and_an_unknown_client_alike(self, clients, client, secret):
        with pytest.raises(ClientRejected):
            clients.ensure_allowed(client, secret, "course")

    def test_refuses_an_audience_that_is_not_the_clients(self, clients):
        with pytest.raises(AudienceRefused):
            clients.ensure_allowed("dashboard", "right", "identity")

    def test_lets_the_client_call_whom_it_may(self, clients):
        clients.ensure_allowed("dashboard", "right", "course")


class TestLoad:
    def test_knows_nobody_without_a_file(self):
        with pytest.raises(ClientRejected):
            Clients.load(None).ensure_allowed("dashboard", "right", "course")

    def test_refuses_a_file_with_a_plain_secret(self, tmp_path):
        path = tmp_path / "clients.json"
        path.write_text(json.dumps({"dashboard": {"secretSha256": "right", "audiences": []}}))

        with pytest.raises(ValidationError):
            Clients.load(path)
