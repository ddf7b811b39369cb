"""A bounded queue before the judge, and the results that can still be asked for."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge

from kourse.contracts.errors import NotFound, Unavailable
from kourse.runner.judge import Judge, Judgement, Work
from kourse.runner.verdicts import Status

QUEUED = Gauge("kourse_runner_submissions", "Submissions that wait or run.")
CAPACITY = Gauge("kourse_runner_submissions_max", "Submissions that may wait or run.")
BUSY = Gauge("kourse_runner_programs_running", "Programs that run now.")
REFUSED = Counter("kourse_runner_refused_total", "Submissions refused because the queue was full.")
JUDGED = Counter("kourse_runner_judged_total", "Submissions judged.", ("status",))
RETRY_AFTER_S = 2.0


class QueueFull(Unavailable):
    """Too many submissions wait."""

    code = "runner-queue-full"
    title = "Too many submissions wait; send it again later."


class UnknownSubmission(NotFound):
    """No submission has this token, or it was forgotten."""

    code = "submission-not-found"
    title = "There is no submission with this token, or it is kept no longer."


@dataclass
class Submission:
    """A submission on its way; ``judgement`` is None until ``done``."""

    token: str
    work: Work
    status: Status = Status.IN_QUEUE
    judgement: Judgement | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Dispatch:
    """Takes submissions and judges them, ``workers`` at a time.

    Args:
        judge: Who judges.
        workers: Programs at a time.
        bound: Submissions that may wait or run.
        keep: Finished submissions that are remembered.
    """

    def __init__(self, judge: Judge, workers: int, bound: int, keep: int) -> None:
        self._judge = judge
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="judge")
        self._bound = bound
        self._keep = keep
        self._open = 0
        self._known: OrderedDict[str, Submission] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        CAPACITY.set(bound)

    def submit(self, works: list[Work]) -> list[Submission]:
        """Queues all of them or none.

        Raises:
            QueueFull: There is no room; nothing was taken.
        """
        if self._open + len(works) > self._bound:
            REFUSED.inc(len(works))
            raise QueueFull(retry_after_s=RETRY_AFTER_S)
        return [self._take(work) for work in works]

    def find(self, token: str) -> Submission:
        """The submission with this token.

        Raises:
            UnknownSubmission: There is none, or it was forgotten.
        """
        if token not in self._known:
            raise UnknownSubmission
        return self._known[token]

    async def close(self) -> None:
        """Waits for what runs and takes nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    def _take(self, work: Work) -> Submission:
        submission = Submission(secrets.token_urlsafe(16), work)
        self._known[submission.token] = submission
        self._open += 1
        QUEUED.set(self._open)
        task = asyncio.create_task(self._run(submission))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return submission

    async def _run(self, submission: Submission) -> None:
        loop = asyncio.get_running_loop()
        try:
            submission.judgement = await loop.run_in_executor(
                self._threads, self._judge_one, submission
            )
            submission.status = submission.judgement.status
            JUDGED.labels(submission.status.name.lower()).inc()
        finally:
            self._open -= 1
            QUEUED.set(self._open)
            submission.done.set()
            self._forget()

    def _judge_one(self, submission: Submission) -> Judgement:
        submission.status = Status.PROCESSING
        with BUSY.track_inprogress():
            return self._judge.judge(submission.work)

    def _forget(self) -> None:
        finished = [token for token, known in self._known.items() if known.done.is_set()]
        for token in finished[: max(0, len(finished) - self._keep)]:
            del self._known[token]
