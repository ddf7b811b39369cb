"""A cohort's feed as the operator declares it."""

from kourse.contracts.resources import CohortSpec, CourseSpec
from kourse_operator import plans
from kourse_operator.actuators.bindings import BrokerWires
from kourse_operator.plans.steps import Subject
from support.operator_fakes import COHORT, COURSE


async def declare_feed(broker, **feed):
    """The exchange of the course ``statistics`` and the feed of its cohort ``autumn``."""
    course = plans.plan("Course", Subject("demo", "statistics"), CourseSpec.model_validate(COURSE))
    spec = CohortSpec.model_validate({**COHORT, "feed": feed})
    cohort = plans.plan("Cohort", Subject("demo", "autumn"), spec)
    await BrokerWires(broker, permit=lambda: None).ensure([*course.wires, *cohort.wires])
