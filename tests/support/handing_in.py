"""A learner's desk: what one does to hand something in."""

import hashlib
from datetime import timedelta

import aiohttp

from support.courses import course_spec
from support.houses import LEARNER, new_key

WORK = "/v1/courses/statistics/assignments"


def hand_in_course(**changes):
    """A course with an upload ``report``, handed in up to three times, and a project ``study`` for two."""
    common = {"instructions": "Write it.", "category": "work", "points": 10}
    due = {"due": {"day": 14, "time": "18:00"}}
    report = {
        "key": "report",
        "title": "A report",
        "extensions": ["pdf", "csv"],
        "maxSizeMib": 1,
        "maxFiles": 2,
        "handIns": 3,
        "dates": due,
        "latePolicy": {"percentPerDay": 10, "graceMinutes": 10},
    }
    study = {"key": "study", "title": "A study", "kind": "Project", "groupSize": 2, "dates": due}
    return course_spec(assignments=[{**common, **report}, {**common, **study}], **changes)


class Desk:
    """A learner at work on assignments of the course ``statistics``."""

    def __init__(self, house):
        self.house = house

    async def read(self, assignment="report", **how):
        return await self.house.get(f"{WORK}/{assignment}", **how)

    async def announce(self, data, *, assignment="report", name="report.pdf", size=None, **how):
        digest = hashlib.sha256(data).hexdigest()
        body = {"name": name, "size": size or len(data), "sha256": digest}
        return await self.house.post(f"{WORK}/{assignment}/files", body, **how)

    async def send(self, offer, data):
        """The store's status."""
        async with (
            aiohttp.ClientSession() as session,
            session.put(offer["url"], data=data, headers=offer["headers"]) as answer,
        ):
            return answer.status

    async def confirm(self, file_id, assignment="report", **how):
        return await self.house.post(f"{WORK}/{assignment}/files/{file_id}/stored", **how)

    async def withdraw(self, file_id, assignment="report", **how):
        return await self.house.delete(f"{WORK}/{assignment}/files/{file_id}", **how)

    async def bring(self, data, *, assignment="report", name="report.pdf", **how):
        """The file is announced, sent and confirmed; as it waits to be handed in."""
        offer = await self.announce(data, assignment=assignment, name=name, **how)
        assert offer.status == 201, offer.body
        assert await self.send(offer.body, data) == 200
        confirmed = await self.confirm(offer.body["id"], assignment, **how)
        assert confirmed.status == 200, confirmed.body
        return confirmed.body

    async def hand_in(self, files, *, assignment="report", key=None, who=LEARNER, **words):
        body = {"files": files, **words}
        path = f"{WORK}/{assignment}/hand-ins"
        return await self.house.post(path, body, key=key or new_key(), who=who)

    async def download(self, url):
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.read()

    def dates(self, rows, assignment="report", *, joined=None, **offsets):
        """The course states these dates for an assignment, so far from now; a course's change follows."""
        moments = ", ".join(
            f"'{name}', jsonb_build_object('at', to_char((now() + make_interval(secs =>"
            f" {offset.total_seconds()})) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))"
            for name, offset in offsets.items()
        )
        rows(
            "UPDATE course.course SET updated_at = clock_timestamp(), policy = jsonb_set(policy,"
            f" '{{assignments,{assignment},dates}}', jsonb_build_object({moments})) RETURNING 1"
        )
        joined = joined or timedelta(0)
        rows(
            "UPDATE course.enrolment SET created_at = created_at + make_interval(secs => %s)"
            " RETURNING 1",
            joined.total_seconds(),
        )
