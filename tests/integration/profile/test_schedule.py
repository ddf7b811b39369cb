"""Plans, the schedule that follows from them and from classes, and the calendar, over HTTP."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from support.houses import LEARNER, OTHER_LEARNER, new_key

PLANS, SCHEDULE, LINK = "/v1/profile/plans", "/v1/profile/schedule", "/v1/profile/calendar-link"
TEACHER = {"roles": ["teacher"]}


def next_year():
    return datetime.now(UTC).year + 1


def plan(**changes):
    return {
        "title": "Read",
        "timeZone": "Europe/Lisbon",
        "starts": f"{next_year()}-01-04T18:30",
        "minutes": 45,
        "rrule": "FREQ=DAILY",
        **changes,
    }


async def add(house, **changes):
    answer = await house.post(PLANS, plan(**changes))
    assert answer.status == 201, answer.body
    return answer.body


async def join(house, cohort="lisbon", who=LEARNER):
    code = (await house.get(f"/v1/cohorts/{cohort}/code", **TEACHER)).body["code"]
    assert (await house.post("/v1/cohorts/join", {"code": code}, who=who)).status == 200


def upcoming_class():
    """A run of a year from yesterday, with a class every day."""
    today = datetime.now(UTC).date()
    first = today - timedelta(days=1)
    entry = {
        "key": "class",
        "title": "Class; all welcome",
        "starts": f"{first}T09:00",
        "minutes": 90,
        "rrule": "FREQ=DAILY",
    }
    run = {"starts": str(first), "ends": str(today + timedelta(days=365)), "timeZone": "UTC"}
    return {"run": run, "schedule": [entry]}


class TestPlans:
    async def test_are_made_once_for_a_key(self, house):
        key = new_key()
        first = await house.post(PLANS, plan(), key=key)
        again = await house.post(PLANS, plan(), key=key)
        assert first.body == again.body
        assert len((await house.get(PLANS)).body["items"]) == 1

    async def test_say_when_they_take_place_next(self, house):
        made = await add(house)
        assert made["next"]["startsAt"] == f"{next_year()}-01-04T18:30:00Z"

    async def test_warn_of_times_that_the_clocks_jump_over_or_show_twice(self, house):
        made = await add(
            house, starts=f"{datetime.now(UTC).date()}T01:30", timeZone="Europe/Lisbon"
        )
        assert len(made["warnings"]) == 2
        assert any("jump over" in sentence for sentence in made["warnings"])
        assert any("twice" in sentence for sentence in made["warnings"])
        assert (await house.get(f"{PLANS}/{made['id']}")).body["warnings"] == made["warnings"]

    async def test_are_not_overwritten_by_whoever_read_an_older_version(self, house):
        made = await add(house)
        at = f"{PLANS}/{made['id']}"
        changed = await house.put(at, plan(title="Write"), if_match='"1"')
        assert (changed.status, changed.headers["etag"]) == (200, '"2"')
        late = await house.put(at, plan(title="Sing"), if_match='"1"')
        assert (late.status, late.code) == (412, "plan-changed")
        assert (await house.get(at)).body["title"] == "Write"

    async def test_stay_as_they_are_when_the_same_is_sent(self, house):
        made = await add(house)
        again = await house.put(f"{PLANS}/{made['id']}", plan())
        assert again.body["version"] == 1

    async def test_are_gone_once_deleted(self, house):
        at = f"{PLANS}/{(await add(house))['id']}"
        assert (await house.delete(at)).status == 204
        assert (await house.delete(at)).status == (await house.get(at)).status == 404

    async def test_belong_to_one_person_in_one_tenant(self, house):
        at = f"{PLANS}/{(await add(house))['id']}"
        for other in ({"who": OTHER_LEARNER}, {"tenant": "other"}):
            assert (await house.get(at, **other)).status == 404
            assert (await house.put(at, plan(), **other)).status == 404
            assert (await house.delete(at, **other)).status == 404
            assert (await house.get(PLANS, **other)).body["items"] == []

    async def test_go_by_pages(self, house):
        made = [(await add(house, title=title))["id"] for title in "abc"]
        first = await house.get(f"{PLANS}?limit=2")
        rest = await house.get(f"{PLANS}?limit=2&after={first.body['next']}")
        found = [one["id"] for one in (*first.body["items"], *rest.body["items"])]
        assert found == made

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"timeZone": "Mars/Olympus"}, "unknown-time-zone"),
            ({"starts": "2027-02-30T10:00"}, "invalid-dates"),
            ({"starts": "1000-01-01T10:00"}, "invalid-dates"),
            ({"starts": "9999-12-31T23:00"}, "invalid-dates"),
            ({"starts": "0001-01-01T00:00+23:00"}, "invalid-dates"),
            ({"additions": ["9999-12-31T23:59"]}, "invalid-dates"),
            ({"exceptions": ["9999-12-31T23:59-23:00"]}, "invalid-dates"),
            ({"rrule": "FREQ=DAILY;BYHOUR=3"}, "invalid-recurrence"),
            ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "invalid-recurrence"),
            ({"rrule": "FREQ=SECONDLY"}, "invalid"),
            ({"minutes": 0}, "invalid"),
            ({"additions": ["2027-01-01T10:00"] * 101}, "invalid"),
        ],
    )
    async def test_refuse_what_cannot_be(self, house, change, code):
        answer = await house.post(PLANS, plan(**change))
        assert (answer.status, answer.code) == (422, code)


class TestSchedule:
    async def test_shows_plans_and_classes_by_their_start(self, house, declare):
        await declare(**upcoming_class())
        await join(house)
        today = datetime.now(UTC).date()
        await add(house, starts=f"{today}T08:00", timeZone="UTC")
        since = f"{today + timedelta(days=1)}T00:00:00Z"
        answer = await house.get(f"{SCHEDULE}?since={since}&days=2")
        shown = [(one["kind"], one["startsAt"][11:16]) for one in answer.body["items"]]
        assert shown == [("plan", "08:00"), ("class", "09:00")] * 2

    async def test_leaves_out_and_adds_single_times(self, house):
        year = next_year()
        await add(
            house,
            rrule="FREQ=WEEKLY",
            exceptions=[f"{year}-01-11T18:30"],
            additions=[f"{year}-01-12T07:00"],
        )
        answer = await house.get(f"{SCHEDULE}?since={year}-01-01T00:00:00Z&days=20")
        assert [one["startsAt"] for one in answer.body["items"]] == [
            f"{year}-01-04T18:30:00Z",
            f"{year}-01-12T07:00:00Z",
            f"{year}-01-18T18:30:00Z",
        ]

    async def test_keeps_the_wall_clock_over_a_clock_change(self, house):
        year = next_year()
        await add(house, timeZone="America/New_York", rrule="FREQ=MONTHLY")
        times = []
        for month in ("02", "07"):
            answer = await house.get(f"{SCHEDULE}?since={year}-{month}-01T00:00:00Z&days=20")
            times += [one["startsAt"][10:] for one in answer.body["items"]]
        assert times == ["T18:30:00-05:00", "T18:30:00-04:00"]

    async def test_goes_by_pages(self, house):
        await add(house)
        at = f"{SCHEDULE}?since={next_year()}-01-04T00:00:00Z&days=5&limit=3"
        first = await house.get(at)
        rest = await house.get(f"{at}&after={first.body['next']}")
        days = [one["startsAt"][8:10] for one in (*first.body["items"], *rest.body["items"])]
        assert days == ["04", "05", "06", "07", "08"]
        assert rest.body["next"] is None

    @pytest.mark.parametrize(
        "query", ["since=2027-01-01T00:00:00", "since=9999-12-31T00:00:00Z", "days=93", "days=0"]
    )
    async def test_refuses_what_has_no_bounds(self, house, query):
        assert (await house.get(f"{SCHEDULE}?{query}")).status in {400, 422}


@pytest.fixture
def link(house):
    """Makes a link and gives the part of it that the service sees."""

    async def make(**how):
        answer = await house.post(LINK, **how)
        assert answer.status == 201, answer.body
        return "/v1/calendars/" + answer.body["url"].partition("/v1/calendars/")[2]

    return make


async def fetch(house, path, **headers):
    """The answer to a program that has nothing but the link, with its body."""
    answer = await house.fetch(path, **headers)
    return answer.status, answer.headers, answer.body


class TestCalendar:
    async def test_shows_classes_and_plans_to_whoever_has_the_link(self, house, declare, link):
        await declare(**upcoming_class())
        await join(house)
        await add(house, starts=f"{datetime.now(UTC).date()}T08:00", rrule=None)
        status, headers, body = await fetch(house, await link())
        assert (status, headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        titles = [str(event["SUMMARY"]) for event in Calendar.from_ical(body).walk("VEVENT")]
        assert set(titles) == {"Class; all welcome", "Read"}
        assert titles.count("Read") == 1
        assert titles.count("Class; all welcome") == 185  # yesterday's, and those of half a year

    async def test_shows_what_is_due_by_dates_of_the_class(self, house, declare, link):
        today = datetime.now(UTC).date()
        due = {"due": {"at": f"{today + timedelta(days=3)}T17:00"}}
        dates = [{"course": "statistics", "assignment": "report", "dates": due}]
        await declare(**upcoming_class() | {"schedule": [], "dates": dates})
        await join(house)
        _, _, body = await fetch(house, await link())
        (event,) = Calendar.from_ical(body).walk("VEVENT")
        assert event["SUMMARY"] == "Due: report (Statistics)"

    async def test_shows_what_is_due_for_this_very_learner(self, house, declare, link, course):
        """An extension of theirs is shown, and not the date that their class states."""
        today = datetime.now(UTC).date()
        due = {"due": {"at": f"{today + timedelta(days=3)}T17:00"}}
        dates = [{"course": "statistics", "assignment": "report", "dates": due}]
        await declare(**upcoming_class() | {"schedule": [], "dates": dates})
        await join(house)
        at = await link()
        theirs = datetime(today.year, today.month, today.day, 17, tzinfo=UTC) + timedelta(days=9)
        course.due[str(LEARNER)] = [("statistics", "report", "A report", theirs)]
        _, headers, body = await fetch(house, at)
        (event,) = Calendar.from_ical(body).walk("VEVENT")
        assert (event["SUMMARY"], event.decoded("DTSTART")) == (
            "Due: A report (statistics)",
            theirs,
        )
        listed = (await house.get("/v1/profile/schedule?days=14")).body["items"]
        assert [datetime.fromisoformat(one["startsAt"]) for one in listed] == [theirs]
        course.due[str(LEARNER)] = []
        status, _, body = await fetch(house, at, **{"if-none-match": headers["etag"]})
        assert (status, Calendar.from_ical(body).walk("VEVENT")) == (200, [])

    async def test_shows_no_class_that_was_left(self, house, declare, link):
        await declare(**upcoming_class())
        await join(house)
        at = await link()
        await house.post("/v1/cohorts/lisbon/leave")
        _, _, body = await fetch(house, at)
        assert Calendar.from_ical(body).walk("VEVENT") == []

    async def test_is_sent_again_only_when_it_changed(self, house, link):
        at = await link()
        _, headers, _ = await fetch(house, at)
        known = {"if-none-match": headers["etag"]}
        status, again, body = await fetch(house, at, **known)
        assert (status, again["etag"], body) == (304, headers["etag"], "")
        await add(house)
        assert (await fetch(house, at, **known))[0] == 200

    async def test_is_closed_to_a_link_that_was_replaced_or_revoked(self, house, link):
        first = await link()
        second = await link()
        assert first != second
        assert (await fetch(house, first))[0] == 404
        assert (await fetch(house, second))[0] == 200
        assert (await house.delete(LINK)).status == 204
        assert (await fetch(house, second))[0] == 404
        assert (await house.get(LINK)).status == (await house.delete(LINK)).status == 404

    async def test_is_closed_to_guesses_and_in_other_tenants(self, house, link):
        at = await link()
        assert (await fetch(house, at[:-1] + ("A" if at[-1] != "A" else "B")))[0] == 404
        assert (await fetch(house, at.replace("/demo/", "/other/")))[0] == 404

    async def test_keeps_no_secret(self, house, link, rows):
        secret = (await link()).rpartition("/")[2]
        (row,) = rows("SELECT calendar_link::text FROM profile.calendar_link")
        assert secret not in row[0]
        assert (await house.get(LINK)).body.keys() == {"madeAt"}

    async def test_has_one_link_however_many_are_asked_for_at_once(self, house, link):
        every = await asyncio.gather(*(link() for _ in range(5)))
        open_ones = [at for at in every if (await fetch(house, at))[0] == 200]
        assert len(open_ones) == 1


class TestForget:
    async def test_takes_back_what_a_person_said_of_themselves(self, house, register, link):
        await register()
        said = {"level": "Advanced", "pace": "Intensive", "preferences": {"theme": "dark"}}
        await house.patch("/v1/profile", said)
        await house.post("/v1/profile/goals", {"title": "Learn"})
        await add(house)
        at = await link()
        assert (await house.delete("/v1/profile", if_match='"1"')).code == "profile-changed"
        assert (await house.delete("/v1/profile", if_match='"2"')).status == 204
        found = (await house.get("/v1/profile")).body
        assert (found["level"], found["pace"], found["preferences"]) == ("Beginner", "Steady", {})
        assert (found["displayName"], found["version"]) == ("Ann", 3)
        assert (await house.get("/v1/profile/goals")).body["items"] == []
        assert (await house.get(PLANS)).body["items"] == []
        assert (await fetch(house, at))[0] == 404

    async def test_harms_nobody_else(self, house, register):
        await register()
        await house.post("/v1/profile/goals", {"title": "Learn"}, who=OTHER_LEARNER)
        assert (await house.delete("/v1/profile")).status == 204
        left = await house.get("/v1/profile/goals", who=OTHER_LEARNER)
        assert len(left.body["items"]) == 1
