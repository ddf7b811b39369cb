"""Asks the owners of a directory's documents what an apply would do, each in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from kourse.cli.batches import batches
from kourse.cli.declared_files import DeclaredFile
from kourse.cli.manifests import Manifest
from kourse.cli.plans import ERRORS, DirectoryPlan, Entry
from kourse.cli.session import CommandError, Problem, Session
from kourse.cli.wires import infrastructure
from kourse.contracts.plans import Action, Declaration, Fact, Planned, PlanRequest, PlanView
from kourse.contracts.resources import COHORT, COURSE, EXAM_CONFIG, QUESTION_POOL

ROUTES = {
    COURSE.kind: "/v1/authoring/plans/courses",
    COHORT.kind: "/v1/authoring/plans/cohorts",
    QUESTION_POOL.kind: "/v1/authoring/plans/assessments",
    EXAM_CONFIG.kind: "/v1/authoring/plans/assessments",
}
COURSES, COHORTS, ASSESSMENTS = dict.fromkeys(ROUTES.values())
MAX_BODY_BYTES = 1_000_000
"""A little less than the gateway takes."""
Key = tuple[str, str]
NOTHING = PlanView(tenant="", bucket_prefix="", objects=[], facts=[])


@dataclass
class Planner:
    """Plans manifests that would be applied together.

    Attributes:
        session: Who asks.
        say: Told of progress.
    """

    session: Session
    say: Callable[[str], None]

    def plan(
        self, manifests: Sequence[Manifest], declared: Sequence[DeclaredFile]
    ) -> DirectoryPlan:
        """What an apply of the manifests, with their files, would do.

        Raises:
            CommandError: An owner cannot be asked.
        """
        by_route = {
            route: [one for one in manifests if ROUTES[one.kind] == route]
            for route in (COURSES, COHORTS, ASSESSMENTS)
        }
        files = sorted({one.sha256 for one in declared})
        courses = self._ask(COURSES, by_route[COURSES], (), files)
        cohorts = self._ask(COHORTS, by_route[COHORTS], courses.facts)
        enrolled = NOTHING
        if cohorts.facts:
            enrolled = self._ask(COURSES, by_route[COURSES], cohorts.facts, files)
        told = [*courses.facts, *cohorts.facts, *enrolled.facts]
        assessments = self._ask(ASSESSMENTS, by_route[ASSESSMENTS], told)
        views = [courses, cohorts, assessments]
        joined = {(one.kind, one.name): one for one in enrolled.objects if one.kind == COHORT.kind}
        planned = _merged(chain.from_iterable(view.objects for view in views), joined)
        place = next((view for view in views if view.tenant), enrolled)
        return DirectoryPlan(place.tenant, tuple(_entries(manifests, planned, declared, place)))

    def _ask(
        self,
        route: str,
        manifests: Sequence[Manifest],
        facts: Iterable[Fact] = (),
        files: Sequence[str] = (),
    ) -> PlanView:
        """What one owner says; nothing where there is nothing to ask it.

        Raises:
            CommandError: It refuses, or does not answer.
        """
        heard = [fact for fact in facts if _concerns(route, fact)]
        if not manifests and not heard:
            return NOTHING
        self.say(f"asking {route.rsplit('/', 1)[-1]} about {len(manifests)} objects")
        views = [self._ask_once(route, batch, heard, files) for batch in batches(manifests) or [[]]]
        return PlanView(
            tenant=views[0].tenant,
            bucket_prefix=views[0].bucket_prefix,
            objects=[one for view in views for one in view.objects],
            facts=[fact for view in views for fact in view.facts],
        )

    def _ask_once(
        self, route: str, manifests: Sequence[Manifest], facts: list[Fact], files: Sequence[str]
    ) -> PlanView:
        request = PlanRequest(
            documents=[
                Declaration(kind=one.kind, name=one.name, spec=one.spec, adopt=one.adopts)
                for one in manifests
            ],
            facts=facts,
            files=list(files),
        )
        if len(request.model_dump_json(by_alias=True).encode()) > MAX_BODY_BYTES:
            raise CommandError(
                f"{manifests[0].kind} {manifests[0].name!r} and what it refers to are more than "
                "fits into one request; plan them in parts."
            )
        body = request.model_dump(mode="json", by_alias=True)
        try:
            return PlanView.model_validate(self.session.post(route, body))
        except Problem as problem:
            if problem.code == "forbidden" and not manifests:
                return NOTHING
            raise


def _concerns(route: str, fact: Fact) -> bool:
    wanted = {
        COURSES: {"profile.cohort.declared"},
        COHORTS: {"course.content.published"},
        ASSESSMENTS: {
            "course.content.published",
            "course.enrolment.created",
            "profile.cohort.declared",
        },
    }
    return fact.type in wanted[route]


def _merged(planned: Iterable[Planned], joined: Mapping[Key, Planned]) -> dict[Key, Planned]:
    """The objects by kind and name; what is said of people in several answers is put together."""
    found: dict[Key, Planned] = {}
    for one in chain(planned, joined.values()):
        key = (one.kind, one.name)
        known = found.get(key, one)
        more = [effect for effect in one.people if effect not in known.people]
        main = known if known.action is not Action.UNCHANGED else one
        found[key] = main.model_copy(update={"people": [*known.people, *more]})
    return found


def _entries(
    manifests: Sequence[Manifest],
    planned: dict[Key, Planned],
    declared: Sequence[DeclaredFile],
    place: PlanView,
) -> Iterable[Entry]:
    for one in manifests:
        said = planned.pop((one.kind, one.name))
        wires = (
            ()
            if said.action in ERRORS
            else infrastructure(
                one.kind,
                one.name,
                said.spec_before,
                one.spec,
                tenant=place.tenant,
                bucket_prefix=place.bucket_prefix,
            )
        )
        named = sum(file.course == one.name for file in declared) if one.kind == COURSE.kind else 0
        yield Entry(said, str(one.file), tuple(wires), named, tuple(_notes(one, place.tenant)))
    for said in planned.values():
        yield Entry(said)


def _notes(one: Manifest, tenant: str) -> Iterable[str]:
    if one.paused:
        yield "it is paused; the operator applies it when it is resumed"
    if one.namespace and one.namespace != tenant:
        yield f"it stands in the namespace {one.namespace}, and the plan is for {tenant}"
