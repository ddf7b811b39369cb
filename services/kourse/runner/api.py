"""The part of Judge0's API that graders need."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from kourse.contracts.errors import Rejected
from kourse.kit.auth import internal
from kourse.kit.runtime import CurrentRuntime
from kourse.runner.dispatch import Dispatch
from kourse.runner.judge import Work
from kourse.runner.languages import Language
from kourse.runner.schemas import (
    BatchIn,
    BatchOut,
    LanguageOut,
    StatusOut,
    SubmissionIn,
    SubmissionOut,
    Token,
    read_text,
    render,
)
from kourse.runner.verdicts import DESCRIPTIONS, Limits

router = APIRouter(dependencies=[internal])
KIB_PER_MIB = 1024
Flag = Annotated[bool, Query()]


class UnknownLanguage(Rejected):
    """The language is not one of those that this runner has."""

    code = "unknown-language"
    title = "There is no language with this id here."


def _dispatch(runtime: CurrentRuntime) -> Dispatch:
    found: Dispatch = runtime.extras["dispatch"]
    return found


def _work(runtime: CurrentRuntime, body: SubmissionIn, *, in_base64: bool) -> Work:
    languages: dict[int, Language] = runtime.extras["languages"]
    if body.language_id not in languages:
        raise UnknownLanguage(f"Known are {sorted(languages)}.")
    return Work(
        languages[body.language_id],
        read_text(body.source_code, in_base64=in_base64) or b"",
        read_text(body.stdin, in_base64=in_base64) or b"",
        read_text(body.expected_output, in_base64=in_base64),
        Limits(body.cpu_time_limit, body.wall_time_limit, body.memory_limit // KIB_PER_MIB),
    )


@router.get("/languages")
async def list_languages(runtime: CurrentRuntime) -> list[LanguageOut]:
    """The languages that can be submitted."""
    languages: dict[int, Language] = runtime.extras["languages"]
    return [LanguageOut(id=known.id, name=known.name) for known in languages.values()]


@router.get("/statuses")
async def list_statuses() -> list[StatusOut]:
    """Every status that a submission can have."""
    return [StatusOut(id=status, description=text) for status, text in DESCRIPTIONS.items()]


@router.post("/submissions", status_code=201)
async def submit(
    runtime: CurrentRuntime, body: SubmissionIn, *, wait: Flag = False, base64_encoded: Flag = False
) -> SubmissionOut:
    """Queues a program; with ``wait`` the answer comes when it is judged."""
    (submission,) = _dispatch(runtime).submit([_work(runtime, body, in_base64=base64_encoded)])
    if wait:
        await submission.done.wait()
    return render(submission, in_base64=base64_encoded)


@router.post("/submissions/batch", status_code=201)
async def submit_batch(
    runtime: CurrentRuntime, body: BatchIn, *, base64_encoded: Flag = False
) -> list[Token]:
    """Queues several programs, all or none."""
    works = [_work(runtime, item, in_base64=base64_encoded) for item in body.submissions]
    return [Token(token=taken.token) for taken in _dispatch(runtime).submit(works)]


@router.get("/submissions/batch")
async def list_submissions(
    runtime: CurrentRuntime, tokens: str, *, base64_encoded: Flag = False
) -> BatchOut:
    """Submissions by their tokens, with commas between them."""
    found = [_dispatch(runtime).find(token) for token in tokens.split(",")]
    return BatchOut(submissions=[render(each, in_base64=base64_encoded) for each in found])


@router.get("/submissions/{token}")
async def find_submission(
    runtime: CurrentRuntime, token: str, *, base64_encoded: Flag = False
) -> SubmissionOut:
    """One submission as far as it has come."""
    return render(_dispatch(runtime).find(token), in_base64=base64_encoded)
