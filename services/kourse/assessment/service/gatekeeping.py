"""Whether a lesson whose practice is asked for is open to the learner: course knows, and is asked.

That is before the transaction and only where practice is shown; an answer is taken for what was shown, so
no answer waits for a sibling. Only that a lesson is open is kept, so a gate that opens is seen at once.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from uuid import UUID

from kourse.assessment.errors import PracticeLocked
from kourse.contracts.errors import NotFound, Unavailable
from kourse.kit.runtime import Runtime
from kourse_rpc.course.v1 import course_pb2, course_pb2_grpc

DEADLINE_S = 1.0
FRESH_S = 60.0
"""How long an open lesson is not asked for again; while course does not answer it counts for longer."""

_Key = tuple[str, UUID, str, str]


@dataclass
class Opened:
    """Lessons that were open to learners, the newest asked for last.

    Attributes:
        most: How many are kept.
        seen: When each was found open, in seconds of the process's clock.
    """

    most: int = 20_000
    seen: OrderedDict[_Key, float] = field(default_factory=OrderedDict)

    def note(self, key: _Key, now: float) -> None:
        """The lesson is open to the learner."""
        self.seen[key] = now
        self.seen.move_to_end(key)
        while len(self.seen) > self.most:
            self.seen.popitem(last=False)

    def is_fresh(self, key: _Key, now: float) -> bool:
        """Whether it was found open a short while ago."""
        return key in self.seen and now - self.seen[key] < FRESH_S


async def require_open(
    runtime: Runtime, tenant: str, learner_id: UUID, course: str, lesson: str
) -> None:
    """Returns when the learner may practise, or when others have to say why not.

    Whether they are enrolled and whether there is such a lesson is for the caller to find out.

    Raises:
        PracticeLocked: A gate or the learner's mastery closes the lesson; ``missing`` says what opens it.
        Unavailable: Course does not answer, and the lesson was not seen open before.
    """
    opened: Opened = runtime.extras.setdefault("opened-lessons", Opened())
    key, now = (tenant, learner_id, course, lesson), time.monotonic()
    if opened.is_fresh(key, now):
        return
    stub = course_pb2_grpc.CourseServiceStub(runtime.rpc("course"))
    request = course_pb2.GetLessonAccessRequest(
        tenant=tenant, learner_id=str(learner_id), course=course, lesson=lesson
    )
    try:
        access = await stub.GetLessonAccess(request, timeout=DEADLINE_S)
    except NotFound:
        return
    except Unavailable:
        if key in opened.seen:
            return
        raise
    if access.missing:
        opened.seen.pop(key, None)
        raise PracticeLocked(" ".join(access.missing), extensions={"missing": list(access.missing)})
    opened.note(key, now)
