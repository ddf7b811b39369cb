"""What people are told: each kind follows from an event that a service really emits, or from a date."""

import ast
from pathlib import Path

import pytest

from kourse.contracts import events
from kourse.notification.domain.kinds import REMINDERS, Kind

SERVICES = Path(events.__file__).parents[2]
TOLD_BY = {
    Kind.VERIFICATION: "identity.verification.requested",
    Kind.INVITATION: "identity.invitation.created",
    Kind.RESET_LINK: "identity.reset.requested",
    Kind.PASSWORD_RESET: "identity.password.reset",
    Kind.PASSWORD_CHANGED: "identity.password.changed",
    Kind.EMAIL_CHANGED: "identity.email.changed",
    Kind.FORMER_EMAIL: "identity.email.changed",
    Kind.SESSION_COMPROMISED: "identity.session.compromised",
    Kind.FACTOR_ADDED: "identity.factor.added",
    Kind.FACTOR_REMOVED: "identity.factor.removed",
    Kind.TOKEN_CREATED: "identity.token.created",
    Kind.WELCOME: "identity.user.registered",
    Kind.COHORT_JOINED: "profile.group.joined",
    Kind.ANNOUNCEMENT: "profile.announcement.posted",
    Kind.MESSAGE: "profile.message.sent",
    Kind.ENROLLED: "course.enrolment.created",
    Kind.COURSE_PUBLISHED: "course.content.published",
    Kind.ASSIGNMENT_CREATED: "course.assignment.created",
    Kind.ASSIGNMENT_DUE_SOON: "course.assignment.changed",
    Kind.ASSIGNMENT_OVERDUE: "course.assignment.changed",
    Kind.LESSON_COMPLETED: "course.lesson.completed",
    Kind.EXAM_SCHEDULED: "assessment.exam.scheduled",
    Kind.EXAM_OPENING_SOON: "assessment.exam.scheduled",
    Kind.EXAM_CLOSING_SOON: "assessment.exam.scheduled",
    Kind.EXAM_EXTENDED: "assessment.attempt.extended",
    Kind.ACCOMMODATED: "assessment.accommodation.granted",
    Kind.EXAM_GRADED: "assessment.score.released",
    Kind.EXAM_REGRADED: "assessment.score.released",
    Kind.FEEDBACK_RECEIVED: "assessment.feedback.released",
    Kind.ENCOURAGEMENT: "dashboard.risk.raised",
}
"""The event that a kind follows from, or whose dates its reminder does. The rest is this service's own news."""


def named_by(service):
    """Names that the service's code uses; an import alone uses nothing."""
    trees = [ast.parse(file.read_text()) for file in (SERVICES / service).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@pytest.fixture(scope="module")
def named():
    return {
        service: named_by(service) for service in {one.split(".")[0] for one in TOLD_BY.values()}
    }


class TestKinds:
    def test_all_are_told_of_something(self):
        assert set(Kind) - set(TOLD_BY) == {
            Kind.BADGE_WON,
            Kind.WEEKLY_DIGEST,
            Kind.WEBHOOK_DISABLED,
        }
        assert set(TOLD_BY) >= REMINDERS

    @pytest.mark.parametrize("type_", sorted(set(TOLD_BY.values())))
    def test_follow_from_events_that_their_service_emits(self, type_, named):
        kind = events.CATALOG[type_]

        assert "notification" in kind.consumers
        assert not kind.planned
        assert kind.model.__name__ in named[type_.split(".")[0]]
