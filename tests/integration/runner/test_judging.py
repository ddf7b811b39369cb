"""Submissions over HTTP to a running runner."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from support.runner import PATIENCE_S, running_runner

PYTHON, JAVASCRIPT, JAVA = 92, 97, 91
DOUBLE = {
    PYTHON: "print(int(input()) * 2)",
    JAVASCRIPT: "console.log(Number(require('fs').readFileSync('/dev/stdin', 'utf8')) * 2)",
    JAVA: "public class Main { public static void main(String[] a) {"
    " System.out.println(new java.util.Scanner(System.in).nextInt() * 2); } }",
}
BROKEN = {PYTHON: "print(1", JAVASCRIPT: "let a = ;", JAVA: "class Main {"}
ACCEPTED, WRONG, TIMEOUT, COMPILE, NZEC = 3, 4, 5, 6, 11


@pytest.fixture(scope="module")
def runner() -> Iterator[httpx2.Client]:
    """A client of a runner with room for four submissions."""
    with (
        running_runner(KOURSE_RUNNER_QUEUE_SIZE="4") as address,
        httpx2.Client(base_url=address, timeout=PATIENCE_S) as client,
    ):
        yield client


def judged(runner: httpx2.Client, language: int, source: str, **rest: object) -> dict[str, object]:
    """A submission's result."""
    body = {
        "language_id": language,
        "source_code": source,
        "wall_time_limit": 60,
        "cpu_time_limit": 15,
        **rest,
    }
    answer = runner.post("/submissions", params={"wait": True}, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


def status(result: dict[str, object]) -> object:
    """The id of a result's status."""
    found = result["status"]
    assert isinstance(found, dict)
    return found["id"]


@pytest.mark.parametrize("language", [PYTHON, JAVASCRIPT, JAVA])
class TestEachLanguage:
    def test_is_accepted_when_its_output_is_right(
        self, runner: httpx2.Client, language: int
    ) -> None:
        result = judged(runner, language, DOUBLE[language], stdin="21\n", expected_output="42")
        assert status(result) == ACCEPTED, result
        assert result["stdout"] == "42\n"

    def test_shows_the_compiler_s_words(self, runner: httpx2.Client, language: int) -> None:
        result = judged(runner, language, BROKEN[language])
        assert status(result) == COMPILE, result
        assert result["compile_output"]


class TestSubmissions:
    def test_tell_a_wrong_answer(self, runner: httpx2.Client) -> None:
        assert status(judged(runner, PYTHON, "print(1)", expected_output="2")) == WRONG

    def test_tell_a_failure_with_its_traceback(self, runner: httpx2.Client) -> None:
        result = judged(runner, PYTHON, "1 / 0")
        assert status(result) == NZEC
        assert "ZeroDivisionError" in str(result["stderr"])

    def test_end_at_their_time(self, runner: httpx2.Client) -> None:
        assert status(judged(runner, PYTHON, "while True: pass", cpu_time_limit=1)) == TIMEOUT

    def test_travel_in_base64(self, runner: httpx2.Client) -> None:
        body = {"language_id": PYTHON, "source_code": "cHJpbnQoMSk=", "wall_time_limit": 60}
        answer = runner.post(
            "/submissions", params={"wait": True, "base64_encoded": True}, json=body
        )
        assert answer.json()["stdout"] == "MQo="

    def test_are_refused_when_the_queue_is_full_and_say_when_to_come_again(
        self, runner: httpx2.Client
    ) -> None:
        body = {"language_id": PYTHON, "source_code": "print(1)"}
        answer = runner.post("/submissions/batch", json={"submissions": [body] * 5})
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.json()["code"] == "runner-queue-full"

    def test_are_found_by_their_tokens(self, runner: httpx2.Client) -> None:
        token = judged(runner, PYTHON, "print(1)")["token"]
        assert runner.get(f"/submissions/{token}").json()["stdout"] == "1\n"
        assert runner.get("/submissions/unknown").status_code == 404

    def test_of_an_unknown_language_are_refused(self, runner: httpx2.Client) -> None:
        answer = runner.post("/submissions", json={"language_id": 1, "source_code": ""})
        assert answer.json()["code"] == "unknown-language"
