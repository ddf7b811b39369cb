"""Whatever is written and moved in whatever order: versions and their lives against a model, on PostgreSQL."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from kourse.contracts.resources.meta import Lifecycle
from kourse.course import authoring
from kourse.kit.db import Database
from kourse.kit.documents import Applied, Doc
from support.courses import course_spec

TENANT, NAME = "demo", "statistics"
DRAFT, REVIEW, PUBLISHED, ARCHIVED = Lifecycle
LEGAL = {
    (DRAFT, REVIEW),
    (DRAFT, PUBLISHED),
    (DRAFT, ARCHIVED),
    (REVIEW, DRAFT),
    (REVIEW, PUBLISHED),
    (REVIEW, ARCHIVED),
    (PUBLISHED, ARCHIVED),
    (ARCHIVED, PUBLISHED),
}
EXAMPLES = settings(max_examples=12, stateful_step_count=12, deadline=None)
CONTENTS = st.sampled_from(["alpha", "beta", "gamma"])


class Life(RuleBasedStateMachine):
    """One course; its title stands for its content.

    The model keeps every version as (content, lifecycle, whether learners may get it), the number of the
    current one, and that of the one that learners have.
    """

    url, clear = "", staticmethod(lambda: None)

    def __init__(self):
        super().__init__()
        self.clear()
        self.loop = asyncio.new_event_loop()
        self.database = Database(self.url, "course", pool_size=1)
        self.versions, self.current, self.live = [], None, None

    def run(self, step):
        return self.loop.run_until_complete(step)

    def teardown(self):
        self.run(self.database.close())
        self.loop.close()

    @rule(content=CONTENTS, wanted=st.sampled_from(Lifecycle))
    def write(self, content, wanted):
        doc = Doc(NAME, course_spec(title=content, lifecycle=wanted.value), "api")
        (result,) = self.run(authoring.apply_many(self.database, TENANT, "Course", [doc]))
        same = [
            number
            for number in (self.current, self.live)
            if number is not None and self.versions[number - 1][0] == content
        ]
        if not same:
            self.versions.append((content, wanted, wanted in {PUBLISHED, ARCHIVED}))
            self.current = len(self.versions)
        else:
            _, stands, may = self.versions[same[0] - 1]
            if stands is not wanted and (stands, wanted) not in LEGAL:
                assert result.error.code == "illegal-lifecycle-move"
                return
            self.current = same[0]
            self.versions[self.current - 1] = (content, wanted, may or wanted is PUBLISHED)
        assert isinstance(result, Applied), result
        assert result.version == self.current
        if self.versions[self.current - 1][2] and self.current > (self.live or 0):
            self.live = self.current

    @invariant()
    def rows_are_those_of_the_model(self):
        found = self.run(self._rows())
        numbers = [(title, Lifecycle(life), may) for title, life, may in found["versions"]]
        assert numbers == self.versions
        assert found["course"] == ([(self.current, self.live)] if self.versions else [])

    @invariant()
    def learners_are_told_once_of_each_version_that_went_live(self):
        told = self.run(self._told())
        assert told == sorted(set(told))
        assert (told[-1] if told else None) == self.live

    async def _rows(self):
        async with self.database.transaction(TENANT) as tx:
            connection = await tx.connection()
            versions = await connection.exec_driver_sql(
                "SELECT title, lifecycle, eligible FROM course.course_version ORDER BY number"
            )
            course = await connection.exec_driver_sql(
                "SELECT current_version, live_version FROM course.course"
            )
            return {
                "versions": [tuple(row) for row in versions],
                "course": [tuple(row) for row in course],
            }

    async def _told(self):
        async with self.database.transaction(TENANT) as tx:
            connection = await tx.connection()
            found = await connection.exec_driver_sql(
                "SELECT (payload ->> 'version')::int FROM course.outbox"
                " WHERE type = 'course.content.published' ORDER BY id"
            )
            return [row[0] for row in found]


class TestLife:
    @pytest.mark.timeout(120)
    def test_holds_whatever_is_written_and_moved(self, scratch, clear):
        Life.url, Life.clear = scratch.url("kourse_course"), staticmethod(clear)
        run_state_machine_as_test(Life, settings=EXAMPLES)
