"""The permission catalog: what can be allowed, which role allows it, and how a refusal reads.

Grammar: ``<resource>:<action>``. Lists are kept in alphabetical order. A role is held at a scope
(tenant, course or cohort); tokens carry tenant roles, services check the narrower scopes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Permission(StrEnum):
    """Something that a route, a remote procedure or a button needs."""

    ACCESS_EXPLAIN = "access:explain"
    ACCOUNT_MANAGE = "account:manage"
    ACCOUNT_READ = "account:read"
    ACCOUNT_SELF = "account:self"
    ASSIGNMENT_EXTEND = "assignment:extend"
    ASSIGNMENT_SUBMIT = "assignment:submit"
    ATTEMPT_READ = "attempt:read"
    ATTEMPT_TAKE = "attempt:take"
    ATTEMPT_GRADE = "attempt:grade"
    AUDIT_READ = "audit:read"
    CATALOGUE_READ = "catalogue:read"
    COHORT_ANNOUNCE = "cohort:announce"
    COHORT_ATTEND = "cohort:attend"
    COHORT_CODE = "cohort:code"
    COHORT_JOIN = "cohort:join"
    COHORT_LEAVE = "cohort:leave"
    COHORT_MANAGE = "cohort:manage"
    COHORT_MESSAGE = "cohort:message"
    COHORT_PLAN = "cohort:plan"
    COHORT_READ = "cohort:read"
    COHORT_REMOVE = "cohort:remove"
    COHORT_TRANSFER = "cohort:transfer"
    COURSE_AUTHOR = "course:author"
    COURSE_ENROL = "course:enrol"
    COURSE_PLAN = "course:plan"
    COURSE_PUBLISH = "course:publish"
    COURSE_STUDY = "course:study"
    DASHBOARD_OWN = "dashboard:own"
    DASHBOARD_READ = "dashboard:read"
    DASHBOARD_TENANT = "dashboard:tenant"
    EVENT_MANAGE = "event:manage"
    EVENT_READ = "event:read"
    EXAM_AUTHOR = "exam:author"
    EXAM_PLAN = "exam:plan"
    GRADEBOOK_OWN = "gradebook:own"
    GRADEBOOK_READ = "gradebook:read"
    INVITATION_MANAGE = "invitation:manage"
    MEMBERSHIP_MANAGE = "membership:manage"
    NOTIFICATION_OWN = "notification:own"
    PLATFORM_OPERATE = "platform:operate"
    POINTS_OWN = "points:own"
    PROFILE_OWN = "profile:own"
    ROLE_ASSIGN = "role:assign"
    SERVICE_ACCOUNT_MANAGE = "service-account:manage"
    SUBMISSION_GRADE = "submission:grade"
    SUBMISSION_READ = "submission:read"


class Place(StrEnum):
    """Where a member stands in a cohort, which profile knows and no token says."""

    LEARNER = "learner"
    LEADER = "leader"


class Role(StrEnum):
    """A named set of permissions."""

    LEARNER = "learner"
    TEACHER = "teacher"
    AUTHOR = "author"
    CONTRIBUTOR = "contributor"
    GRADER = "grader"
    COHORT_LEADER = "cohort-leader"
    PLANNER = "planner"
    TENANT_ADMIN = "tenant-admin"
    PLATFORM_ADMIN = "platform-admin"


_LEARNER = frozenset(
    {
        Permission.ACCOUNT_READ,
        Permission.ACCOUNT_SELF,
        Permission.ASSIGNMENT_SUBMIT,
        Permission.ATTEMPT_TAKE,
        Permission.CATALOGUE_READ,
        Permission.COHORT_JOIN,
        Permission.COHORT_LEAVE,
        Permission.COURSE_ENROL,
        Permission.COURSE_STUDY,
        Permission.DASHBOARD_OWN,
        Permission.GRADEBOOK_OWN,
        Permission.NOTIFICATION_OWN,
        Permission.POINTS_OWN,
        Permission.PROFILE_OWN,
    }
)
_TEACHER = _LEARNER | {
    Permission.ACCESS_EXPLAIN,
    Permission.ASSIGNMENT_EXTEND,
    Permission.ATTEMPT_GRADE,
    Permission.ATTEMPT_READ,
    Permission.COHORT_ANNOUNCE,
    Permission.COHORT_ATTEND,
    Permission.COHORT_CODE,
    Permission.COHORT_MANAGE,
    Permission.COHORT_MESSAGE,
    Permission.COHORT_PLAN,
    Permission.COHORT_READ,
    Permission.COHORT_REMOVE,
    Permission.COHORT_TRANSFER,
    Permission.DASHBOARD_READ,
    Permission.GRADEBOOK_READ,
    Permission.INVITATION_MANAGE,
    Permission.SUBMISSION_GRADE,
    Permission.SUBMISSION_READ,
}
_GRADER = _LEARNER | {
    Permission.ATTEMPT_GRADE,
    Permission.ATTEMPT_READ,
    Permission.SUBMISSION_GRADE,
    Permission.SUBMISSION_READ,
}
"""Sees and grades attempts and hand-ins, and nothing else of those who made them."""
_COHORT_LEADER = _LEARNER | {
    Permission.ACCESS_EXPLAIN,
    Permission.COHORT_ANNOUNCE,
    Permission.COHORT_ATTEND,
    Permission.COHORT_CODE,
    Permission.COHORT_READ,
    Permission.COHORT_REMOVE,
}
"""Looks after a cohort's people, without a say in dates or grades."""
_PLANNER = frozenset(
    {
        Permission.ACCOUNT_READ,
        Permission.ACCOUNT_SELF,
        Permission.COHORT_PLAN,
        Permission.COURSE_PLAN,
        Permission.EXAM_PLAN,
    }
)
"""For a pipeline that may see what an apply would do, and may do nothing."""
_CONTRIBUTOR = _LEARNER | {Permission.COURSE_AUTHOR, Permission.COURSE_PLAN}
"""Writes courses as drafts and sends them to review; what learners get is for authors to decide."""
_AUTHOR = _CONTRIBUTOR | {
    Permission.COURSE_PUBLISH,
    Permission.EXAM_AUTHOR,
    Permission.EXAM_PLAN,
}

_EVENTS = frozenset({Permission.EVENT_MANAGE, Permission.EVENT_READ})

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.LEARNER: _LEARNER,
    Role.TEACHER: _TEACHER,
    Role.AUTHOR: _AUTHOR,
    Role.CONTRIBUTOR: _CONTRIBUTOR,
    Role.GRADER: _GRADER,
    Role.COHORT_LEADER: _COHORT_LEADER,
    Role.PLANNER: _PLANNER,
    Role.TENANT_ADMIN: _TEACHER
    | _AUTHOR
    | _EVENTS
    | {
        Permission.AUDIT_READ,
        Permission.DASHBOARD_TENANT,
        Permission.MEMBERSHIP_MANAGE,
        Permission.ROLE_ASSIGN,
        Permission.SERVICE_ACCOUNT_MANAGE,
    },
    Role.PLATFORM_ADMIN: _EVENTS
    | {
        Permission.AUDIT_READ,
        Permission.ACCOUNT_MANAGE,
        Permission.ACCOUNT_READ,
        Permission.ACCOUNT_SELF,
        Permission.PLATFORM_OPERATE,
    },
}
"""Nobody gives a role that allows more than they may themselves, so no tenant admin makes a platform admin."""

PLACE_PERMISSIONS: Mapping[Place, frozenset[Permission]] = {
    Place.LEARNER: frozenset({Permission.COHORT_ATTEND}),
    Place.LEADER: frozenset(
        {
            Permission.COHORT_ANNOUNCE,
            Permission.COHORT_ATTEND,
            Permission.COHORT_CODE,
            Permission.COHORT_READ,
            Permission.COHORT_REMOVE,
            Permission.COHORT_TRANSFER,
        }
    ),
}
"""What members may do in their own cohort, beside what their roles allow."""

HOLDERS_ALONE = frozenset({Permission.ACCOUNT_SELF})
"""What no token of a program opens, not even its holder's: passwords, addresses, sessions, tokens."""
PERSONAL = HOLDERS_ALONE | {
    Permission.ACCOUNT_READ,
    Permission.ASSIGNMENT_SUBMIT,
    Permission.ATTEMPT_TAKE,
    Permission.COHORT_JOIN,
    Permission.COHORT_LEAVE,
    Permission.COURSE_ENROL,
    Permission.COURSE_STUDY,
    Permission.DASHBOARD_OWN,
    Permission.GRADEBOOK_OWN,
    Permission.NOTIFICATION_OWN,
    Permission.POINTS_OWN,
    Permission.PROFILE_OWN,
}
"""What makes sense for people alone, and so is never a service account's."""

DENIALS: Mapping[Permission, str] = {
    Permission.ACCESS_EXPLAIN: "Explaining a learner's access needs the teacher or the cohort leader role for it.",
    Permission.ACCOUNT_MANAGE: "Managing other people's accounts needs the platform admin role.",
    Permission.ACCOUNT_READ: "Reading an account needs membership of this tenant.",
    Permission.ACCOUNT_SELF: "Managing an account needs a signed-in person.",
    Permission.ASSIGNMENT_EXTEND: "Giving more time needs the teacher role for this course or cohort.",
    Permission.ASSIGNMENT_SUBMIT: "Handing in needs the learner role.",
    Permission.ATTEMPT_READ: "Reading learners' attempts needs the teacher or the grader role for it.",
    Permission.ATTEMPT_TAKE: "Taking an exam needs the learner role.",
    Permission.ATTEMPT_GRADE: "Grading needs the teacher or the grader role for it.",
    Permission.AUDIT_READ: "Reading the audit trail needs the tenant admin role.",
    Permission.CATALOGUE_READ: "Reading the catalogue needs membership of this tenant.",
    Permission.COHORT_ANNOUNCE: "Announcing something needs the teacher or the cohort leader role for this cohort.",
    Permission.COHORT_ATTEND: "Reading what a cohort is told needs membership of it.",
    Permission.COHORT_CODE: "Reading a join code needs the teacher or the cohort leader role for this cohort.",
    Permission.COHORT_JOIN: "Joining a cohort needs the learner role.",
    Permission.COHORT_LEAVE: "Leaving a cohort needs the learner role.",
    Permission.COHORT_MANAGE: "Managing a cohort needs the teacher role for it.",
    Permission.COHORT_MESSAGE: "Writing to a learner needs the teacher role for their cohort.",
    Permission.COHORT_PLAN: "Planning cohorts needs the planner role, or the teacher role for the cohort.",
    Permission.COHORT_READ: "Reading a cohort's members needs the teacher or the cohort leader role for it.",
    Permission.COHORT_REMOVE: "Removing a member needs the teacher or the cohort leader role for the cohort.",
    Permission.COHORT_TRANSFER: "Handing over a cohort needs its leader, or the teacher role for it.",
    Permission.COURSE_AUTHOR: "Authoring courses needs the author or the contributor role.",
    Permission.COURSE_ENROL: "Enrolling needs the learner role.",
    Permission.COURSE_PLAN: "Planning courses needs the planner or the author role.",
    Permission.COURSE_PUBLISH: "Publishing and archiving courses needs the author role.",
    Permission.COURSE_STUDY: "Studying needs the learner role.",
    Permission.DASHBOARD_OWN: "A dashboard needs membership of this tenant.",
    Permission.DASHBOARD_READ: "Seeing how learners do needs the teacher role for this course or cohort.",
    Permission.DASHBOARD_TENANT: "The tenant's figures need the tenant admin role.",
    Permission.EVENT_MANAGE: "Replaying or dropping events needs the tenant admin role.",
    Permission.EVENT_READ: "Looking at events that stand aside needs the tenant admin role.",
    Permission.EXAM_AUTHOR: "Authoring exams and question pools needs the author role.",
    Permission.EXAM_PLAN: "Planning exams and question pools needs the planner or the author role.",
    Permission.GRADEBOOK_OWN: "Reading grades needs membership of this tenant.",
    Permission.GRADEBOOK_READ: "Reading the grade book needs the teacher role for this course or cohort.",
    Permission.INVITATION_MANAGE: "Inviting people needs the tenant admin role, or the teacher role for the cohort.",
    Permission.MEMBERSHIP_MANAGE: "Managing memberships needs the tenant admin role.",
    Permission.NOTIFICATION_OWN: "Notifications need membership of this tenant.",
    Permission.PLATFORM_OPERATE: "What concerns every tenant needs the platform admin role.",
    Permission.POINTS_OWN: "Points need membership of this tenant.",
    Permission.PROFILE_OWN: "A profile needs membership of this tenant.",
    Permission.ROLE_ASSIGN: "Assigning roles needs the tenant admin role.",
    Permission.SERVICE_ACCOUNT_MANAGE: "Managing service accounts needs the tenant admin role.",
    Permission.SUBMISSION_GRADE: "Grading hand-ins needs the teacher or the grader role for it.",
    Permission.SUBMISSION_READ: "Reading hand-ins needs the teacher or the grader role for it.",
}


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """All that the roles allow together; names that are no role allow nothing."""
    known = {role.value for role in Role}
    return frozenset().union(*(ROLE_PERMISSIONS[Role(name)] for name in roles if name in known))
