"""Assessment on real servers: a database and a virtual host of the module's own, real HTTP and gRPC."""

import asyncio
import dataclasses
import json
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import grpc.aio
import pytest
import pytest_asyncio

from kourse.assessment import authoring
from kourse.assessment.__main__ import service as assessment_service
from kourse.assessment.service import grading, replicas, sweeps
from kourse.assessment.settings import AssessmentSettings
from kourse.contracts import names
from kourse.contracts.events import CohortDeclared, ContentPublished, EnrolmentCreated
from kourse.kit.db import Database
from kourse.kit.documents import Doc
from kourse.kit.ids import new_id
from kourse_rpc.course.v1 import course_pb2, course_pb2_grpc
from support.client import Client, session_to
from support.exams import exam_spec, pool_spec
from support.serving import Identity, running, serving
from support.tokens import Issuer

TENANT = "demo"


class Course(course_pb2_grpc.CourseServiceServicer):
    """Course, as far as assessment asks: who is enrolled where, and what closes lessons."""

    def __init__(self):
        self.enrolled = {}
        self.missing = {}
        self.port = 0

    async def ListProgress(self, request, _context):  # noqa: N802 - the contract's name
        courses = self.enrolled.get(UUID(request.learner_id), [])
        return course_pb2.ListProgressResponse(
            progress=[course_pb2.Progress(course=course) for course in courses]
        )

    async def GetLessonAccess(self, request, _context):  # noqa: N802 - the contract's name
        missing = self.missing.get(request.learner_id, [])
        return course_pb2.GetLessonAccessResponse(missing=missing)

    @asynccontextmanager
    async def serving(self):
        server = grpc.aio.server()
        course_pb2_grpc.add_CourseServiceServicer_to_server(self, server)
        self.port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield self
        finally:
            await server.stop(None)


@pytest.fixture(scope="module")
def judge_url():
    """Where programs are judged; nowhere, but in the module that is about it."""
    return ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(scratch, broker_url, servers, judge_url):
    """Assessment without its sweeper, which tests call themselves; one for a module's tests."""
    issuer = Issuer()
    identity = Identity(issuer)
    async with serving(identity.app) as identity_url, Course().serving() as course:
        settings = AssessmentSettings(
            port=0,
            database_url=scratch.url("kourse_assessment"),
            worker_database_url=scratch.url("kourse_assessment_worker"),
            broker_url=broker_url,
            token_store_url=servers.endpoints.token_store_url,
            s3_endpoint=servers.endpoints.s3_endpoint,
            s3_region=servers.endpoints.s3_region,
            s3_access_key=servers.endpoints.s3_access_key,
            s3_secret_key=servers.endpoints.s3_secret_key,
            bucket_prefix=f"test-{uuid4().hex[:8]}",
            token_issuer=issuer.issuer,
            jwks_url=f"{identity_url}/.well-known/jwks.json",
            identity_url=identity_url,
            client_secret="s3cret",
            course_rpc_addr=f"127.0.0.1:{course.port}",
            judge_url=judge_url,
        )
        service = dataclasses.replace(assessment_service(settings), tasks=())
        async with (
            running(service) as process,
            session_to(f"http://127.0.0.1:{process.http_port}") as session,
        ):
            with scratch.admin() as database:
                operator = Database(scratch.url("kourse_operator"), "assessment", pool_size=2)
                yield House(process, Client(session), database, operator, issuer, course)
                await operator.close()


@pytest.fixture(autouse=True)
def _empty(scratch):
    """Every table is empty; deleting takes no lock that a running consumer could hold up."""
    with scratch.admin() as connection:
        found = connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'assessment'"
            " AND tablename NOT IN ('alembic_version', 'inbox_consumer')"
        ).fetchall()
        deletes = "".join(f"DELETE FROM assessment.{name};" for (name,) in found)
        connection.execute(f"SET session_replication_role = replica; {deletes}")


@dataclasses.dataclass
class House:
    """A running assessment and what tests do with it."""

    process: object
    http: Client
    rows_of: object
    operator: Database
    issuer: Issuer
    course: Course
    teacher: UUID = dataclasses.field(default_factory=new_id)

    @property
    def database(self):
        return self.process.runtime.database

    def rows(self, query, *values):
        """Rows of a query that no policy binds."""
        return self.rows_of.execute(query, values).fetchall()

    def run(self, query, *values):
        self.rows_of.execute(query, values)

    # what siblings tell

    async def publish_course(self, name="statistics", tenant=TENANT, **changes):
        """The course is live: skills ``reading`` and ``summing``, category ``work``."""
        event = ContentPublished(
            **{
                "course_id": names.declared_id(tenant, "Course", name),
                "course": name,
                "title": "Statistics",
                "version": 1,
                "digest": "d",
                "time_zone": "Europe/Lisbon",
                "lessons": [
                    {
                        "id": uuid4(),
                        "key": "tables",
                        "title": "Tables",
                        "chapter": "data",
                        "practice": {"basics": []},
                    }
                ],
                "skills": [
                    {
                        "key": key,
                        "title": key.title(),
                        "prior": 0.3,
                        "learn": 0.15,
                        "guess": 0.2,
                        "slip": 0.1,
                    }
                    for key in ("reading", "summing")
                ],
                "categories": [{"key": "work", "title": "Work", "weight": 100}],
                **changes,
            }
        )
        async with self.database.transaction(tenant) as tx:
            await replicas.take_course(tx, event)

    async def declare_cohort(self, name, dates=(), tenant=TENANT, **changes):
        event = CohortDeclared(
            **{
                "cohort_id": names.declared_id(tenant, "Cohort", name),
                "cohort": name,
                "title": name,
                "courses": ["statistics"],
                "starts_on": "2026-11-02",
                "ends_on": "2027-06-30",
                "time_zone": "Europe/Lisbon",
                "dates": list(dates),
                **changes,
            }
        )
        async with self.database.transaction(tenant) as tx:
            await replicas.take_cohort(tx, event)

    async def enrol(self, learner=None, course="statistics", tenant=TENANT, **changes):
        """A learner enrolled in the course."""
        learner = learner or new_id()
        event = EnrolmentCreated(
            enrolment_id=new_id(),
            learner_id=learner,
            course_id=names.declared_id(tenant, "Course", course),
            course=course,
            **changes,
        )
        async with self.database.transaction(tenant) as tx:
            await replicas.take_enrolment(tx, event)
        return learner

    # what is declared

    async def apply(self, kind, name, spec, *, tenant=TENANT, uid="u1", generation=1, **more):
        doc = Doc(name, spec, "resource", uid=uid, generation=generation, **more)
        (result,) = await authoring.apply_many(self.operator, tenant, kind, [doc])
        return result

    async def pool(self, name="basics", spec=None, **more):
        return await self.apply("QuestionPool", name, spec or pool_spec(), **more)

    async def exam(self, name="quiz", spec=None, **more):
        return await self.apply("ExamConfig", name, spec or exam_spec(), **more)

    async def quiz(self, **changes):
        """Course, pool and the exam ``quiz`` are there; a learner is enrolled."""
        await self.publish_course()
        await self.pool()
        await self.exam(spec=exam_spec(**changes))
        return await self.enrol()

    # what a learner does

    async def call(self, method, path, *, by=None, roles=("learner",), headers=None, **kwargs):
        """The status and the JSON, else the text, of an answer, asked for by a person or by nobody."""
        sent = dict(headers or {})
        if by is not None:
            token = self.issuer.token(sub=str(by), roles=list(roles), **kwargs.pop("claims", {}))
            sent["Authorization"] = f"Bearer {token}"
        answer = await self.http.request(method, path, headers=sent, **kwargs)
        text = await answer.text()
        is_json = answer.content_type.endswith("json")
        body = (json.loads(text) if is_json else text) if text else None
        return Answer(answer.status, body, answer.headers)

    async def get(self, path, by=None, **kwargs):
        return await self.call("GET", path, by=by, **kwargs)

    async def start(self, learner, exam="quiz", key=None):
        headers = {"Idempotency-Key": key or str(uuid4())}
        return await self.call("POST", f"/v1/exams/{exam}/attempts", by=learner, headers=headers)

    async def started(self, learner, exam="quiz"):
        answer = await self.start(learner, exam)
        assert answer.status in {200, 201}, answer.body
        return answer.body

    async def save(self, learner, attempt, slot, answer, seq=1):
        body = {"seq": seq, "answer": answer}
        return await self.call(
            "PUT", f"/v1/attempts/{attempt}/answers/{slot}", by=learner, json=body
        )

    async def submit(self, learner, attempt, key=None):
        headers = {"Idempotency-Key": key or str(uuid4())}
        return await self.call(
            "POST", f"/v1/attempts/{attempt}/submission", by=learner, headers=headers
        )

    async def result(self, learner, attempt):
        return await self.get(f"/v1/attempts/{attempt}/result", by=learner)

    async def sit(self, learner, answer_with, exam="quiz"):
        """Takes the exam with one way of answering every question, and has it graded."""
        attempt = await self.started(learner, exam)
        answers = ((one["slot"], answer_with(one)) for one in attempt["questions"])
        saves = (
            self.save(learner, attempt["id"], slot, answer)
            for slot, answer in answers
            if answer is not None
        )
        assert {saved.status for saved in await asyncio.gather(*saves)} <= {200}
        assert (await self.submit(learner, attempt["id"])).status == 200
        await self.grade(attempt["id"])
        return attempt["id"]

    # what teachers do

    async def teach(self, method, path, *, by=None, roles=("teacher",), **kwargs):
        return await self.call(method, path, by=by or self.teacher, roles=roles, **kwargs)

    async def claim(self, attempt, slot, **kwargs):
        return await self.teach("PUT", f"/v1/attempts/{attempt}/reviews/{slot}/claim", **kwargs)

    async def decide(self, attempt, slot, marks, *, seen=0, comment=None, **kwargs):
        body = {
            "seen": seen,
            "marks": {key: {"level": level} for key, level in marks.items()},
            "comment": comment,
        }
        path = f"/v1/attempts/{attempt}/reviews/{slot}/grade"
        return await self.teach("PUT", path, json=body, **kwargs)

    async def override(self, attempt, slot, points, *, seen=0, **kwargs):
        body = {"seen": seen, "points": points, "reason": "A reason."}
        path = f"/v1/attempts/{attempt}/reviews/{slot}/override"
        return await self.teach("PUT", path, json=body, **kwargs)

    async def regrade(self, corrections, mode="HigherOnly", exam="quiz"):
        body = {"corrections": corrections, "mode": mode, "reason": "The key was wrong."}
        planned = await self.teach("POST", f"/v1/exams/{exam}/regrades", json=body)
        assert planned.status == 201, planned.body
        return planned.body["id"]

    async def apply_regrade(self, regrade):
        applied = await self.teach("POST", f"/v1/regrades/{regrade}/application")
        assert applied.status == 202, applied.body
        for _ in range(100):
            await self.sweep()
            found = (await self.teach("GET", f"/v1/regrades/{regrade}")).body
            if found["state"] == "APPLIED":
                return found
        raise AssertionError("the regrade came to no end")

    # what happens by itself

    async def grade(self, attempt, tenant=TENANT):
        async with self.database.transaction(tenant) as tx:
            return await grading.grade(tx, UUID(attempt))

    async def sweep(self):
        return await sweeps.sweep(self.database, self.process.runtime.worker_database)

    def overrun(self, attempt, seconds):
        """The attempt's deadline was so many seconds ago."""
        self.run(
            "UPDATE assessment.attempt SET deadline_at = clock_timestamp() - %s * interval '1 second',"
            " started_at = started_at - interval '1 day' WHERE id = %s",
            seconds,
            attempt,
        )

    def events(self, kind=None):
        """Types, or payloads of one type, of the events emitted so far, in order."""
        found = self.rows("SELECT type, payload FROM assessment.outbox ORDER BY id")
        return [payload if kind else type_ for type_, payload in found if kind in {None, type_}]


@dataclasses.dataclass
class Answer:
    status: int
    body: object
    headers: object

    @property
    def code(self):
        return self.body["code"]
