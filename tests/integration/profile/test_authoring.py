"""Declaring cohorts, on a real PostgreSQL: rows, dates as instants, events, and what is refused."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from kourse.contracts.resources import CohortSpec, DeletionPolicy
from kourse.kit.documents import Applied, Doc
from kourse.profile import authoring
from support.courses import cohort_document, cohort_spec

TENANT = "demo"


def declared(spec, name="lisbon", generation=1, uid="u1", **changes):
    document = spec if isinstance(spec, CohortSpec) else CohortSpec.model_validate(spec)
    return Doc(name, document, "resource", uid=uid, generation=generation, **changes)


async def apply(operator, doc):
    (result,) = await authoring.apply_many(operator, TENANT, "Cohort", [doc])
    return result


DATES = [
    {
        "course": "statistics",
        "assignment": "report",
        "dates": {"due": {"day": 14, "time": "18:00"}},
    },
    {"course": "statistics", "exam": "final", "dates": {"opens": {"at": "2027-06-01T09:00"}}},
]


class TestApply:
    async def test_stores_the_run_and_tells_siblings_with_instants(self, operator, rows):
        result = await apply(operator, declared(cohort_spec(dates=DATES)))
        assert isinstance(result, Applied)
        assert result.changed
        ((payload,),) = rows("SELECT payload FROM profile.outbox")
        assert payload["cohort"] == "lisbon"
        assert payload["dates"][0]["due_at"] == "2026-11-16T18:00:00Z"
        assert payload["dates"][1]["opens_at"] == "2027-06-01T08:00:00Z"
        assert rows("SELECT key, opens_at, due_at FROM profile.cohort_date ORDER BY key") == [
            ("final", datetime(2027, 6, 1, 8, tzinfo=UTC), None),
            ("report", None, datetime(2026, 11, 16, 18, tzinfo=UTC)),
        ]
        assert rows("SELECT key, rrule FROM profile.meeting") == [("class", "FREQ=WEEKLY;BYDAY=MO")]

    async def test_changes_nothing_when_applied_again(self, operator, rows):
        await apply(operator, declared(cohort_spec()))
        assert not (await apply(operator, declared(cohort_spec()))).changed
        assert rows("SELECT count(*) FROM profile.outbox") == [(1,)]

    async def test_tells_siblings_only_what_concerns_them(self, operator, rows):
        await apply(operator, declared(cohort_spec()))
        assert (await apply(operator, declared(cohort_spec(seats=9), generation=2))).changed
        assert rows("SELECT count(*) FROM profile.outbox") == [(1,)]
        await apply(operator, declared(cohort_spec(seats=9, dates=DATES), generation=3))
        assert rows("SELECT seq FROM profile.outbox ORDER BY id") == [(1,), (2,)]

    async def test_repairs_rows_that_somebody_changed_by_hand(self, operator, rows, scratch):
        await apply(operator, declared(cohort_spec(dates=DATES)))
        with scratch.admin() as connection:
            connection.execute("UPDATE profile.cohort SET seats = 1000")
            connection.execute("DELETE FROM profile.cohort_date WHERE key = 'final'")
            connection.execute("DELETE FROM profile.meeting")
        assert (await apply(operator, declared(cohort_spec(dates=DATES)))).changed
        assert rows("SELECT seats FROM profile.cohort") == [(3,)]
        assert rows("SELECT count(*) FROM profile.cohort_date") == [(2,)]
        assert rows("SELECT count(*) FROM profile.meeting") == [(1,)]

    async def test_waits_until_every_course_is_published(self, operator, rows):
        spec = cohort_spec(courses=["statistics", "algebra"])
        result = await apply(operator, declared(spec))
        assert result.error.code == "course-unknown"
        assert "'algebra'" in result.error.detail
        assert rows("SELECT name FROM profile.document_wait") == [("lisbon",)]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"run": {"starts": "2026-02-30", "ends": "2026-03-01"}}, "invalid-dates"),
            ({"run": {"starts": "2026-03-02", "ends": "2026-03-01"}}, "invalid"),
            (
                {"run": {"starts": "2026-03-02", "ends": "2026-04-01", "timeZone": "No/Where"}},
                "unknown-time-zone",
            ),
            ({"dates": [DATES[0], DATES[0]]}, "invalid"),
            (
                {
                    "schedule": [
                        {
                            "key": "never",
                            "title": "Never",
                            "starts": "2026-11-02T18:30",
                            "rrule": "FREQ=DAILY;INTERVAL=0",
                        }
                    ]
                },
                "invalid-recurrence",
            ),
        ],
    )
    async def test_refuses_what_cannot_be(self, operator, changes, code):
        result = await apply(operator, declared(cohort_spec(**changes)))
        assert result.error.code == code


async def retire(operator, policy=DeletionPolicy.RETAIN, uid="u1"):
    return await authoring.retire(operator, TENANT, "Cohort", "lisbon", uid, policy)


def join(scratch, cohort_id):
    with scratch.admin() as connection:
        connection.execute(
            "INSERT INTO profile.membership (cohort_id, user_id, tenant) VALUES (%s, %s, 'demo')",
            (cohort_id, uuid4()),
        )


class TestRetire:
    async def test_keeps_members_and_takes_them_up_again(self, operator, rows, scratch):
        first = await apply(operator, declared(cohort_spec()))
        join(scratch, first.id)
        assert await retire(operator) == []
        assert rows("SELECT retired_at IS NULL FROM profile.cohort") == [(False,)]
        again = await apply(operator, declared(cohort_document(), uid="u2"))
        assert again.id == first.id
        assert rows("SELECT count(*) FROM profile.membership") == [(1,)]
        assert rows("SELECT retired_at FROM profile.cohort") == [(None,)]

    async def test_deletes_a_cohort_once_its_members_are_gone(self, operator, rows, scratch):
        first = await apply(operator, declared(cohort_spec()))
        join(scratch, first.id)
        (pending,) = await retire(operator, DeletionPolicy.DELETE)
        assert pending.reason == "MembersRemain"
        with scratch.admin() as connection:
            connection.execute("DELETE FROM profile.membership")
        assert await retire(operator, DeletionPolicy.DELETE) == []
        assert rows("SELECT count(*) FROM profile.cohort") == [(0,)]
        assert await retire(operator, DeletionPolicy.DELETE) == []


class TestObserve:
    async def test_counts_members_and_names_the_next_meeting(self, operator, scratch):
        meeting = {"key": "one", "title": "Once", "starts": "2099-01-05T18:30"}
        run = {"starts": "2026-11-02", "ends": "2099-12-31", "timeZone": "Europe/Lisbon"}
        result = await apply(operator, declared(cohort_spec(run=run, schedule=[meeting])))
        join(scratch, result.id)
        found = await authoring.observe(operator, TENANT, "Cohort", ["lisbon", "unknown"])
        assert found == {"lisbon": {"members": 1, "nextMeeting": "2099-01-05T18:30:00+00:00"}}
