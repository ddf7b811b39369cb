"""What teachers see of those in their scope, and administrators of their tenant."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from kourse.contracts import events
from support.boards import COURSE_ID, completed, enrolled, mastered, published, scored

COURSE = "/v1/dashboard/courses/statistics"
MASTERY = f"{COURSE}/mastery"
FIGURES = "/v1/dashboard/tenant"
HERE, THERE = UUID(int=11), UUID(int=12)
TEACHER = {"who": UUID(int=99), "roles": ["learner"]}
OF_LISBON = {**TEACHER, "scopes": ["teacher@cohort:lisbon"]}


@pytest.fixture
async def classes(board):
    """A learner of each of two cohorts."""
    await board.tell(published(), enrolled(HERE, "lisbon"), enrolled(THERE, "porto"))
    await board.tell(completed(HERE, 1, "lisbon"), mastered(HERE, centre=0.4, spread=0.6))
    return board


class TestReadCourse:
    async def test_shows_progress_mastery_and_activity_with_names(self, classes):
        table = await classes.teach(COURSE)

        here, there = table["items"]
        assert (here["name"], here["cohort"]) == ("Learner 11", "lisbon")
        assert (here["completed"], here["total"]) == (1, 2)
        assert here["mastery"] == pytest.approx(0.5)
        assert here["lastActivityAt"] is not None
        assert (there["mastery"], there["lastActivityAt"]) == (None, None)
        assert table["partial"] == []

    async def test_shows_what_changed_once_its_event_came(self, classes):
        await classes.teach(COURSE)
        await classes.tell(completed(HERE, 2, "lisbon"))

        assert (await classes.teach(COURSE))["items"][0]["completed"] == 2

    async def test_names_what_is_missing_and_keeps_no_partial_view(self, classes, facts):
        facts.silent = {"names"}
        partial = await classes.teach(COURSE)
        facts.silent = set()
        whole = await classes.teach(COURSE)

        assert (partial["partial"], partial["items"][0]["name"]) == (["names"], None)
        assert whole["partial"] == []

    async def test_shows_a_teacher_of_one_cohort_nobody_of_another(self, classes):
        await classes.teach(COURSE)
        table = await classes.see(COURSE, **OF_LISBON)

        assert [row["learnerId"] for row in table["items"]] == [str(HERE)]

    async def test_hides_another_cohort_from_its_neighbours_teacher(self, classes):
        answer = await classes.house.get(f"{COURSE}?cohort=porto", **OF_LISBON)

        assert answer.status == 404

    async def test_is_refused_to_learners(self, classes):
        assert (await classes.house.get(COURSE, who=HERE)).status == 403

    async def test_never_crosses_tenants(self, classes):
        await classes.teach(COURSE)
        answer = await classes.house.get(COURSE, roles=["teacher"], tenant="other")

        assert answer.status == 404

    async def test_pages_by_learner(self, classes):
        first = await classes.teach(f"{COURSE}?limit=1")
        second = await classes.teach(f"{COURSE}?limit=1&after={first['next']}")

        assert [one["items"][0]["learnerId"] for one in (first, second)] == [str(HERE), str(THERE)]
        assert second["next"] is None

    async def test_shows_those_at_risk_alone_when_asked(self, classes):
        await classes.tell(
            enrolled(UUID(int=13), "porto"), at=datetime.now(UTC) - timedelta(days=9)
        )
        await classes.judge()
        table = await classes.teach(f"{COURSE}?atRisk=true")

        assert [row["learnerId"] for row in table["items"]] == [str(UUID(int=13))]

    async def test_is_written_as_csv(self, classes):
        token = classes.house.issuer.token(sub=str(TEACHER["who"]), roles=["teacher"])
        answer = await classes.house.fetch(f"{COURSE}?format=csv", authorization=f"Bearer {token}")
        rows = list(csv.DictReader(io.StringIO(answer.body)))

        assert answer.headers["content-type"].startswith("text/csv")
        assert (rows[0]["name"], rows[0]["completed"]) == ("Learner 11", "1")


class TestReadMastery:
    async def test_has_a_column_for_each_skill(self, classes):
        matrix = await classes.teach(MASTERY)

        assert [column["skill"] for column in matrix["skills"]] == ["centre", "spread"]
        assert matrix["rows"][0]["mastery"] == [0.4, 0.6]
        assert matrix["rows"][1]["mastery"] == [None, None]

    async def test_keeps_skills_that_did_not_move(self, classes):
        await classes.tell(mastered(HERE, spread=0.9))

        assert (await classes.teach(MASTERY))["rows"][0]["mastery"] == [0.4, 0.9]

    async def test_shows_a_teacher_of_one_cohort_nobody_of_another(self, classes):
        matrix = await classes.see(MASTERY, **OF_LISBON)

        assert [row["learnerId"] for row in matrix["rows"]] == [str(HERE)]


class TestReadCohort:
    async def test_shows_its_learners(self, classes):
        table = await classes.see("/v1/dashboard/cohorts/lisbon", **OF_LISBON)

        assert [row["learnerId"] for row in table["items"]] == [str(HERE)]

    async def test_shows_what_changed_once_its_event_came(self, classes):
        await classes.see("/v1/dashboard/cohorts/lisbon", **OF_LISBON)
        await classes.tell(mastered(HERE, centre=0.8))
        table = await classes.see("/v1/dashboard/cohorts/lisbon", **OF_LISBON)

        assert table["items"][0]["mastery"] == pytest.approx(0.7)

    async def test_hides_it_from_its_neighbours_teacher(self, classes):
        answer = await classes.house.get("/v1/dashboard/cohorts/porto", **OF_LISBON)

        assert answer.status == 404

    async def test_is_not_found_where_nobody_studies_with_it(self, classes):
        answer = await classes.house.get("/v1/dashboard/cohorts/faro", roles=["tenant-admin"])

        assert answer.status == 404


class TestReadFigures:
    async def test_counts_learners_completion_mastery_and_activity(self, classes):
        figures = await classes.see(FIGURES, roles=["tenant-admin"])

        total = figures["tenant"]
        assert (total["learners"], total["completion"], total["active"]) == (2, 0, 0.5)
        assert total["mastery"] == pytest.approx(0.5)
        assert figures["courses"][0]["course"] == "statistics"

    async def test_gives_the_median_time_to_feedback_in_hours(self, classes):
        now = datetime.now(UTC)
        for hours in (2, 4, 30):
            attempt = scored(50, HERE)
            submitted = events.AttemptSubmitted(
                attempt_id=attempt.attempt_id,
                exam_id=uuid4(),
                exam="quiz",
                course_id=COURSE_ID,
                course="statistics",
                learner_id=HERE,
            )
            await classes.tell(submitted, at=now - timedelta(hours=hours))
            await classes.tell(attempt, at=now)
        figures = await classes.see(FIGURES, roles=["tenant-admin"])

        assert figures["tenant"]["feedbackHours"] == pytest.approx(4)

    async def test_says_nothing_of_nobody(self, board):
        total = (await board.see(FIGURES, roles=["tenant-admin"]))["tenant"]

        assert (total["learners"], total["completion"], total["mastery"]) == (0, None, None)

    async def test_is_written_as_csv_with_the_total_first(self, classes):
        token = classes.house.issuer.token(roles=["tenant-admin"])
        answer = await classes.house.fetch(f"{FIGURES}?format=csv", authorization=f"Bearer {token}")
        total, course = csv.DictReader(io.StringIO(answer.body))

        assert (total["course"], total["learners"]) == ("", "2")
        assert (course["course"], course["learners"]) == ("statistics", "2")

    async def test_is_refused_to_teachers(self, classes):
        assert (await classes.house.get(FIGURES, roles=["teacher"])).status == 403

    async def test_is_of_the_own_tenant_alone(self, classes):
        await classes.see(FIGURES, roles=["tenant-admin"])
        other = await classes.see(FIGURES, roles=["tenant-admin"], tenant="other")

        assert other["tenant"]["learners"] == 0


class TestForget:
    async def test_takes_everything_of_a_deleted_account(self, classes, scratch):
        await classes.tell(events.UserDeleted(user_id=HERE))
        table = await classes.teach(COURSE)

        assert [row["learnerId"] for row in table["items"]] == [str(THERE)]
        with scratch.admin() as connection:
            left = connection.execute(
                "SELECT count(*) FROM dashboard.standing WHERE learner_id = %s", [HERE]
            ).fetchone()
        assert left[0] == 0


class TestRepeat:
    async def test_changes_nothing_of_an_older_time(self, classes):
        before = (await classes.teach(COURSE))["items"][0]["lastActivityAt"]
        await classes.tell(mastered(HERE, centre=0.4), at=datetime.now(UTC) - timedelta(days=5))

        assert (await classes.teach(COURSE))["items"][0]["lastActivityAt"] == before
