"""The main job, end to end."""

from hack.smoke.journey import Journey


class TestJourney:
    def test_takes_a_new_learner_from_registration_to_a_changed_course(self, target):
        journey = Journey(target)

        done = [step.title for step in journey.go()]

        assert done == [title for title, _ in journey.steps()]
