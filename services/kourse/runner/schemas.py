"""Submissions and results in Judge0's words; its names are in snake case, so these are too."""

from __future__ import annotations

import base64
import binascii

from pydantic import BaseModel, ConfigDict, Field

from kourse.contracts.errors import Malformed
from kourse.runner.dispatch import Submission
from kourse.runner.verdicts import DESCRIPTIONS

SOURCE_CHARACTERS = 262_144


class SubmissionIn(BaseModel):
    """A program to be judged; a field of Judge0 that is not named here is refused, never ignored."""

    model_config = ConfigDict(extra="forbid")

    source_code: str = Field(max_length=SOURCE_CHARACTERS, examples=["print(input())"])
    language_id: int = Field(examples=[92])
    stdin: str | None = Field(None, max_length=SOURCE_CHARACTERS, examples=["hello"])
    expected_output: str | None = Field(None, max_length=SOURCE_CHARACTERS, examples=["hello"])
    cpu_time_limit: float = Field(5.0, gt=0, le=15, description="Processor seconds.")
    wall_time_limit: float = Field(10.0, ge=1, le=60, description="Seconds.")
    memory_limit: int = Field(128_000, ge=16_384, le=512_000, description="KiB.")


class BatchIn(BaseModel):
    """Several submissions, taken together or not at all."""

    model_config = ConfigDict(extra="forbid")

    submissions: list[SubmissionIn] = Field(min_length=1, max_length=20)


class Token(BaseModel):
    """By which a submission is asked for."""

    token: str


class StatusOut(BaseModel):
    """A status of Judge0."""

    id: int
    description: str


class LanguageOut(BaseModel):
    """A language that can be submitted."""

    id: int
    name: str


class SubmissionOut(BaseModel):
    """A submission as far as it has come; what is not known yet is null."""

    token: str
    status: StatusOut
    stdout: str | None = None
    stderr: str | None = None
    compile_output: str | None = None
    message: str | None = None
    exit_code: int | None = None
    exit_signal: int | None = None
    time: str | None = None
    wall_time: str | None = None
    memory: int | None = None


class BatchOut(BaseModel):
    """Several submissions."""

    submissions: list[SubmissionOut]


def read_text(text: str | None, *, in_base64: bool) -> bytes | None:
    """The bytes of a text as it was sent.

    Raises:
        Malformed: It should be Base64 and is not.
    """
    if text is None or not in_base64:
        return None if text is None else text.encode()
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise Malformed("A text of the submission is not Base64.") from error


def render(submission: Submission, *, in_base64: bool) -> SubmissionOut:
    """A submission as it is answered."""

    def text(value: bytes) -> str | None:
        if not value:
            return None
        return base64.b64encode(value).decode() if in_base64 else value.decode(errors="replace")

    found, status = submission.judgement, submission.status
    known = StatusOut(id=status, description=DESCRIPTIONS[status])
    if found is None:
        return SubmissionOut(token=submission.token, status=known)
    return SubmissionOut(
        token=submission.token,
        status=known,
        stdout=text(found.stdout),
        stderr=text(found.stderr),
        compile_output=text(found.compile_output),
        message=text(found.message.encode()),
        exit_code=found.exit_code,
        exit_signal=found.exit_signal,
        time=f"{found.time_s:.3f}",
        wall_time=f"{found.wall_s:.3f}",
        memory=found.memory_kib,
    )
