"""What the gateway answers to what nobody should send."""

import secrets
from contextlib import closing
from uuid import uuid4

import pytest

from hack.smoke.person import Person

LOGIN = "/v1/auth/login"


def problem(person: Person, method: str, path: str, **more):
    """Status and problem document of an answer that must be a problem."""
    headers = more.pop("headers", {})
    if person.token and "Authorization" not in headers:
        headers["Authorization"] = f"Bearer {person.token}"
    answer = person.http.request(method, person.url + path, headers=headers, **more)
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"].endswith("/" + body["code"])
    assert body["instance"]
    return answer, body


@pytest.fixture
def stranger(target):
    with closing(Person(target.url, "nobody@example.org", "")) as person:
        yield person


class TestBody:
    @pytest.mark.parametrize(
        "content", ['{"email": ', "nope", '{"a": 1, "a": 2}', "[" * 64 + "]" * 64]
    )
    def test_that_is_no_sound_json_is_malformed(self, stranger, content):
        headers = {"Content-Type": "application/json"}
        answer, body = problem(stranger, "POST", LOGIN, content=content, headers=headers)

        assert (answer.status_code, body["code"]) == (400, "malformed")

    def test_with_an_unknown_field_names_the_field(self, stranger):
        sent = {"email": "a@example.org", "password": "correct horse battery", "isAdmin": True}
        answer, body = problem(stranger, "POST", LOGIN, json=sent)

        assert (answer.status_code, body["code"]) == (422, "invalid")
        assert "isAdmin" in str(body["errors"])

    def test_with_a_wrong_type_never_echoes_the_value(self, stranger):
        sent = {"email": "a@example.org", "password": ["hunter2-canary"]}
        answer, _ = problem(stranger, "POST", LOGIN, json=sent)

        assert answer.status_code == 422
        assert "hunter2-canary" not in answer.text

    def test_above_the_limit_is_too_large(self, stranger):
        headers = {"Content-Type": "application/json"}
        answer, body = problem(
            stranger, "POST", LOGIN, content=b'"' + b"x" * (2 << 20) + b'"', headers=headers
        )

        assert (answer.status_code, body["code"]) == (413, "too-large")


class TestToken:
    @pytest.mark.parametrize("token", ["x", "a.b.c", "Bearer"])
    def test_that_is_no_token_is_refused(self, stranger, token):
        headers = {"Authorization": f"Bearer {token}"}
        answer, body = problem(stranger, "GET", "/v1/profile", headers=headers)

        assert (answer.status_code, body["code"]) == (401, "unauthenticated")

    def test_that_was_tampered_with_is_refused(self, learner):
        head, payload, signature = learner.token.split(".")
        flipped = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
        headers = {"Authorization": f"Bearer {head}.{payload}.{flipped}"}
        answer, body = problem(learner, "GET", "/v1/profile", headers=headers)

        assert (answer.status_code, body["code"]) == (401, "unauthenticated")

    def test_of_a_learner_does_not_author(self, learner):
        answer, body = problem(learner, "PUT", "/v1/authoring/courses/mine", json={"title": "x"})

        assert (answer.status_code, body["code"]) == (403, "forbidden")


class TestAddress:
    def test_of_nothing_is_not_found(self, learner):
        answer, body = problem(learner, "GET", "/v1/nothing-here")

        assert (answer.status_code, body["code"]) == (404, "not-found")

    def test_with_another_method_says_which_are_allowed(self, learner):
        answer, _ = problem(learner, "DELETE", "/v1/dashboard")

        assert answer.status_code == 405
        assert "GET" in answer.headers["allow"]

    def test_of_somebody_elses_attempt_is_like_one_that_does_not_exist(self, learner):
        answer, body = problem(learner, "GET", f"/v1/attempts/{uuid4()}")

        assert (answer.status_code, body["code"]) == (404, "not-found")

    @pytest.mark.parametrize(
        "path", ["/v1/%2e%2e/account", "/v1//account", "/v1/courses/a%2fb", "/v1/a%00b"]
    )
    def test_that_tries_to_confuse_is_refused(self, learner, path):
        answer, _ = problem(learner, "GET", path)

        assert answer.status_code in {400, 404}


class TestWrite:
    def test_that_needs_a_key_says_so(self, learner):
        answer, body = problem(learner, "POST", "/v1/exams/statistics-quiz-1/attempts")

        assert (answer.status_code, body["code"]) == (400, "idempotency-key-missing")

    def test_of_declared_content_names_its_resource(self, teacher):
        spec = teacher.get("/v1/authoring/courses/statistics")["spec"]
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        answer, body = problem(
            teacher, "PUT", "/v1/authoring/courses/statistics", json=spec, headers=headers
        )

        assert (answer.status_code, body["code"]) == (409, "owned-by-resource")
        assert "Course" in body["detail"]
