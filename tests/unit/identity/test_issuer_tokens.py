"""What ID tokens and logout tokens must say, and what is said in vain."""

import pytest

from kourse.identity.domain.issuer_tokens import LOGOUT_EVENT, Parties, log_out_of, proof_of

NOW = 1_800_000_000
ISSUER = "https://login.example/realms/kourse"
CLIENT = "kourse-browser"
PARTIES = Parties(ISSUER, CLIENT)
COMMON = {
    "iss": ISSUER,
    "aud": CLIENT,
    "iat": NOW - 1,
    "exp": NOW + 60,
    "sub": "s-1",
    "sid": "log-in",
}
PROOF = COMMON | {
    "typ": "ID",
    "azp": CLIENT,
    "nonce": "n",
    "email": "Ana@School.example",
    "email_verified": True,
}
LOG_OUT = COMMON | {"jti": "t-1", "events": {LOGOUT_EVENT: {}}}

OF_OTHERS = [
    pytest.param({"iss": f"{ISSUER}/"}, id="issuer-with-a-slash"),
    pytest.param({"iss": ISSUER.upper()}, id="issuer-in-capitals"),
    pytest.param({"iss": "https://login.example/realms/other"}, id="other-realm"),
    pytest.param({"iss": None}, id="no-issuer"),
    pytest.param({"aud": "kourse-login"}, id="other-client"),
    pytest.param({"aud": [CLIENT, "another"]}, id="for-two-clients"),
    pytest.param({"aud": None}, id="for-nobody"),
    pytest.param({"azp": "another"}, id="asked-for-by-another"),
]
OF_OTHER_TIMES = [
    pytest.param({"exp": NOW - 30}, id="expired"),
    pytest.param({"iat": NOW + 31}, id="of-the-future"),
    pytest.param({"exp": None}, id="endless"),
    pytest.param({"iat": None}, id="without-a-beginning"),
    pytest.param({"exp": True}, id="exp-no-number"),
    pytest.param({"exp": float("inf")}, id="exp-infinite"),
]


def proof(**changes):
    return proof_of(changed(PROOF, changes), PARTIES, nonce="n", now_s=NOW)


def log_out(**changes):
    return log_out_of(changed(LOG_OUT, changes), PARTIES, now_s=NOW)


def changed(claims, changes):
    return {name: value for name, value in (claims | changes).items() if value is not None}


class TestProof:
    def test_is_whom_the_issuer_vouches_for(self):
        found = proof(name="Ana")

        assert (found.subject, found.session, found.display_name) == ("s-1", "log-in", "Ana")
        assert (found.email, found.is_verified) == ("Ana@School.example", True)

    @pytest.mark.parametrize("changes", OF_OTHERS)
    def test_is_refused_between_other_parties(self, changes):
        with pytest.raises(ValueError, match="another"):
            proof(**changes)

    @pytest.mark.parametrize("changes", OF_OTHER_TIMES)
    def test_is_refused_when_it_is_not_of_now(self, changes):
        with pytest.raises(ValueError, match=r"now|without"):
            proof(**changes)

    def test_bears_clocks_that_differ_by_less_than_half_a_minute(self):
        assert proof(exp=NOW - 29, iat=NOW - 90)
        assert proof(iat=NOW + 30)

    @pytest.mark.parametrize("nonce", [None, "", "other", "N"])
    def test_is_refused_with_the_nonce_of_another_attempt(self, nonce):
        with pytest.raises(ValueError, match="attempt"):
            proof(nonce=nonce)

    @pytest.mark.parametrize("kind", ["Bearer", "Refresh", "Logout"])
    def test_is_refused_when_it_is_no_id_token(self, kind):
        with pytest.raises(ValueError, match="ID token"):
            proof(typ=kind)

    @pytest.mark.parametrize("claim", ["true", 1, None, False])
    def test_counts_an_address_as_verified_by_nothing_but_a_plain_true(self, claim):
        assert not proof(email_verified=claim).is_verified

    @pytest.mark.parametrize("subject", [None, "", 7, ["s-1"]])
    def test_is_refused_without_a_subject(self, subject):
        with pytest.raises(ValueError, match=r"nobody|text"):
            proof(sub=subject)


class TestLogOut:
    def test_is_of_one_log_in(self):
        found = log_out()

        assert (found.token_id, found.subject, found.session) == ("t-1", "s-1", "log-in")

    def test_may_be_of_a_session_or_of_a_person_alone(self):
        assert log_out(sub=None).session == "log-in"
        assert log_out(sid=None).subject == "s-1"

    def test_is_refused_when_it_is_of_nobody(self):
        with pytest.raises(ValueError, match="nobody"):
            log_out(sub=None, sid=None)

    @pytest.mark.parametrize("changes", OF_OTHERS)
    def test_is_refused_between_other_parties(self, changes):
        with pytest.raises(ValueError, match="another"):
            log_out(**changes)

    @pytest.mark.parametrize("changes", OF_OTHER_TIMES)
    def test_is_refused_when_it_is_not_of_now(self, changes):
        with pytest.raises(ValueError, match=r"now|without"):
            log_out(**changes)

    @pytest.mark.parametrize(
        "events", [None, {}, [LOGOUT_EVENT], {"another": {}}, {LOGOUT_EVENT: "yes"}]
    )
    def test_is_refused_without_the_event_of_a_log_out(self, events):
        with pytest.raises(ValueError, match="no logout token"):
            log_out(events=events)

    def test_is_refused_with_a_nonce_as_id_tokens_have_one(self):
        with pytest.raises(ValueError, match="ID token"):
            log_out(nonce="n")

    def test_is_refused_without_an_id_as_it_could_be_told_again(self):
        with pytest.raises(ValueError, match="nobody"):
            log_out(jti=None)
